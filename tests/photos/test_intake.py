"""Files that anybody may send: broken, hostile, absurd, and odd ones that are fine."""

import io
import random
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageCms

from accounts.photos import checks, intake
from accounts.photos.intake import PROBLEMS, Problem, Unreadable
from tests.photos import corpus
from tests.photos.looking import rules


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    made = io.BytesIO()
    picture.save(made, kind, **options)
    return made.getvalue()


def png_of(width: int, height: int, *, depth: int = 8, colours: int = 2, idat: bytes = b"") -> bytes:
    """A PNG that says that it is so big, whatever is in it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    body = idat or zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def jpeg_of(width: int, height: int) -> bytes:
    """A JPEG whose header says that it is so big."""
    file = bytearray(corpus.jpeg(Image.new("RGB", (64, 64), "grey")))
    at = file.index(b"\xff\xc0")
    file[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(file)


def moving(kind: str) -> bytes:
    frames = [Image.new("RGB", (400, 560), colour) for colour in ("red", "green", "blue")]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:])


def taken_in(file: bytes) -> intake.Intake:
    intake.read_header(io.BytesIO(file))
    return intake.read(io.BytesIO(file))


def telephone() -> bytes:
    return corpus.jpeg(corpus.portrait("f_easian"))


HOSTILE: dict[str, tuple[Callable[[], bytes], Problem]] = {
    "empty": (lambda: b"", Problem.EMPTY),
    "more than 20 MB": (lambda: telephone() + b"\0" * intake.MOST_BYTES, Problem.TOO_BIG),
    "text": (lambda: "不是照片".encode(), Problem.NO_PICTURE),
    "a PDF that calls itself JPEG": (lambda: b"%PDF-1.7\n" + b"x" * 5000, Problem.NO_PICTURE),
    "a page with a script": (lambda: b"<html><script>alert(1)</script></html>", Problem.NO_PICTURE),
    "SVG": (lambda: b'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="500"/>', Problem.NO_PICTURE),
    "GIF": (lambda: saved(Image.new("P", (400, 560)), "GIF"), Problem.NO_PICTURE),
    "BMP": (lambda: saved(Image.new("RGB", (400, 560)), "BMP"), Problem.NO_PICTURE),
    "TIFF": (lambda: saved(Image.new("RGB", (400, 560)), "TIFF"), Problem.NO_PICTURE),
    "EPS": (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 400 560\n", Problem.NO_PICTURE),
    "cut off in the header": (lambda: telephone()[:20], Problem.NO_PICTURE),
    "cut off": (lambda: telephone()[:20_000], Problem.DAMAGED),
    "PNG cut off": (lambda: corpus.saved(corpus.portrait("f_easian"), "PNG")[:20_000], Problem.DAMAGED),
    "WebP cut off": (lambda: corpus.saved(corpus.portrait("f_easian"), "WEBP")[:9_000], Problem.DAMAGED),
    "HEIC cut off": (lambda: corpus.saved(corpus.portrait("f_easian"), "HEIF")[:9_000], Problem.DAMAGED),
    "PNG of 50,000 × 50,000": (lambda: png_of(50_000, 50_000), Problem.TOO_MANY_PIXELS),
    "JPEG of 50,000 × 50,000": (lambda: jpeg_of(50_000, 50_000), Problem.TOO_MANY_PIXELS),
    "PNG of 2,000,000,000 × 1": (lambda: png_of(2_000_000_000, 1), Problem.TOO_MANY_PIXELS),
    "a bomb": (lambda: png_of(30_000, 30_000, idat=zlib.compress(b"\0" * 50_000_000, 9)), Problem.TOO_MANY_PIXELS),
    "a big one of many scans": (
        lambda: saved(Image.new("RGB", (9000, 7000), "grey"), "JPEG", progressive=True),
        Problem.TOO_MANY_PIXELS,
    ),
    "moving PNG": (lambda: moving("PNG"), Problem.MOVING),
    "moving WebP": (lambda: moving("WEBP"), Problem.MOVING),
    "CMYK": (lambda: saved(Image.new("CMYK", (400, 560)), "JPEG"), Problem.FOR_PRINT),
    "one pixel": (lambda: saved(Image.new("RGB", (1, 1)), "PNG"), Problem.TOO_FEW_PIXELS),
    "a line": (lambda: saved(Image.new("RGB", (9000, 2)), "PNG"), Problem.TOO_FEW_PIXELS),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_cannot_be_used_is_refused_with_what_to_do(name: str) -> None:
    make, problem = HOSTILE[name]
    file = make()
    with pytest.raises(Unreadable) as refused:
        taken_in(file)
    assert refused.value.problem == problem
    assert str(refused.value) == str(PROBLEMS[problem])


def test_every_problem_has_a_sentence() -> None:
    assert set(PROBLEMS) == set(Problem)


ODD: dict[str, Callable[[], bytes]] = {
    "16 bits grey": lambda: saved(Image.new("I;16", (400, 560), 40_000), "PNG"),
    "16 bits grey, big": lambda: saved(Image.new("I;16", (4000, 5600), 40_000), "PNG"),
    "16 bits in colours": lambda: png_of(400, 560, depth=16, idat=zlib.compress((b"\0" + b"\x90\0" * 3 * 400) * 560)),
    "a bomb that says that it is small": lambda: png_of(400, 560, idat=zlib.compress(b"\0" * 100_000_000, 9)),
    "one bit": lambda: saved(Image.new("1", (400, 560), 1), "PNG"),
    "one bit, big": lambda: saved(Image.new("1", (4000, 5600), 1), "PNG"),
    "palette": lambda: saved(corpus.portrait("f_easian").convert("P"), "PNG"),
    "palette, partly transparent": lambda: saved(
        corpus.portrait("f_easian").resize((2000, 2600)).convert("P"), "PNG", transparency=3
    ),
    "transparent": lambda: saved(Image.new("RGBA", (400, 560), (0, 0, 0, 0)), "PNG"),
    "grey with transparency": lambda: saved(Image.new("LA", (400, 560), (90, 128)), "PNG"),
    "grey JPEG": lambda: saved(Image.new("L", (400, 560), 90), "JPEG"),
    "progressive": lambda: saved(corpus.portrait("f_easian"), "JPEG", progressive=True),
    "no profile that is one": lambda: saved(corpus.portrait("f_easian"), "JPEG", icc_profile=b"nonsense"),
    "more behind its end": lambda: telephone() + b"<script>alert(1)</script>" * 100,
    "EXIF that is none": lambda: saved(corpus.portrait("f_easian"), "JPEG", exif=b"Exif\0\0nonsense"),
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_and_fine_is_read_in_eight_bits_of_rgb_and_goes_through_the_checks(name: str) -> None:
    file = ODD[name]()
    found = taken_in(file)
    assert found.picture.mode == "RGB" and 0 < found.scale <= 1
    report = checks.check(found, rules())
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
    found = intake.read(io.BytesIO(saved(stored, "JPEG", exif=noted, quality=95)))
    assert (found.width, found.height, found.picture.size) == (400, 560, (400, 560))
    red, green, _blue = found.picture.getpixel((30, 30))  # type: ignore[misc]
    assert red > 200 and green < 60, way


def test_a_big_jpeg_is_read_small_and_as_fine_as_it_is_asked_for() -> None:
    file = saved(Image.new("RGB", (8000, 6000), "grey"), "JPEG")
    small = intake.read(io.BytesIO(file))
    assert max(small.picture.size) == 1000 and (small.width, small.height) == (8000, 6000)
    assert intake.read(io.BytesIO(file), scale=0.4).scale == 0.5


def test_colours_of_a_wide_profile_are_those_of_screens_in_what_is_kept() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    file = saved(corpus.portrait("f_easian"), "JPEG", icc_profile=profile, quality=95)
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
