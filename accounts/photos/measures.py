"""What is measured on a picture. All in brightness from 0 to 255 and shares from 0 to 1; small copies are enough.

None of it may follow the colour of somebody's skin: what tells dark pictures from dark faces is how bright the
brightest parts are, which in front of a white wall is the wall.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.float32]

# Sides of the copies on which the face, and the picture around the head, are looked at.
FACE_SIDE = 256
COLOUR_SIDE = 72
DETAIL_SIDE = 256
# The blur that is added to tell how much there was, and the share of edges that counts: the steepest.
_BLUR, _STEEPEST = 0.5**0.5, 0.06
# Where the power has fallen to this share, detail ends.
_ENDED = 0.056


def face_of(picture: Image.Image, face: tuple[float, float, float, float], side: int) -> Image.Image:
    """The face, made no bigger, in colours, at most so many pixels wide."""
    box = _within(picture, face)
    width, height = box[2] - box[0], box[3] - box[1]
    scale = min(1.0, side / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return picture.resize(size, Image.Resampling.BOX, box=box, reducing_gap=1.5)


def detail_of(picture: Image.Image, face: tuple[float, float, float, float]) -> Pixels:
    """Brightness around the face, pixel by pixel: a square in which its edges, eyes and hair are."""
    x, y = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2
    half = min(0.9 * (face[2] - face[0]), DETAIL_SIDE / 2)
    return brightness(picture.crop(_pixels(_within(picture, (x - half, y - half, x + half, y + half)))))


def _within(picture: Image.Image, box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top = max(0.0, box[0]), max(0.0, box[1])
    right, bottom = min(float(picture.width), box[2]), min(float(picture.height), box[3])
    return left, top, max(right, left + 1), max(bottom, top + 1)


def _pixels(box: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
    return round(box[0]), round(box[1]), round(box[2]), round(box[3])


def brightness(picture: Image.Image) -> Pixels:
    """Brightness of each pixel."""
    return np.asarray(picture.convert("L"), np.float32)


def blur(grey: Pixels) -> float:
    """How wide the steepest edges are, in pixels: the standard deviation of the blur that makes them of sharp ones.

    By blurring once more and seeing how much flatter they get (Zhuo and Sim, “Defocus map estimation from a single
    image”, 2011). A camera's own sharp edges are about 0.6. Upright and lying edges are looked at apart, and the wider
    ones count: whoever shakes a telephone blurs one of both.
    """
    if min(grey.shape) < 16:
        return 9.0
    half, quarter = np.float32(0.5), np.float32(0.25)
    again: Pixels = half * grey[1:-1] + quarter * (grey[:-2] + grey[2:])
    again = half * again[:, 1:-1] + quarter * (again[:, :-2] + again[:, 2:])
    return max(_width(*both) for both in zip(_slopes(grey[1:-1, 1:-1]), _slopes(again), strict=True))


def _slopes(grey: Pixels) -> tuple[Pixels, Pixels]:
    return np.abs(grey[1:-1, 2:] - grey[1:-1, :-2]), np.abs(grey[2:, 1:-1] - grey[:-2, 1:-1])


def _width(steep: Pixels, flatter: Pixels) -> float:
    """How wide edges of one direction are, from their slopes before and after they were blurred once more."""
    count = int(_STEEPEST * steep.size)
    limit = float(np.partition(steep.ravel(), -count)[-count])
    edges = steep >= max(limit, 4.0)
    if edges.sum() < 32:
        return 9.0
    ratio = float(np.median(steep[edges] / np.maximum(flatter[edges], 1e-3)))
    return _BLUR / float(np.sqrt(max(ratio**2 - 1, 1e-2)))


def enlargement(grey: Pixels) -> float:
    """How many times fewer pixels across would show as much: what enlarging a picture adds is empty.

    From the spectrum. Of pictures of anything the power at a frequency, times its square, falls slowly as the frequency
    rises; where the detail ends, it falls off. Sharp pictures from cameras have up to 1.6.
    """
    side = min(grey.shape)
    if side < 64:
        return 1.0
    square = grey[:side, :side] - grey.mean()
    window = np.hanning(side)
    power = np.abs(np.fft.rfft2(square * window[:, None] * window[None, :])) ** 2
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :])
    # 32 rings up to a frequency of a half; what is in the corners beyond is left out.
    ring = np.minimum((frequency * 64).astype(int), 32).ravel()
    level = np.bincount(ring, (power * frequency**2).ravel(), 33) / np.bincount(ring, minlength=33)
    usual = float(np.median(level[2:7])) or 1.0
    ended = np.flatnonzero(level[4:32] < _ENDED * usual)
    if not len(ended):
        return 1.0
    at = int(ended[0]) + 4
    before, after = np.log(level[at - 1] / usual), np.log(max(level[at], 1e-9) / usual)
    return float(32 / (at - 1 + 0.5 + (before - np.log(_ENDED)) / max(before - after, 1e-3)))


def blocks(grey: Pixels) -> float:
    """How visible the blocks of a JPEG are: the steps between them over the steps within, at the grid where most so.

    Steps that belong to edges of things count for no more than those of blocks.
    """
    if min(grey.shape) < 64:
        return 1.0
    found = []
    for axis in (0, 1):
        steps = np.minimum(np.abs(np.diff(grey, axis=axis)), 8).mean(axis=1 - axis)
        usual = steps[: len(steps) // 8 * 8].reshape(-1, 8).mean(axis=0)
        found.append(float(usual.max() / max(np.median(usual), 0.2)))
    return min(found)


def colour(face: Image.Image, wall: Pixels) -> float:
    """How far the face's colour is from the wall's, beside brightness; 0 in a picture of greys or of one tint."""
    seen = np.asarray(face.convert("YCbCr"), np.float32).reshape(-1, 3)
    return float(np.hypot(*(_tint(seen) - _tint(wall))))


def _tint(seen: Pixels) -> Pixels:
    light = np.maximum(seen[:, :1], 24)
    return np.asarray(np.median((seen[:, 1:] - 128) / light, axis=0) * 100, np.float32)


def exposure(around: Pixels) -> float:
    """How bright the brightest parts are: what the hundredth of brightest pixels begins with."""
    count = max(1, around.size // 100)
    return float(np.partition(around.ravel(), -count)[-count])


def burnt(face: Image.Image) -> float:
    """The share of the face that is so bright that nothing is seen in it."""
    return float((_inner(np.asarray(face, np.uint8)).min(axis=2) >= 250).mean())


def drowned(face: Pixels) -> float:
    """The share of the face that is so dark that nothing is seen in it."""
    return float((_inner(face) <= 12).mean())


def _inner(face: Any) -> Any:
    """Without the corners, in which the wall and hair are."""
    down, right = face.shape[0] // 8, face.shape[1] // 8
    return face[down:-down, right:-right]


# --- The wall: what stands around the head in a frame --------------------------------------------------
def walls(cut: Image.Image) -> list[Any]:
    """Ten pieces of the background of a cut: along both sides down to the shoulders, and above beside the crown.

    `cut` is a small copy in YCbCr. Hair may cover some of a piece, so each is known by what is usual in it.
    """
    seen = np.asarray(cut, np.float32)
    height, width = seen.shape[:2]
    side, top, low = max(1, round(width * 0.09)), max(1, round(height * 0.055)), round(height * 0.5)
    columns = [seen[:low, :side], seen[:low, -side:]]
    pieces = [part for column in columns for part in np.array_split(column, 4, axis=0)]
    return [*pieces, seen[:top, : width // 4], seen[:top, -(width // 4) :]]


def white(pieces: list[Any], brightest: float) -> float:
    """How much of the background is white: the share of it that is, what is nearly so counting in part.

    White is as bright as the brightest parts of the picture, for which a white wall in poor light is darker than 255;
    but not as anything that is dark throughout. And it has next to no colour.
    """
    seen = np.concatenate([piece.reshape(-1, 3) for piece in pieces])
    bright = (seen[:, 0] / max(brightest, 200.0) - 0.75) / 0.15
    plain = (22 - np.hypot(seen[:, 1] - 128, seen[:, 2] - 128)) / 12
    return float((bright.clip(0, 1) * plain.clip(0, 1)).mean())


def even(pieces: list[Any]) -> float:
    """How much the brightness of the background differs from piece to piece; one piece full of hair does not count."""
    usual = []
    for piece in pieces:
        light = np.sort(piece[..., 0], axis=None)
        usual.append(float(light[int(0.85 * len(light))]))
    usual.sort()
    return usual[-2] - usual[1]
