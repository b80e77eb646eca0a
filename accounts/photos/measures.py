"""What is measured on a picture. All in brightness from 0 to 255 and shares from 0 to 1; small copies are enough.

None of it may follow the colour of somebody's skin: what tells dark pictures from dark faces is how bright the
brightest parts are, which in front of a white wall is the wall.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.float32]

# Sides of the copies on which the face, and the picture around the head, are looked at.
FACE_SIDE = 320
DETAIL_SIDE = 384
# The blur that is added to tell how much there was, and the share of edges that counts: the steepest.
_BLUR, _STEEPEST = 1.0, 0.06


def face_of(picture: Image.Image, face: tuple[float, float, float, float], side: int) -> Image.Image:
    """The face, made no bigger, in colours, at most so many pixels wide."""
    box = _within(picture, face)
    width, height = box[2] - box[0], box[3] - box[1]
    scale = min(1.0, side / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return picture.resize(size, Image.Resampling.BOX, box=box, reducing_gap=2.0)


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
    image”, 2011). A camera's own sharp edges are about 0.6.
    """
    if min(grey.shape) < 16:
        return 9.0
    again = np.asarray(
        Image.fromarray(grey.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(_BLUR)), np.float32
    )
    steep, flatter = _slopes(grey), _slopes(again)
    limit = float(np.quantile(steep, 1 - _STEEPEST))
    edges = steep >= max(limit, 4.0)
    if edges.sum() < 32:
        return 9.0
    ratio = float(np.median(steep[edges] / np.maximum(flatter[edges], 1e-3)))
    return _BLUR / float(np.sqrt(max(ratio**2 - 1, 1e-2)))


def _slopes(grey: Pixels) -> Pixels:
    slopes: Pixels = np.hypot(grey[1:-1, 2:] - grey[1:-1, :-2], grey[2:, 1:-1] - grey[:-2, 1:-1])
    return slopes


def enlargement(grey: Pixels) -> float:
    """How many times a picture was enlarged, from its spectrum: above the detail that it had there is nothing.

    What is compared is the power at each frequency, times its square, which in pictures of anything is level up to
    where the detail ends.
    """
    side = min(grey.shape)
    if side < 64:
        return 1.0
    square = grey[:side, :side] - grey.mean()
    window = np.hanning(side)
    power = np.abs(np.fft.rfft2(square * window[:, None] * window[None, :])) ** 2
    down, right = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]
    frequency = np.hypot(down, right)
    ring = np.minimum((frequency * 64).astype(int), 32)  # 32 rings up to half a period a pixel
    level = np.bincount(ring.ravel(), (power * frequency**2).ravel(), 33) / np.maximum(
        np.bincount(ring.ravel(), minlength=33), 1
    )
    usual = float(np.median(level[3:10])) or 1.0
    detailed = np.flatnonzero(level[:32] > _NOTHING * usual)
    end = (float(detailed[-1]) + 1) / 32 if len(detailed) else 1.0
    return 1 / end


_NOTHING = 0.004


def blocks(grey: Pixels) -> float:
    """How visible the blocks of a JPEG are: the steps between them over the steps within, at the grid where most so."""
    if min(grey.shape) < 64:
        return 1.0
    worst = 1.0
    for steps in (np.abs(np.diff(grey, axis=0)).mean(axis=1), np.abs(np.diff(grey, axis=1)).mean(axis=0)):
        usable = steps[: len(steps) // 8 * 8].reshape(-1, 8).mean(axis=0)
        others = (usable.sum() - usable.max()) / 7
        worst = max(worst, float(usable.max() / max(others, 0.25)))
    return worst


def colour(face: Image.Image, wall: Pixels) -> float:
    """How far the face's colour is from the wall's, beside brightness; 0 in a picture of greys or of one tint."""
    seen = np.asarray(face.convert("YCbCr"), np.float32).reshape(-1, 3)
    return float(np.hypot(*(_tint(seen) - _tint(wall))))


def _tint(seen: Pixels) -> Pixels:
    light = np.maximum(seen[:, :1], 24)
    return np.asarray(np.median((seen[:, 1:] - 128) / light, axis=0) * 100, np.float32)


def exposure(around: Pixels) -> float:
    """How bright the brightest parts are: what the hundredth of brightest pixels begins with."""
    return float(np.quantile(around, 0.99))


def burnt(face: Image.Image) -> float:
    """The share of the face that is so bright that nothing is seen in it."""
    return float((np.asarray(face, np.uint8).min(axis=2) >= 250).mean())


def drowned(face: Pixels) -> float:
    """The share of the face that is so dark that nothing is seen in it."""
    return float((face <= 12).mean())


# --- The wall: what stands around the head in a frame --------------------------------------------------
def walls(cut: Image.Image) -> list[Any]:
    """Twelve pieces of the background of a cut: along both sides down to the shoulders, and above the head.

    `cut` is a small copy in YCbCr. Hair may cover some of a piece, so each is known by what is usual in it.
    """
    seen = np.asarray(cut, np.float32)
    height, width = seen.shape[:2]
    side, top, low = max(1, round(width * 0.09)), max(1, round(height * 0.055)), round(height * 0.5)
    columns = [seen[:low, :side], seen[:low, -side:]]
    pieces = [part for column in columns for part in np.array_split(column, 4, axis=0)]
    return pieces + np.array_split(seen[:top], 4, axis=1)


def white(pieces: list[Any], brightest: float) -> float:
    """The share of the background that is near white.

    White is as bright as the brightest parts of the picture, within a fifth, and has next to no colour. What is darker
    than a camera makes a white wall in poor light is not white, whatever is brightest.
    """
    seen = np.concatenate([piece.reshape(-1, 3) for piece in pieces])
    least = max(0.82 * min(brightest, 255.0), 150.0)
    tinted = np.hypot(seen[:, 1] - 128, seen[:, 2] - 128)
    return float(((seen[:, 0] >= least) & (tinted <= 14)).mean())


def even(pieces: list[Any]) -> float:
    """How much the brightness of the background differs from piece to piece."""
    usual = [float(np.quantile(piece[..., 0], 0.7)) for piece in pieces]
    return max(usual) - min(usual)
