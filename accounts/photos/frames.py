"""Frames: where one lies around a head, and which ones are offered."""

from collections.abc import Iterator
from dataclasses import replace
from math import cos, hypot, radians, sin

from accounts.photos.report import Box, Frame
from accounts.photos.rules import PhotoRules

# Where the middle of the head is, down the frame: a little more space above than would leave the shoulders out.
MIDDLE = 0.45
# How big the head is in the other frames that are offered, beside the suggested one.
WIDER, CLOSER = 0.9, 1.1
# What weighs as much as what of a frame's faults: in shares of the head, in displacement, in degrees.
_WEIGHTS = (1 / 0.06, 1 / 0.05, 1 / 3.0)
# Better than this need not be looked for.
_NO_FAULT = 0.01


def head_share(frame: Frame, head: Box, ratio: float) -> float:
    """Height of the head over the frame's."""
    return (head.bottom - head.top) / (frame.width / ratio)


def displacement(frame: Frame, head: Box, ratio: float) -> tuple[float, float]:
    """How far the head's middle is from where it belongs: to the right and down, in the frame's width and height."""
    right, down = (head.left + head.right) / 2 - frame.x, (head.top + head.bottom) / 2 - frame.y
    turn = radians(frame.angle)
    across, along = right * cos(turn) + down * sin(turn), down * cos(turn) - right * sin(turn)
    return across / frame.width, along / (frame.width / ratio) + 0.5 - MIDDLE


def extent(frame: Frame, ratio: float) -> tuple[float, float]:
    """Half the width and half the height of the upright rectangle around a frame."""
    turn, width, height = radians(frame.angle), frame.width / 2, frame.width / ratio / 2
    across = abs(width * cos(turn)) + abs(height * sin(turn))
    return across, abs(width * sin(turn)) + abs(height * cos(turn))


def kept_inside(frame: Frame, size: tuple[int, int], ratio: float) -> Frame:
    """The frame moved, and if it is too big made smaller, so that it lies in a picture of this size."""
    across, along = extent(frame, ratio)
    shrink = min(1.0, size[0] / 2 / across, size[1] / 2 / along)
    if shrink < 1:
        frame = replace(frame, width=frame.width * shrink)
        across, along = across * shrink, along * shrink
    return replace(frame, x=min(max(frame.x, across), size[0] - across), y=min(max(frame.y, along), size[1] - along))


def offered(head: Box, size: tuple[int, int], rules: PhotoRules) -> Iterator[tuple[str, Frame]]:
    """The suggested frame, and one wider and one closer where they differ from it."""
    suggested = _best(head, size, rules, rules.head)
    yield "suggested", suggested
    for kind, factor in (("wider", WIDER), ("closer", CLOSER)):
        other = _best(head, size, rules, rules.head * factor)
        if not 0.97 < other.width / suggested.width < 1.03:
            yield kind, other


def _best(head: Box, size: tuple[int, int], rules: PhotoRules, share: float) -> Frame:
    """Of the frames that fit into the picture the one in which the head is nearest to as it should be."""
    least, best = float("inf"), None
    for frame in _possible(head, size, rules.ratio, share):
        fault = _fault(frame, head, rules.ratio, share)
        if fault < least:
            least, best = fault, frame
        if least < _NO_FAULT:
            break
    assert best is not None
    return best


def _possible(head: Box, size: tuple[int, int], ratio: float, share: float) -> Iterator[Frame]:
    """Frames around a head: set upright as far as there is picture, of several sizes, moved into the picture."""
    middle = (head.left + head.right) / 2, (head.top + head.bottom) / 2
    for part in (1.0, 0.75, 0.5, 0.25, 0.0):
        angle = head.roll * part
        for bigger in (1.0, 0.94, 1.06, 1.12, 1.2, 1.3, 1.4):
            height = (head.bottom - head.top) / share / bigger
            turn, down = radians(angle), (0.5 - MIDDLE) * height
            frame = Frame(middle[0] - down * sin(turn), middle[1] + down * cos(turn), height * ratio, round(angle, 2))
            yield kept_inside(frame, size, ratio)


def _fault(frame: Frame, head: Box, ratio: float, share: float) -> float:
    faults = (
        head_share(frame, head, ratio) - share,
        hypot(*displacement(frame, head, ratio)),
        head.roll - frame.angle,
    )
    return sum((fault * weight) ** 2 for fault, weight in zip(faults, _WEIGHTS, strict=True))
