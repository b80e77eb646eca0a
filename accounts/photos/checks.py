"""The checks themselves: from a decoded picture and an exam's rules to a report, and to the JPEG that is kept.

Only the worker imports this: it loads the detector. Everything is looked at on copies as small as it allows.
"""

import io
from dataclasses import replace
from math import cos, radians, sin
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from accounts.photos import faces, frames, likeness, measures
from accounts.photos.intake import Intake
from accounts.photos.report import Box, Frame, Framed, Item, Report, item
from accounts.photos.rules import PhotoRules

# The height at which frames are looked at, and the longer side at which a picture is shown.
FRAME_HEIGHT = 112
PREVIEW_SIDE = 1000
# JPEG qualities, the first of which that makes a file of more than the exam's least is taken.
QUALITIES = (88, 92, 95, 98, 100)
# What a colour profile has at most, and those of its tags that tell of steps for each pixel.
MOST_PROFILE_BYTES, MOST_TAGS = 1024 * 1024, 100
_STEPS = {b"D2B0", b"D2B1", b"D2B2", b"D2B3", b"B2D0", b"B2D1", b"B2D2", b"B2D3"}


def check(intake: Intake, rules: PhotoRules) -> Report:
    """Everything that is checked, with the frames that are offered."""
    small = _small(intake.picture)
    grey = small.convert("L")
    found = faces.find(intake.picture, grey)
    items = _of_the_file(intake, rules)
    items.append(item("face", found.number, rules.limits["face"], hint="lies" if found.lies else ""))
    size = (intake.width, intake.height)
    if found.head is None or found.face is None:
        return Report(*size, items)
    head = _times(found.head, 1 / intake.scale)
    offered = list(frames.offered(head, size, rules))
    walls = measures.walls(_looked_at(small, offered[0][1], intake, rules.ratio))
    items += _of_the_face(intake, found, offered[0][1], walls, rules)
    framed = [Framed(kind, frame, _of_the_frame(small, intake, frame, head, rules)) for kind, frame in offered]
    in_small = small.width / intake.picture.width
    return Report(*size, items, head, framed, likeness.fingerprint(grey, _times(found.head, in_small)))


def check_frame(intake: Intake, frame: Frame, head: Box, rules: PhotoRules) -> list[Item]:
    """What is checked of a frame that somebody set; one that reaches out of the picture is moved in as `cut` does."""
    frame = frames.kept_inside(frame, (intake.width, intake.height), rules.ratio)
    return _of_the_frame(_small(intake.picture), intake, frame, head, rules)


def measures_of(frame: Frame, rules: PhotoRules) -> tuple[int, int]:
    """Width and height of what is cut, in pixels: as many as the picture has there, at most the exam's most."""
    width = min(int(frame.width + 0.5), rules.most_width)
    height = min(int(frame.width / rules.ratio + 0.5), rules.most_height)
    return max(width, 1), max(height, 1)


def cut(intake: Intake, frame: Frame, rules: PhotoRules) -> bytes:
    """The JPEG for the exam: turned and cut, made smaller if need be and never bigger, without what a camera notes.

    It has more bytes than the exam asks for, unless even the best quality makes less: then that.
    """
    frame = frames.kept_inside(frame, (intake.width, intake.height), rules.ratio)
    picture = _cut(intake.picture, _times_frame(frame, intake.scale), measures_of(frame, rules))
    picture = _for_screens(picture, intake.profile)
    made = b""
    for quality in QUALITIES:
        made = _jpeg(picture, quality)
        if len(made) > rules.more_than_bytes:
            break
    return made


def preview(intake: Intake) -> bytes:
    """A small copy of the whole picture, to be shown."""
    picture = intake.picture
    scale = min(1.0, PREVIEW_SIDE / max(picture.size))
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return _jpeg(_for_screens(picture.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0), intake.profile), 82)


# --- Items ------------------------------------------------------------------------------------------
def _of_the_file(intake: Intake, rules: PhotoRules) -> list[Item]:
    more = min(intake.width / rules.more_than_width, intake.height / rules.more_than_height)
    items = [item("type", 1, rules.limits["type"]), item("pixels", more, rules.limits["pixels"])]
    if intake.format == "JPEG":  # another format is of another size for the same picture
        items.insert(1, item("bytes", intake.file_size, rules.limits["bytes"]))
    return items


def _of_the_face(intake: Intake, found: faces.Faces, frame: Frame, walls: list[Any], rules: PhotoRules) -> list[Item]:
    assert found.face is not None
    face = measures.face_of(intake.picture, found.face, measures.FACE_SIDE)
    grey, around = measures.brightness(face), measures.detail_of(intake.picture, found.face)
    coloured = measures.face_of(face, (0, 0, *face.size), measures.COLOUR_SIDE)
    # How much smaller what is kept is than the copy that is looked at.
    kept = min(1.0, measures_of(frame, rules)[0] / (frame.width * intake.scale))
    wall = np.concatenate([piece.reshape(-1, 3) for piece in walls])
    values: dict[str, float] = {
        "frontal": found.frontal,
        "upscaled": max(1.0, measures.enlargement(around) * kept),
        "colour": 0.0 if intake.grey else measures.colour(coloured, wall),
        "sharp": measures.blur(grey) / face.width * 100,
        "burnt": measures.burnt(coloured),
        "drowned": measures.drowned(measures.brightness(coloured)),
        # Of a picture that was decoded smaller nothing is left of its blocks.
        "compression": measures.blocks(around) if intake.scale == 1 else 1.0,
    }
    return [item(key, value, rules.limits[key]) for key, value in values.items()]


def _of_the_frame(small: Image.Image, intake: Intake, frame: Frame, head: Box, rules: PhotoRules) -> list[Item]:
    width, height = measures_of(frame, rules)
    seen = _looked_at(small, frame, intake, rules.ratio)
    walls = measures.walls(seen)
    brightest = measures.exposure(np.asarray(seen, np.float32)[..., 0])
    share = frames.head_share(frame, head, rules.ratio)
    across, along = frames.displacement(frame, head, rules.ratio)
    sideways = abs(across) >= abs(along)
    lean = head.roll - frame.angle
    found = (
        ("size", min(width / rules.more_than_width, height / rules.more_than_height), ""),
        ("aspect", width / height / rules.ratio, ""),
        ("head", share, "big" if share > rules.head else "small"),
        ("centred", max(abs(across), abs(along)), "sideways" if sideways else "high" if along < 0 else "low"),
        ("upright", lean, ""),
        ("exposure", brightest, ""),
        ("white", measures.white(walls, brightest), ""),
        ("even", measures.even(walls), ""),
    )
    return [item(key, value, rules.limits[key], hint=hint) for key, value, hint in found]


# --- Pictures ---------------------------------------------------------------------------------------
def _small(picture: Image.Image) -> Image.Image:
    return faces.scaled(picture, faces.SIDE)


def _looked_at(small: Image.Image, frame: Frame, intake: Intake, ratio: float) -> Image.Image:
    """The cut of a frame, small, in brightness and tints."""
    scale = small.width / intake.width
    size = (round(FRAME_HEIGHT * ratio), FRAME_HEIGHT)
    return _turned(small, _times_frame(frame, scale), size, Image.Resampling.BILINEAR).convert("YCbCr")


def _cut(picture: Image.Image, frame: Frame, size: tuple[int, int]) -> Image.Image:
    """A frame in the picture's pixels, on so many pixels: first made smaller, then turned, so that nothing flickers."""
    across, along = frames.extent(frame, size[0] / size[1])
    left, top = max(0, int(frame.x - across)), max(0, int(frame.y - along))
    right, bottom = min(picture.width, int(frame.x + across) + 1), min(picture.height, int(frame.y + along) + 1)
    scale = size[0] / frame.width
    part_size = max(1, round((right - left) * scale)), max(1, round((bottom - top) * scale))
    part = picture.resize(part_size, Image.Resampling.LANCZOS, box=(left, top, right, bottom), reducing_gap=3.0)
    moved = Frame((frame.x - left) * scale, (frame.y - top) * scale, size[0], frame.angle)
    return _turned(part, moved, size, Image.Resampling.BICUBIC)


def _turned(picture: Image.Image, frame: Frame, size: tuple[int, int], by: Image.Resampling) -> Image.Image:
    """A frame in the picture's pixels, on so many pixels; where rounding reaches out of it, the corner's colour."""
    turn, scale = radians(frame.angle), frame.width / size[0]
    across, down = cos(turn) * scale, sin(turn) * scale
    moved = (
        *(across, -down, frame.x - across * size[0] / 2 + down * size[1] / 2),
        *(down, across, frame.y - down * size[0] / 2 - across * size[1] / 2),
    )
    return picture.transform(size, Image.Transform.AFFINE, moved, by, fillcolor=picture.getpixel((0, 0)))


def _for_screens(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """In the colours of sRGB, which everything takes a picture without a profile to have."""
    if profile is None or _costly(profile):
        return picture
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(picture, given, ImageCms.createProfile("sRGB"), outputMode="RGB") or picture
    except (ImageCms.PyCMSError, OSError):  # a damaged or odd profile: as every viewer does, as if there were none
        return picture


def _costly(profile: bytes) -> bool:
    """Whether a profile may take seconds: a huge one, or one with steps for each pixel, as no camera has."""
    tags = {profile[at : at + 4] for at in range(132, 132 + 12 * int.from_bytes(profile[128:132]), 12)[:MOST_TAGS]}
    return len(profile) > MOST_PROFILE_BYTES or not tags.isdisjoint(_STEPS)


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    made = io.BytesIO()
    picture.info = {}  # or what somebody wrote into the file would be written into this one
    picture.save(made, "JPEG", quality=quality, subsampling=0, optimize=True)
    return made.getvalue()


def _times(head: Box, scale: float) -> Box:
    return Box(head.left * scale, head.top * scale, head.right * scale, head.bottom * scale, head.roll)


def _times_frame(frame: Frame, scale: float) -> Frame:
    return replace(frame, x=frame.x * scale, y=frame.y * scale, width=frame.width * scale)
