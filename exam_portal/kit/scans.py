"""Scanned papers: what is taken in, and where it is kept."""

import io
import secrets
import struct

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils.translation import gettext_lazy as _
from PIL import Image, UnidentifiedImageError

from exam_portal.kit.errors import Refused
from exam_portal.kit.structure import look_over

MOST_BYTES = 10 * 1024 * 1024
MOST_PIXELS = 100_000_000
# Telephones put a second picture into a JPEG, which is then called an MPO.
_IMAGES = {"JPEG": "jpg", "MPO": "jpg", "PNG": "png"}


class NoScan(Refused):
    """The file is no scan that can be kept."""

    code = "no_scan"


def extension(data: bytes) -> str:
    """`pdf`, `jpg` or `png`, by what the file holds and not by what it is called.

    Raises:
        NoScan: it is something else, damaged, or too big.
    """
    if not 0 < len(data) <= MOST_BYTES:
        raise NoScan(_("A scan has at most 10 MB."))
    if data.startswith(b"%PDF-"):
        return "pdf"
    try:
        look_over(data)
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as image:
            if image.width * image.height > MOST_PIXELS:
                raise NoScan(_("The picture has too many pixels. Scan it with at most 300 dots per inch."))
            kind = _IMAGES[str(image.format)]
            image.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError):
        raise NoScan(_("A scan is a PDF, JPEG or PNG file. This one is another or damaged.")) from None
    return kind


def name_for(data: bytes, *, folder: str) -> str:
    """A name that says nothing, under which `keep` puts this scan.

    Raises:
        NoScan: see `extension`.
    """
    return f"{folder}/{secrets.token_hex(16)}.{extension(data)}"


def keep(data: bytes, *, name: str) -> None:
    """Keep a scan in the private storage, under a name of `name_for`."""
    default_storage.save(name, ContentFile(data))
