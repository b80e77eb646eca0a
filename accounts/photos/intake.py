"""Taking in files that anybody may send: what they are by their first bytes, and the picture in them.

What is not one of the four kinds, is damaged, or is more than a camera makes, is `Unreadable`, with a problem that the
candidate can do something about. No decoder but those of the four kinds is ever tried.
"""

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from math import ceil
from typing import IO

import pillow_heif
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from exam_portal.kit.errors import Refused
from exam_portal.kit.structure import Structure, look_over

MOST_BYTES = 20 * 1024 * 1024
# A JPEG is decoded at a quarter or half of its size without the whole ever being in memory, unless it comes in several
# scans, each of the whole picture. The others are decoded whole: so many take at most some 350 MB.
MOST_PIXELS = {"JPEG": 200_000_000, "HEIF": 50_000_000, "PNG": 32_000_000, "WEBP": 16_000_000}
MOST_PIXELS_WHOLE = 30_000_000
LEAST_SIDE = 16
# As many pixels as a decoded picture has at most, however fine it is asked for.
MOST_PIXELS_DECODED = 20_000_000
# The longer side to which a big JPEG is decoded, at least: enough for the checks. To be cut it may be decoded again.
LONGER_SIDE = 1000
_JPEG_DIVISORS = (1, 2, 4, 8)

EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "HEIF": "heic"}
# What the decoders raise for what is damaged.
_BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, RuntimeError, MemoryError, OverflowError, TypeError, KeyError),
    *(IndexError, struct.error, Image.DecompressionBombError),
)
_GREY = {"1", "L", "LA", "La", "I", "I;16", "I;16B", "I;16L"}
# What EXIF calls the ways a camera was held.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

pillow_heif.register_heif_opener()
# How many pixels are too many is asked here, of each file, before it is decoded; so does exam_portal.kit.scans.
Image.MAX_IMAGE_PIXELS = None


class Problem(StrEnum):
    """Why a file cannot be used."""

    EMPTY = "empty"
    TOO_BIG = "too_big"
    NO_PICTURE = "no_picture"
    DAMAGED = "damaged"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_FEW_PIXELS = "too_few_pixels"
    MOVING = "moving"
    FOR_PRINT = "for_print"
    NOT_CHECKED = "not_checked"


# What the candidate reads.
PROBLEMS: dict[str, str | Promise] = {
    Problem.EMPTY: _("The file is empty. Choose the picture once more."),
    Problem.TOO_BIG: _("The file has more than 20 MB. Send the picture in a smaller size, or take it anew."),
    Problem.NO_PICTURE: _(
        "This is no JPEG, PNG, WebP or HEIC picture, whatever its name says. Choose a picture from the camera."
    ),
    Problem.DAMAGED: _("The picture is damaged or incomplete. Choose it once more, or take another."),
    Problem.TOO_MANY_PIXELS: _(
        "The picture has more pixels than can be taken in. Set the camera to a lower resolution, or send a JPEG."
    ),
    Problem.TOO_FEW_PIXELS: _("The picture is tiny. Choose the original from the camera."),
    Problem.MOVING: _("This is a moving picture. Choose a still one."),
    Problem.FOR_PRINT: _(
        "The picture is made for printing (CMYK). Save it in colours for screens (RGB), or take another."
    ),
    Problem.NOT_CHECKED: _("The picture could not be checked. Choose it once more, or take another."),
}


class Unreadable(Refused):
    """A file that cannot be used."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(PROBLEMS[problem], code=problem.value)
        self.problem = problem


@dataclass(frozen=True)
class Header:
    """What a file says of itself before it is decoded; width and height as stored, not yet turned."""

    format: str
    width: int
    height: int
    file_size: int

    @property
    def extension(self) -> str:
        """Of a name for it."""
        return EXTENSIONS[self.format]


@dataclass(frozen=True)
class Intake:
    """A decoded picture, RGB and turned upright; of a big JPEG smaller than the original.

    `width` and `height` are the original's, turned too. `grey` says that the file knows no colours, `quantization` are
    the tables of a JPEG, else empty, and `profile` is the ICC profile, if there is one.
    """

    picture: Image.Image
    width: int
    height: int
    format: str
    file_size: int
    grey: bool
    quantization: dict[int, list[int]]
    profile: bytes | None = None

    @property
    def scale(self) -> float:
        """Pixels of `picture` for one of the original; at most 1."""
        return self.picture.width / self.width


def read_header(source: IO[bytes]) -> Header:
    """What kind of picture this is and how big, without decoding it.

    Raises:
        Unreadable: see `Problem`.
    """
    size = source.seek(0, io.SEEK_END)
    if not size:
        raise Unreadable(Problem.EMPTY)
    if size > MOST_BYTES:
        raise Unreadable(Problem.TOO_BIG)
    with _opened(source) as (image, built):
        return _header(image, built, size)


def read(source: IO[bytes], *, scale: float = 0.0) -> Intake:
    """The picture, decoded: at least with `LONGER_SIDE`, and so many pixels for one of the original as `scale` asks.

    There are never more than `MOST_PIXELS_DECODED`.

    Raises:
        Unreadable: see `Problem`.
    """
    size = source.seek(0, io.SEEK_END)
    with _opened(source) as (image, built):
        header = _header(image, built, size)
        # HEIF comes turned; what stands in its EXIF was done.
        way = 1 if header.format == "HEIF" else _orientation(image)
        quantization, profile = dict(getattr(image, "quantization", {})), image.info.get("icc_profile")
        divisor = _divisor(header, min(max(scale, LONGER_SIDE / max(image.size)), 1.0))
        if header.format == "JPEG":  # is made smaller while it is decoded, the others afterwards
            image.draft(image.mode, (image.width // divisor, image.height // divisor))
            image.load()
            picture = _in_rgb(image)
        else:
            image.load()
            picture = _in_rgb(_eight_bits(image).reduce(divisor) if divisor > 1 else image)
        grey = image.mode in _GREY
    if way in _TURNS:
        picture = picture.transpose(_TURNS[way])
    lying = way in {5, 6, 7, 8}
    width, height = (header.height, header.width) if lying else (header.width, header.height)
    return Intake(picture, width, height, header.format, size, grey, quantization, profile)


@contextmanager
def _opened(source: IO[bytes]) -> Iterator[tuple[Image.Image, Structure]]:
    """The file as one of the four kinds, not yet decoded. Whatever a decoder raises within is `Unreadable`."""
    source.seek(0)
    try:
        built = look_over(source.read())
        source.seek(0)
        with Image.open(source, formats=["JPEG", "PNG", "WEBP", "HEIF"]) as image:
            yield image, built
    except UnidentifiedImageError:
        raise Unreadable(Problem.NO_PICTURE) from None
    except _BROKEN:
        raise Unreadable(Problem.DAMAGED) from None


def _header(image: Image.Image, built: Structure, size: int) -> Header:
    # Telephones put a second picture into a JPEG, which is then called an MPO.
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    if kind in {"PNG", "WEBP"} and getattr(image, "is_animated", False):
        raise Unreadable(Problem.MOVING)
    if image.mode in {"CMYK", "YCCK", "LAB"}:
        raise Unreadable(Problem.FOR_PRINT)
    most = MOST_PIXELS_WHOLE if built.kept_whole else MOST_PIXELS[kind]
    if max(image.width * image.height, built.coded_pixels) > most:
        raise Unreadable(Problem.TOO_MANY_PIXELS)
    if min(image.size) < LEAST_SIDE:
        raise Unreadable(Problem.TOO_FEW_PIXELS)
    return Header(kind, *image.size, size)


def _orientation(image: Image.Image) -> int:
    way = image.getexif().get(0x0112, 1)
    return way if isinstance(way, int) else 1


def _divisor(header: Header, scale: float) -> int:
    """By what the sides are divided: as much as the scale allows, or more where too many pixels would be left."""
    allowed, needed = int(1 / scale), ceil((header.width * header.height / MOST_PIXELS_DECODED) ** 0.5)
    if header.format != "JPEG":
        return max(allowed, needed)
    return max(
        max(divisor for divisor in _JPEG_DIVISORS if divisor <= allowed),
        min(divisor for divisor in _JPEG_DIVISORS if divisor >= needed),
    )


def _eight_bits(image: Image.Image) -> Image.Image:
    """With 8 bits a colour and no palette."""
    if image.mode == "P":
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode == "1":
        return image.convert("L")
    return image.point(lambda value: value / 256).convert("L") if image.mode.startswith("I") else image


def _in_rgb(image: Image.Image) -> Image.Image:
    """In RGB of 8 bits a colour; what is transparent lies on white, as browsers show it."""
    image = _eight_bits(image)
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    seen, white = image.convert("RGBA"), Image.new("RGB", image.size, "white")
    white.paste(seen, mask=seen)
    return white
