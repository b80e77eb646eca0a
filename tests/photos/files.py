"""Files put together byte by byte: what no program writes, and what only some telephones do."""

import io
import struct
import zlib
from collections.abc import Iterator
from math import ceil
from typing import Any

from PIL import Image, ImageCms

from tests.photos import corpus


def saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    made = io.BytesIO()
    picture.save(made, kind, **options)
    return made.getvalue()


# --- PNG --------------------------------------------------------------------------------------------
def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, *, depth: int = 8, colours: int = 2, idat: bytes = b"", extra: bytes = b"") -> bytes:
    """A PNG that says that it is so big, whatever is in it."""
    header = struct.pack(">IIBBBBB", width, height, depth, colours, 0, 0, 0)
    body = idat or zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", body) + chunk(b"IEND")


# --- JPEG -------------------------------------------------------------------------------------------
def telephone() -> bytes:
    return corpus.jpeg(corpus.portrait("f_easian"))


def jpeg(width: int, height: int) -> bytes:
    """A JPEG whose header says that it is so big."""
    file = bytearray(corpus.jpeg(Image.new("RGB", (64, 64), "grey")))
    at = file.index(b"\xff\xc0")
    file[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(file)


def behind_its_start(extra: bytes) -> bytes:
    """A telephone's JPEG with something put in before everything else."""
    file = telephone()
    return file[:2] + extra + file[2:]


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def in_scans(width: int, height: int, *, frame: int, scans: int, components: int) -> bytes:
    """A grey or coloured JPEG in which everything is zero, in so many scans of one component each."""

    def table(kind: int, symbol: int) -> bytes:
        return segment(0xC4, bytes([kind << 4, 1, *[0] * 15, symbol]))

    parts = b"".join(bytes([number, 0x11, 0]) for number in range(1, components + 1))
    head = segment(0xDB, b"\0" + b"\x10" * 64) + segment(
        frame, struct.pack(">BHHB", 8, height, width, components) + parts
    )
    blocks = ceil(width / 8) * ceil(height / 8)
    last = 63 if frame == 0xC0 else 0
    data = b"\0" * ceil(blocks * (2 if frame == 0xC0 else 1) / 8)
    body = b"".join(segment(0xDA, bytes([1, number % components + 1, 0, 0, last, 0])) + data for number in range(scans))
    return b"\xff\xd8" + head + table(0, 0) + table(1, 0) + body + b"\xff\xd9"


# --- HEIF -------------------------------------------------------------------------------------------
def box(name: bytes, data: bytes, version: int | None = None) -> bytes:
    full = b"" if version is None else struct.pack(">I", version)
    return struct.pack(">I", len(full) + len(data) + 8) + name + full + data


def boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        yield name, data[at + 8 : at + length]
        at += length


def heic_of_tiles(size: tuple[int, int], tiles: tuple[int, int], told: tuple[int, int] | None = None) -> bytes:
    """A HEIC put together of tiles of 512 × 512, as Apple's telephones make them; what it tells may be another size."""
    made = dict(boxes(saved(Image.new("RGB", (512, 512), (180, 120, 60)), "HEIF")))
    meta = dict(boxes(made[b"meta"][4:]))
    decoder = dict(boxes(dict(boxes(meta[b"iprp"]))[b"ipco"]))[b"hvcC"]
    coded, number = made[b"mdat"], tiles[0] * tiles[1]
    grid = struct.pack(">BBBBII", 0, 1, tiles[1] - 1, tiles[0] - 1, *size)
    entries = [
        box(b"infe", struct.pack(">HH4sB", at, 0, kind, 0), 2 << 24) for at, kind in ((1, b"grid"), (2, b"hvc1"))
    ]
    properties = box(b"ispe", struct.pack(">II", *(told or size)), 0) + box(b"hvcC", decoder)
    properties += box(b"ispe", struct.pack(">II", 512, 512), 0)
    of_items = struct.pack(">IHBBHBBB", 2, 1, 1, 1, 2, 2, 0x82, 3)
    kind = box(b"ftyp", b"heic\0\0\0\0mif1heic")

    def described(at: int) -> bytes:
        places = struct.pack(">HHHII", 1, 0, 1, at, len(grid)) + struct.pack(
            ">HHHII", 2, 0, 1, at + len(grid), len(coded)
        )
        return box(
            b"meta",
            box(b"hdlr", b"\0\0\0\0pict" + b"\0" * 13, 0)
            + box(b"pitm", struct.pack(">H", 1), 0)
            + box(b"iloc", struct.pack(">BBH", 0x44, 0, 2) + places, 0)
            + box(b"iinf", struct.pack(">H", 2) + b"".join(entries), 0)
            + box(b"iref", box(b"dimg", struct.pack(f">HH{number}H", 1, number, *[2] * number)), 0)
            + box(b"iprp", box(b"ipco", properties) + box(b"ipma", of_items, 0)),
            0,
        )

    return kind + described(len(kind) + len(described(0)) + 8) + box(b"mdat", grid + coded)


def heic_cut(width: int, height: int) -> bytes:
    """A HEIC that is so big before all but 401 × 561 of it is cut off."""
    file = saved(Image.new("RGB", (401, 561)), "HEIF")
    assert b"clap" in file
    at = file.index(b"ispe") + 8
    return file[:at] + struct.pack(">II", width, height) + file[at + 8 :]


# --- Colour profiles --------------------------------------------------------------------------------
def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def profile_in_steps(steps: int) -> bytes:
    """A valid profile that has so many matrices to go through for each pixel."""
    profile = srgb()
    tags = int.from_bytes(profile[128:132])
    # Each tag stands twelve bytes further behind than before, for there is one more in the table.
    table = b"".join(
        profile[at : at + 4]
        + struct.pack(">I", int.from_bytes(profile[at + 4 : at + 8]) + 12)
        + profile[at + 8 : at + 12]
        for at in range(132, 132 + 12 * tags, 12)
    )
    body = profile[132 + 12 * tags :]
    matrix = struct.pack(">4sIHH12f", b"matf", 0, 3, 3, *(1, 0, 0, 0, 1, 0, 0, 0, 1), 0, 0, 0)
    first = 16 + 8 * steps
    chain = struct.pack(">4sIHHI", b"mpet", 0, 3, 3, steps) + struct.pack(">II", first, len(matrix)) * steps + matrix
    added = struct.pack(">4sII", b"D2B0", 132 + 12 * (tags + 1) + len(body), len(chain))
    whole = profile[4:128] + struct.pack(">I", tags + 1) + table + added + body + chain
    whole = whole[:4] + b"\x04\x40\0\0" + whole[8:]
    return struct.pack(">I", len(whole) + 4) + whole
