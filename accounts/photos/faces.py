"""Finding faces, and the head around one: by dlib's detector, and by the symmetry of what it finds.

The detector says where a face is on a coarse grid, and nothing of how far it leans. A face that looks into the camera
is its own mirror image: the turn at which it is most so is how far it leans, and the axis is its middle.
"""

from dataclasses import dataclass
from math import cos, radians, sin
from threading import local
from typing import Any

import dlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from accounts.photos.report import Box

Grey = NDArray[np.float32]
Ends = tuple[float, float, float, float]

# The longer side at which faces are looked for. First a coarse one, at which the detector finds faces of a sixth of it:
# where the biggest takes more than `_BIG` of it, nobody beside it is missed. And a fine one where none was found.
SIDE = 576
_COARSE_SIDE, _FINE_SIDE = 448, 1280
_BIG = 0.3
# A face that is smaller than this beside the biggest is somebody far behind.
BESIDE = 0.3
# From the detector's box, which goes from the brows to above the chin, to crown and chin; in heights of the box.
# Measured on the ten average faces: eyes, brows and chins of all lie within 0.03 of one another.
_CROWN, _CHIN, _EAR = 0.43, 0.12, 0.04
# What scores less is a face to the detector, and to nobody else; so much is a face without any doubt.
_LEAST_SCORE, _CERTAIN_SCORE = 0.2, 3.0
# Sides of the crops on which the box is found anew, so that its grid falls elsewhere, and of that for symmetry.
_AGAIN = (126, 136)
_MIRRORED = 40
# The side of the square in which a face is looked at, and its lines where eyes and mouth are.
_LOOKED_AT = 64
_EYES, _MOUTH = slice(12, 30), slice(34, 54)
# Degrees; a head that leans farther is not found by the detector. First these turns are tried, then some between.
_TURNS = (-16.0, -8.0, 0.0, 8.0, 16.0)
_CLOSER = (4.0, 2.0)


# The detector keeps what it scans in itself: two threads with one of them end the process.
_of_this_thread = local()


def _detector() -> Any:
    if not hasattr(_of_this_thread, "detector"):
        _of_this_thread.detector = dlib.get_frontal_face_detector()
    return _of_this_thread.detector


@dataclass(frozen=True)
class Faces:
    """The faces of a picture, in its pixels: how many, the head of the biggest, and whether the picture lies.

    `frontal` tells how far the biggest looks into the camera with nothing over it, at most 1: the least of how certain
    the detector is and what `_frontal` finds.
    """

    number: int
    head: Box | None = None
    face: Ends | None = None
    frontal: float = 0.0
    lies: bool = False


def scaled(picture: Image.Image, side: int) -> Image.Image:
    """A copy whose longer side has about so many pixels at most; the picture itself where it has hardly more."""
    scale = side / max(picture.size)
    if scale < 0.9:
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        return picture.resize(size, Image.Resampling.BOX)
    return picture


def find(picture: Image.Image, grey: Image.Image) -> Faces:
    """The faces in a picture, of which `grey` is a grey copy with a longer side of `SIDE`."""
    coarse = scaled(grey, _COARSE_SIDE)
    back = grey.width / coarse.width
    found = [_enlarged(box, back) for box in _detect(coarse)]
    if not found or found[0][2] - found[0][0] < _BIG * max(grey.size):
        found = _detect(grey)
    if not found and max(picture.size) > SIDE:
        grey = scaled(picture, _FINE_SIDE).convert("L")
        found = _detect(grey)
    if not found:
        small = grey.resize((max(1, grey.width // 2), max(1, grey.height // 2))) if max(grey.size) > SIDE else grey
        turned = (small.rotate(angle, expand=True) for angle in (90, 270, 180))
        return Faces(0, lies=any(_detect(each) for each in turned))
    box = found[0]
    least = BESIDE * (box[2] - box[0])
    number = sum(1 for each in found if each[2] - each[0] >= least)
    back = picture.width / grey.width
    roll, axis = _symmetry(grey, box)
    box, certainty = _steadied(grey, box, roll, axis)
    left, top, right, bottom = _enlarged(box, back)
    height = bottom - top
    head = Box(
        left - _EAR * height, top - _CROWN * height, right + _EAR * height, bottom + _CHIN * height, round(roll, 2)
    )
    upright = _swung(head, (left + right) / 2, (top + bottom) / 2)
    return Faces(number, upright, (left, top, right, bottom), min(_frontal(grey, box, roll), certainty))


def _swung(head: Box, x: float, y: float) -> Box:
    """The box of an upright head, moved to where the head of a leaning one is: it leans around the face's middle."""
    up = y - (head.top + head.bottom) / 2
    dx, dy = up * sin(radians(head.roll)), up * (1 - cos(radians(head.roll)))
    return Box(head.left + dx, head.top + dy, head.right + dx, head.bottom + dy, head.roll)


def _detect(grey: Image.Image) -> list[Ends]:
    """Boxes of faces, the biggest first."""
    return [box for box, _score in _scored(grey)]


def _scored(grey: Image.Image) -> list[tuple[Ends, float]]:
    """Boxes of faces with what the detector gives for each, the biggest first."""
    boxes, scores, _which = _detector().run(np.asarray(grey), 0, _LEAST_SCORE)
    ends = [(float(box.left()), float(box.top()), float(box.right() + 1), float(box.bottom() + 1)) for box in boxes]
    return sorted(zip(ends, scores, strict=True), key=lambda found: found[0][0] - found[0][2])


def _enlarged(box: Ends, times: float) -> Ends:
    left, top, right, bottom = box
    return left * times, top * times, right * times, bottom * times


def _around(grey: Image.Image, box: Ends, reach: float, side: int, roll: float = 0.0) -> Image.Image:
    """A square of `reach` boxes around the middle of one, set upright, on so many pixels; grey beyond the picture."""
    half = reach * (box[2] - box[0]) / 2
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    scale, along, across = 2 * half / side, cos(radians(roll)), sin(radians(roll))
    right, down = scale * along, scale * across
    moved = (right, -down, x - half * (along - across), down, right, y - half * (along + across))
    return grey.transform((side, side), Image.Transform.AFFINE, moved, Image.Resampling.BILINEAR, fillcolor=128)


def _symmetry(grey: Image.Image, box: Ends) -> tuple[float, float]:
    """How far a face leans, in degrees clockwise, and how far its middle lies right of the box's, in boxes."""
    reach, size = 1.3, round(_MIRRORED * 1.4)
    wide = _around(grey, box, reach * 1.4, size)
    edge = (size - _MIRRORED) // 2

    def turned(by: float) -> tuple[float, float]:
        upright = wide.rotate(by, Image.Resampling.BILINEAR)
        return _mirrored(np.asarray(upright, np.float32)[edge:-edge, edge:-edge])

    likeness = {turn: turned(turn) for turn in _TURNS}
    for step in _CLOSER:
        best = max(likeness, key=lambda turn: likeness[turn][0])
        likeness |= {turn: turned(turn) for turn in (best - step, best + step)}
    best = max(likeness, key=lambda turn: likeness[turn][0])
    before, here, after = (likeness[best + by][0] if best + by in likeness else None for by in (-step, 0.0, step))
    peak = best
    if before is not None and here is not None and after is not None and (bend := before - 2 * here + after):
        peak += step * (before - after) / 2 / bend
    return peak, likeness[best][1] * reach


def _frontal(grey: Image.Image, box: Ends, roll: float) -> float:
    """How much the upper and the lower half of the face are their own mirror image, and the mouth shows: the least.

    A head that is turned and a hand before it are not symmetric; behind a mask there is no mouth, so that the slopes
    there have little of the energy that those of the eyes have.
    """
    seen = _around(grey, box, 1.1, 2 * _LOOKED_AT, roll)
    down, right = _slopes(np.asarray(seen.resize((_LOOKED_AT, _LOOKED_AT), Image.Resampling.BOX), np.float32))
    energy = down**2 + right**2
    both = down * down[:, ::-1] - right * right[:, ::-1]
    halves = [float(both[half].sum() / (energy[half].sum() or 1.0)) for half in (_EYES, slice(_EYES.stop, None))]
    mouth = float(energy[_MOUTH, 14:-14].mean() / (energy[_EYES, 8:-8].mean() or 1.0))
    return min(*halves, mouth, 1.0)


def _slopes(seen: Grey) -> tuple[Grey, Grey]:
    """How steep a picture is downwards and to the right; no edge counts for more than a few."""
    down, right = seen[2:, 1:-1] - seen[:-2, 1:-1], seen[1:-1, 2:] - seen[1:-1, :-2]
    steep = np.hypot(down, right) + 1e-3
    for slope in (down, right):
        slope *= np.minimum(steep, 40) / steep
    return down, right


def _mirrored(seen: Grey) -> tuple[float, float]:
    """How much a square is its own mirror image, at most 1, and where the axis is, from the middle, in its width."""
    down, right = _slopes(seen)
    width = down.shape[1]
    spectrum = (np.fft.rfft(down, 2 * width) ** 2 - np.fft.rfft(right, 2 * width) ** 2).sum(axis=0)
    # At `at` lies the sum over what is `at` apart when one of both is mirrored; the middle is at `width - 1`.
    likeness = np.fft.irfft(spectrum, 2 * width)
    reach = width // 6
    near = likeness[width - 1 - reach : width + reach]
    best = int(np.argmax(near))
    energy = float((down**2 + right**2).sum()) or 1.0
    return float(near[best]) / energy, (best - reach) / 2 / width


def _steadied(grey: Image.Image, box: Ends, roll: float, axis: float) -> tuple[Ends, float]:
    """The box where the detector finds it on the average of several grids, around the axis of symmetry.

    And how certain it is of the face set upright, from 0 to 1: faces that are hidden in part, or turned, score less.
    """
    reach, wide, middle = 1.4, box[2] - box[0], (box[1] + box[3]) / 2
    sides, middles, certain = [wide], [middle], 0.0
    for side in _AGAIN:
        seen = _around(grey, box, reach, side, roll)
        for (_left, top, _right, bottom), score in _scored(seen)[:1]:
            certain += score / _CERTAIN_SCORE / len(_AGAIN)
            scale = reach * wide / side
            sides.append((bottom - top) * scale)
            middles.append(middle + ((top + bottom) / 2 - side / 2) * scale)
    half, x, y = float(np.mean(sides)) / 2, (box[0] + box[2]) / 2 + axis * wide, float(np.mean(middles))
    return (x - half, y - half, x + half, y + half), min(certain, 1.0)
