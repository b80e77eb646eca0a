"""Files that anybody may send: broken, hostile, absurd, and odd ones that are fine."""

import io
import random
import time
import zlib
from collections.abc import Callable

import pytest
from PIL import Image, ImageCms

from accounts.photos import checks, intake
from accounts.photos.intake import PROBLEMS, Problem, Unreadable
from tests.photos import corpus, files
from tests.photos.looking import rules


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (400, 560), colour) for colour in ("red", "green", "blue")]
    return files.saved(frames[0], kind, save_all=True, append_images=frames[1:])


def taken_in(file: bytes) -> intake.Intake:
    intake.read_header(io.BytesIO(file))
    return intake.read(io.BytesIO(file))


HOSTILE: dict[str, tuple[Callable[[], bytes], Problem]] = {
    "empty": (lambda: b"", Problem.EMPTY),
    "more than 20 MB": (lambda: files.telephone() + b"\0" * intake.MOST_BYTES, Problem.TOO_BIG),
    "text": (lambda: "不是照片".encode(), Problem.NO_PICTURE),
    "a PDF that calls itself JPEG": (lambda: b"%PDF-1.7\n" + b"x" * 5000, Problem.NO_PICTURE),
    "a page with a script": (lambda: b"<html><script>alert(1)</script></html>", Problem.NO_PICTURE),
    "SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="500"/>', Problem.NO_PICTURE),
    "GIF": (lambda: files.saved(Image.new("P", (400, 560)), "GIF"), Problem.NO_PICTURE),
    "BMP": (lambda: files.saved(Image.new("RGB", (400, 560)), "BMP"), Problem.NO_PICTURE),
    "TIFF": (lambda: files.saved(Image.new("RGB", (400, 560)), "TIFF"), Problem.NO_PICTURE),
    "EPS": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 400 560\n", Problem.NO_PICTURE),
    "cut off in the header": (lambda: files.telephone()[:20], Problem.DAMAGED),
    "cut off": (lambda: files.telephone()[:20_000], Problem.DAMAGED),
    "PNG cut off": (lambda: corpus.saved(corpus.portrait("f_easian"), "PNG")[:20_000], Problem.DAMAGED),
    "WebP cut off": (lambda: corpus.saved(corpus.portrait("f_easian"), "WEBP")[:9_000], Problem.DAMAGED),
    "HEIC cut off": (lambda: corpus.saved(corpus.portrait("f_easian"), "HEIF")[:9_000], Problem.DAMAGED),
    "PNG of 50,000 × 50,000": (lambda: files.png(50_000, 50_000), Problem.TOO_MANY_PIXELS),
    "JPEG of 50,000 × 50,000": (lambda: files.jpeg(50_000, 50_000), Problem.TOO_MANY_PIXELS),
    "PNG of 2,000,000,000 × 1": (lambda: files.png(2_000_000_000, 1), Problem.TOO_MANY_PIXELS),
    "a bomb": (lambda: files.png(30_000, 30_000, idat=zlib.compress(b"\0" * 50_000_000, 9)), Problem.TOO_MANY_PIXELS),
    "a big one of many scans": (
        lambda: files.saved(Image.new("RGB", (9000, 7000), "grey"), "JPEG", progressive=True),
        Problem.TOO_MANY_PIXELS,
    ),
    "filled before anything": (lambda: b"\xff\xd8" + b"\xff" * 20_000_000, Problem.DAMAGED),
    "nothing but zeros": (lambda: files.behind_its_start(b"\xff\xfe\0\2" + b"\0" * 20_000_000), Problem.DAMAGED),
    "thousands of remarks": (lambda: files.behind_its_start(files.segment(0xFE, b"") * 100_000), Problem.DAMAGED),
    "thousands of chunks": (lambda: files.png(400, 560, extra=files.chunk(b"abCd") * 1_000_000), Problem.DAMAGED),
    "two profiles": (
        lambda: files.png(400, 560, extra=files.chunk(b"iCCP", b"x\0\0" + zlib.compress(b"\0" * 999_999)) * 2),
        Problem.DAMAGED,
    ),
    "thousands of scans": (
        lambda: files.in_scans(1000, 1000, frame=0xC2, scans=3000, components=1),
        Problem.DAMAGED,
    ),
    "a big one whose colours come one by one": (
        lambda: files.in_scans(7000, 7000, frame=0xC0, scans=3, components=3),
        Problem.TOO_MANY_PIXELS,
    ),
    "a HEIC of which little is shown": (lambda: files.heic_cut(9000, 7000), Problem.TOO_MANY_PIXELS),
    "a HEIC that is bigger than it tells": (
        lambda: files.heic_of_tiles((20_000, 20_000), (40, 40), told=(400, 560)),
        Problem.NO_PICTURE,
    ),
    "moving PNG": (lambda: moving("PNG"), Problem.MOVING),
    "moving WebP": (lambda: moving("WEBP"), Problem.MOVING),
    "CMYK": (lambda: files.saved(Image.new("CMYK", (400, 560)), "JPEG"), Problem.FOR_PRINT),
    "one pixel": (lambda: files.saved(Image.new("RGB", (1, 1)), "PNG"), Problem.TOO_FEW_PIXELS),
    "a line": (lambda: files.saved(Image.new("RGB", (9000, 2)), "PNG"), Problem.TOO_FEW_PIXELS),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_used_is_refused_with_what_to_do(name: str) -> None:
    make, problem = HOSTILE[name]
    file, began = make(), time.process_time()
    with pytest.raises(Unreadable) as refused:
        taken_in(file)
    # The longest takes a hundredth of what the web request of a candidate may wait.
    assert time.process_time() - began < 1
    assert refused.value.problem == problem
    assert str(refused.value) == str(PROBLEMS[problem])


def test_every_problem_has_a_sentence() -> None:
    assert set(PROBLEMS) == set(Problem)


ODD: dict[str, Callable[[], bytes]] = {
    "16 bits grey": lambda: files.saved(Image.new("I;16", (400, 560), 40_000), "PNG"),
    "16 bits grey, big": lambda: files.saved(Image.new("I;16", (4000, 5600), 40_000), "PNG"),
    "16 bits in colours": lambda: files.png(
        400, 560, depth=16, idat=zlib.compress((b"\0" + b"\x90\0" * 3 * 400) * 560)
    ),
    "a bomb that says that it is small": lambda: files.png(400, 560, idat=zlib.compress(b"\0" * 100_000_000, 9)),
    "one bit": lambda: files.saved(Image.new("1", (400, 560), 1), "PNG"),
    "one bit, big": lambda: files.saved(Image.new("1", (4000, 5600), 1), "PNG"),
    "palette": lambda: files.saved(corpus.portrait("f_easian").convert("P"), "PNG"),
    "palette, partly transparent": lambda: files.saved(
        corpus.portrait("f_easian").resize((2000, 2600)).convert("P"), "PNG", transparency=3
    ),
    "transparent": lambda: files.saved(Image.new("RGBA", (400, 560), (0, 0, 0, 0)), "PNG"),
    "grey with transparency": lambda: files.saved(Image.new("LA", (400, 560), (90, 128)), "PNG"),
    "grey JPEG": lambda: files.saved(Image.new("L", (400, 560), 90), "JPEG"),
    "its colours come one by one": lambda: files.in_scans(800, 1120, frame=0xC0, scans=3, components=3),
    "HEIC of tiles": lambda: files.heic_of_tiles((1000, 1400), (2, 3)),
    "steps in the profile": lambda: files.saved(
        corpus.portrait("f_easian"), "JPEG", icc_profile=files.profile_in_steps(2000)
    ),
    "progressive": lambda: files.saved(corpus.portrait("f_easian"), "JPEG", progressive=True),
    "no profile that is one": lambda: files.saved(corpus.portrait("f_easian"), "JPEG", icc_profile=b"nonsense"),
    "more behind its end": lambda: files.telephone() + b"<script>alert(1)</script>" * 100,
    "EXIF that is none": lambda: files.saved(corpus.portrait("f_easian"), "JPEG", exif=b"Exif\0\0nonsense"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_and_fine_is_read_in_eight_bits_of_rgb_and_goes_through_the_checks(name: str) -> None:
    file = ODD[name]()
    found = taken_in(file)
    assert found.picture.mode == "RGB" and 0 < found.scale <= 1
    began, report = time.process_time(), checks.check(found, rules())
    assert Image.open(io.BytesIO(checks.preview(found))).format == "JPEG"
    assert time.process_time() - began < 5
    for framed in report.frames:
        assert Image.open(io.BytesIO(checks.cut(found, framed.frame, rules()))).format == "JPEG"


def test_what_is_transparent_lies_on_white() -> None:
    found = intake.read(io.BytesIO(ODD["transparent"]()))
    assert found.picture.getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("way", range(1, 9))
def test_a_picture_is_turned_as_the_camera_noted(way: int) -> None:
    upright = Image.new("RGB", (400, 560), "white")
    upright.paste("red", (0, 0, 200, 100))  # the corner at the top left
    back = {2: 0, 3: 1, 4: 2, 5: 3, 6: 4, 7: 5, 8: 6}
    undo = (
        Image.Transpose.FLIP_LEFT_RIGHT,
        Image.Transpose.ROTATE_180,
        Image.Transpose.FLIP_TOP_BOTTOM,
        Image.Transpose.TRANSPOSE,
        Image.Transpose.ROTATE_90,
        Image.Transpose.TRANSVERSE,
        Image.Transpose.ROTATE_270,
    )
    stored = upright.transpose(undo[back[way]]) if way in back else upright
    noted = Image.Exif()
    noted[0x0112] = way
    found = intake.read(io.BytesIO(files.saved(stored, "JPEG", exif=noted, quality=95)))
    assert (found.width, found.height, found.picture.size) == (400, 560, (400, 560))
    red, green, _blue = found.picture.getpixel((30, 30))  # type: ignore[misc]
    assert red > 200 and green < 60, way


def test_a_big_jpeg_is_read_small_and_as_fine_as_it_is_asked_for() -> None:
    file = files.saved(Image.new("RGB", (8000, 6000), "grey"), "JPEG")
    small = intake.read(io.BytesIO(file))
    assert max(small.picture.size) == 1000 and (small.width, small.height) == (8000, 6000)
    assert intake.read(io.BytesIO(file), scale=0.4).scale == 0.5


@pytest.mark.parametrize(("kind", "divisor"), [("JPEG", 4), ("PNG", 2), ("WEBP", 1), ("HEIF", 2)])
def test_however_fine_it_is_asked_for_a_picture_is_read_with_no_more_pixels_than_fit(kind: str, divisor: int) -> None:
    size = {"JPEG": (12_000, 8000), "PNG": (6000, 5000), "WEBP": (4000, 3000), "HEIF": (6000, 5000)}[kind]
    found = intake.read(io.BytesIO(files.saved(Image.new("RGB", size, "grey"), kind)), scale=1.0)
    assert found.picture.size == (size[0] // divisor, size[1] // divisor)


def test_colours_of_a_wide_profile_are_those_of_screens_in_what_is_kept() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = files.saved(corpus.portrait("f_easian"), "JPEG", icc_profile=profile, quality=95)
    found = intake.read(io.BytesIO(file))
    assert found.profile == profile
    frame = checks.check(found, rules()).frames[0].frame
    assert "icc_profile" not in Image.open(io.BytesIO(checks.cut(found, frame, rules()))).info


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_no_damage_of_any_kind_is_more_than_a_refusal(kind: str) -> None:
    """A hundred files of each kind with bytes changed, cut out or put in: read, or refused."""
    chance = random.Random(kind)
    whole = corpus.saved(corpus.portrait("m_multi").resize((216, 288)), kind)
    refused = 0
    for _time in range(100):
        file = bytearray(whole)
        for _change in range(chance.randint(1, 12)):
            at = chance.randrange(len(file))
            match chance.randrange(3):
                case 0:
                    file[at] = chance.randrange(256)
                case 1:
                    del file[at : at + chance.randint(1, 400)]
                case 2:
                    file[at:at] = chance.randbytes(chance.randint(1, 40))
        try:
            found = taken_in(bytes(file))
        except Unreadable:
            refused += 1
        else:
            checks.check(found, rules())
    assert 0 < refused <= 100
