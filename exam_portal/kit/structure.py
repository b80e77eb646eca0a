"""How a picture's file is built, looked over in some milliseconds before a decoder sees it.

Decoders believe what a file says. Some of what a small file may say costs seconds or a gigabyte, and is in no picture
that a camera or a program made: thousands of parts, thousands of scans, a picture bigger than it is told.
"""

import re
import struct
from dataclasses import dataclass

_JPEG, _PNG, _HEIF = b"\xff\xd8", b"\x89PNG\r\n\x1a\n", b"ftyp"
# A progressive JPEG has some ten scans, one with kilobytes of notes and a depth map some hundred segments.
MOST_SCANS, MOST_SEGMENTS = 30, 1000
# Bytes that are nothing, before a segment; none are usual.
MOST_FILL = 64
# A PNG of 20 MB in pieces of 4 KB has 5,000.
MOST_CHUNKS = 20_000

# Neither a byte of the picture (FF 00) nor one of the marks in it by which a reader finds its way again (D0 to D7).
_MARKER = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_NO_LENGTH, _END, _SCAN = {0x01, 0xD8}, 0xD9, 0xDA
# Frames of a JPEG, and those that are decoded as they are read.
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_AS_READ = {0xC0, 0xC1}
# HEIF says of each picture in it how big it is before anything turns or cuts it.
_EXTENT = re.compile(rb"ispe\0{4}(.{4})(.{4})", re.DOTALL)


@dataclass(frozen=True)
class Structure:
    """What costs memory: whether a JPEG is kept whole while it is decoded, and the most pixels of a picture in a HEIF.

    A JPEG is kept whole if it comes in several scans, each of the whole picture.
    """

    kept_whole: bool = False
    coded_pixels: int = 0


def look_over(file: bytes) -> Structure:
    """Of a JPEG, PNG or HEIF how it is built; of anything else nothing.

    Raises:
        ValueError, struct.error: it has more parts than a picture has, or they do not fit together.
    """
    if file.startswith(_JPEG):
        return Structure(kept_whole=_segments(file))
    if file.startswith(_PNG):
        _chunks(file)
    if file[4:8] == _HEIF:
        extents = (struct.unpack(">II", b"".join(found.groups())) for found in _EXTENT.finditer(file))
        return Structure(coded_pixels=max((width * height for width, height in extents), default=0))
    return Structure()


def _segments(file: bytes) -> bool:
    """Walk through a JPEG to its end, behind which telephones put other things; True if it is kept whole."""
    at, scans, components, whole = len(_JPEG), 0, b"", False
    for _segment in range(MOST_SEGMENTS):
        found = _MARKER.search(file, at, len(file) if scans else at + MOST_FILL)
        marker = found[1][0] if found else _END
        if not scans and marker == _END:
            raise ValueError("no segment where one is to be")
        if found is None or marker == _END:
            return whole
        at = found.end()
        if marker in _NO_LENGTH:
            continue
        (length,) = struct.unpack_from(">H", file, at)
        # The number of components stands in a frame behind length, precision and size, in a scan behind the length.
        if marker in _FRAMES:
            components, whole = file[at + 7 : at + 8], whole or marker not in _AS_READ
        if marker == _SCAN:
            scans, whole = scans + 1, whole or file[at + 2 : at + 3] != components
        if scans > MOST_SCANS:
            raise ValueError("more scans than a picture has")
        at += max(length, 2)
    raise ValueError("more segments than a picture has")


def _chunks(file: bytes) -> None:
    at, chunks, profiles = len(_PNG), 0, 0
    while at + 8 <= len(file):
        length, kind = struct.unpack_from(">I4s", file, at)
        at, chunks, profiles = at + length + 12, chunks + 1, profiles + (kind == b"iCCP")
        if chunks > MOST_CHUNKS or profiles > 1:
            raise ValueError("more chunks than a picture has")
