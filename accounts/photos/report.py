"""What the checks find: items with a measured value, its limits and a verdict.

| Item | Measured | Unit |
|---|---|---|
| of the picture as it was uploaded | | |
| `type` | whether the file is of a kind that is taken in | 1, or 0 |
| `bytes` | size of the file; left out where another format than JPEG says nothing by it | bytes |
| `pixels` | the smaller of width and height over what they must exceed | 1 is just as many |
| `upscaled` | how far beyond its own detail the picture was enlarged, from the spectrum | times |
| `colour` | how colourful the face is | see accounts.photos.measures |
| `face` | number of frontal faces | |
| `sharp` | sharpness of the face | see accounts.photos.measures |
| `exposure` | brightness of the face, with what is burnt out or drowned | see accounts.photos.measures |
| `compression` | visible blocks of the JPEG | see accounts.photos.measures |
| of each frame that may be cut from it | | |
| `size` | the smaller of the cut's width and height over what they must exceed | 1 is just as many |
| `aspect` | width over height of the cut, over that of the exam | 1 is the same |
| `head` | height of the head over the height of the cut | |
| `centred` | distance of the head's middle from the cut's, over its width | |
| `upright` | how far the head leans after the frame's own turn | degrees, clockwise is positive |
| `white` | share of the background along the edges that is near white | |
| `even` | unevenness of that background | see accounts.photos.measures |
"""

import math
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

PICTURE_ITEMS = ("type", "bytes", "pixels", "upscaled", "colour", "face", "sharp", "exposure", "compression")
FRAME_ITEMS = ("size", "aspect", "head", "centred", "upright", "white", "even")
ITEMS = PICTURE_ITEMS + FRAME_ITEMS


class Verdict(StrEnum):
    """What a check says; the later one outweighs."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


def worst(items: "list[Item]") -> Verdict:
    """The gravest verdict among the items; PASS of none."""
    return max((item.verdict for item in items), key=list(Verdict).index, default=Verdict.PASS)


@dataclass(frozen=True)
class Item:
    """One check: `value` as the table above has it, `low` and `high` what passes (None: nothing limits).

    `hint` tells apart what one item may find, for the sentence of help: `dark` and `bright` of `exposure`, for example.
    """

    key: str
    value: float
    low: float | None
    high: float | None
    verdict: Verdict
    hint: str = ""


@dataclass(frozen=True)
class Frame:
    """What is cut from a picture: middle, width, and the turn that sets it upright.

    All in pixels of the oriented picture; its height follows from the exam's ratio. `angle` is in degrees by which the
    picture is turned counter-clockwise around the frame's middle before cutting.
    """

    x: float
    y: float
    width: float
    angle: float = 0.0


@dataclass(frozen=True)
class Box:
    """The head that was found: crown to chin and ear to ear, in pixels of the oriented picture; how far it leans."""

    left: float
    top: float
    right: float
    bottom: float
    roll: float = 0.0


@dataclass(frozen=True)
class Framed:
    """A frame with what the checks find of it. `kind`: `suggested`, `wider`, `closer`, or `own` by the candidate."""

    kind: str
    frame: Frame
    items: list[Item]


@dataclass(frozen=True)
class Report:
    """What the checks found.

    `width` and `height` are of the oriented picture, `head` is None without exactly one face. `fingerprint` is that of
    accounts.photos.likeness, empty without a head. Frames are offered in the order in which they are recommended.
    """

    width: int
    height: int
    items: list[Item]
    head: Box | None = None
    frames: list[Framed] = field(default_factory=list)
    fingerprint: str = ""

    @property
    def hopeless(self) -> bool:
        """Whether no frame can help: another picture is needed."""
        return worst(self.items) == Verdict.FAIL or not self.frames


def as_json(value: Any) -> Any:
    """Items, frames or a report as plain JSON."""
    return asdict(value)


def items_from(table: list[dict[str, Any]]) -> list[Item]:
    """Items from what `as_json` made of them."""
    return [Item(**{**found, "verdict": Verdict(found["verdict"])}) for found in table]


def item(key: str, value: float, limits: Any, *, hint: str = "") -> Item:
    """An item judged by its limits (accounts.photos.rules.Limits)."""
    ends = (None if math.isinf(end) else end for end in (limits.low, limits.high))
    return Item(key, round(float(value), 4), *ends, limits.verdict(value), hint)
