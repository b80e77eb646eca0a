"""Whether two photos show the same picture: a hint to staff, and no more. It knows no persons."""

import numpy as np
from PIL import Image

from accounts.photos.report import Box

_ACROSS, _DOWN = 17, 16
# Bits by which two differ at most that are copies of one picture: saved again, smaller, brighter or tinted. The most
# alike of two of the ten average faces differ by 18 (docs/photos.md).
SAME = 12


def fingerprint(grey: Image.Image, head: Box) -> str:
    """256 bits over the head, set upright: whether each spot is brighter than the one to its right."""
    width, height = head.right - head.left, head.bottom - head.top
    x, y = (head.left + head.right) / 2, (head.top + head.bottom) / 2
    turn = np.radians(head.roll)
    across, down = width / (_ACROSS * 4), height / (_DOWN * 4)
    cos, sin = float(np.cos(turn)), float(np.sin(turn))
    half = (_ACROSS * 2 * across, _DOWN * 2 * down)
    laid = grey.transform(
        (_ACROSS * 4, _DOWN * 4),
        Image.Transform.AFFINE,
        (
            *(cos * across, -sin * down, x - cos * half[0] + sin * half[1]),
            *(sin * across, cos * down, y - sin * half[0] - cos * half[1]),
        ),
        Image.Resampling.BILINEAR,
    ).resize((_ACROSS, _DOWN), Image.Resampling.BOX)
    seen = np.asarray(laid, np.int16)
    return "".join("01"[int(bit)] for bit in (seen[:, :-1] > seen[:, 1:]).ravel())
