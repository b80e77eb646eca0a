"""What the checks find: items with a measured value, its limits and a verdict.

| Item | Measured | Unit |
|---|---|---|
| of the picture as it was uploaded | | |
| `type` | whether the file is of a kind that is taken in | 1, or 0 |
| `bytes` | size of the file; left out where another format than JPEG says nothing by it | bytes |
| `pixels` | the smaller of width and height over what they must exceed | 1 is just as many |
| `face` | number of faces | |
| `frontal` | how much the face is its own mirror image, or its mouth shows: the least of them | 1 at most |
| `upscaled` | how many times more pixels the kept picture has than detail, from the spectrum | |
| `colour` | how far the face's colour is from the background's, beside its brightness | hundredths |
| `sharp` | how wide the steepest edges of the face are | hundredths of its width |
| `burnt` | share of the face that is so bright that nothing is seen in it | |
| `drowned` | share of the face that is so dark that nothing is seen in it | |
| `compression` | steps between the blocks of the JPEG over those within | |
| of each frame that may be cut from it | | |
| `size` | the smaller of the cut's width and height over what they must exceed | 1 is just as many |
| `aspect` | width over height of the cut, over that of the exam | 1 is the same |
| `head` | height of the head over the height of the cut | |
| `centred` | distance of the head's middle from where it belongs, over width or height | |
| `upright` | how far the head leans after the frame's own turn | degrees, clockwise is positive |
| `exposure` | brightness of the brightest hundredth | 0 to 255 |
| `white` | share of the background beside and above the head that is near white | |
| `even` | difference between the brightest and the darkest piece of that background | 0 to 255 |
"""

import math
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

PICTURE_ITEMS = (
    *("type", "bytes", "pixels", "face", "frontal", "upscaled", "colour", "sharp"),
    *("burnt", "drowned", "compression"),
)
FRAME_ITEMS = ("size", "aspect", "head", "centred", "upright", "exposure", "white", "even")
ITEMS = PICTURE_ITEMS + FRAME_ITEMS
# Those of a frame that another picture puts right, and hardly another frame.
OF_THE_LIGHT = ("exposure", "white", "even")


class Verdict(StrEnum):
    """What a check says; the later one outweighs."""

    PASS = "pass"  # noqa: S105
    WARN = "warn"
    FAIL = "fail"


def worst(items: "list[Item]") -> Verdict:
    """The gravest verdict among the items; PASS of none."""
    return max((item.verdict for item in items), key=list(Verdict).index, default=Verdict.PASS)


@dataclass(frozen=True)
class Item:
    """One check: `value` as the table above has it, `low` and `high` what passes (None: nothing limits).

    `hint` tells apart what one item may find, for the sentence of help: `big` and `small` of `head`, for example.
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
    """A report, or a list of items, as plain JSON."""
    return [asdict(found) for found in value] if isinstance(value, list) else asdict(value)


def items_from(table: list[dict[str, Any]]) -> list[Item]:
    """Items from what `as_json` made of them."""
    return [Item(**{**found, "verdict": Verdict(found["verdict"])}) for found in table]


def item(key: str, value: float, limits: Any, *, hint: str = "") -> Item:
    """An item judged by its limits (accounts.photos.rules.Limits)."""
    low, high = (None if math.isinf(end) else end for end in (limits.low, limits.high))
    return Item(key, round(float(value), 4), low, high, limits.verdict(value), hint)
