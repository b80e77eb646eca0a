"""What the checks are called, what people are told to do about them, and what no machine can judge."""

from collections.abc import Callable

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.photos.report import Item, Verdict

Text = str | Promise

LABELS: dict[str, Text] = {
    "type": _("Kind of file"),
    "bytes": _("Size of the file"),
    "pixels": _("Size of the picture"),
    "face": _("One face"),
    "frontal": _("Looking straight, nothing over the face"),
    "upscaled": _("Not enlarged"),
    "colour": _("In colours"),
    "sharp": _("Sharpness"),
    "burnt": _("Face not too bright"),
    "drowned": _("Face not too dark"),
    "compression": _("Quality of the file"),
    "size": _("Size of what is cut"),
    "aspect": _("Width and height"),
    "head": _("Size of the head"),
    "centred": _("Head in the middle"),
    "upright": _("Head upright"),
    "exposure": _("Light"),
    "white": _("White background"),
    "even": _("Even background"),
}

_FARTHER = _("Leave more space around the head, or choose the wider cut.")
# By item, or by item and hint, what helps. Where one says the same of a doubt and of a failure, it stands here once.
HELP: dict[str, Text] = {
    "type": _("Choose a JPEG, PNG, WebP or HEIC picture."),
    "bytes": _("The file is too small: messengers make pictures small. Choose the original from the camera."),
    "pixels": _("The picture has too few pixels. Choose the original from the camera, or take another."),
    "face": _(
        "No face is found. Look straight into the camera, in good light, come closer, and let nothing hide the face."
    ),
    "face/lies": _("The picture lies on its side. Turn it on your telephone, then choose it once more."),
    "face/many": _("There is more than one face. Nobody else may be in the picture, nor on a wall behind you."),
    "frontal": _(
        "The face is turned, partly hidden, or lit from one side. Look straight into the camera, light from the front."
    ),
    "upscaled": _("The picture was enlarged and shows no more for it. Choose the original from the camera."),
    "colour": _("The picture has no colours, or everything has one tint. Take it in colours, by daylight."),
    "sharp": _("The face is blurred. Wipe the lens, let somebody else hold the telephone still, and tap on the face."),
    "burnt": _("Parts of the face are too bright. Turn off the flash, and do not stand in the sun."),
    "drowned": _("Parts of the face are too dark. Face a window; the light must come from the front."),
    "compression": _("The file was made small and shows blocks. Choose the original from the camera."),
    "size": _("Too few pixels are left in this cut. Choose a wider cut, or take the picture from nearer."),
    "aspect": _("Width and height of the cut are not those of the exam. Choose a suggested cut."),
    "head/big": _FARTHER,
    "head/small": _("The head is small. Choose the closer cut, or come closer to the camera."),
    "centred/sideways": _("The head is not in the middle. Move the frame, or leave more space at both sides."),
    "centred/high": _("The head is too far up. Move the frame, or leave more space above the head."),
    "centred/low": _("The head is too far down. Move the frame, or hold the camera lower."),
    "upright": _(
        "The head leans. Hold head and telephone upright; with more space around the head it can be set upright."
    ),
    "exposure": _("The picture is dark. Face a window, or turn on more light, and take another."),
    "white": _("The background is not white. Stand in front of a white wall, by daylight, a step away from it."),
    "even": _(
        "There are shadows or things in the background. Stand a step away from the wall, with nothing behind you."
    ),
}

# What is asked of a photo, and cannot be judged honestly by these means: the candidate confirms it, staff look at it.
CONFIRMED: tuple[tuple[str, Text], ...] = (
    ("recent", _("It is a recent picture of me, from the front, and nothing in it was retouched.")),
    ("hat", _("I wear no hat and no cap.")),
    ("ears", _("Both ears can be seen, and my hair does not cover my eyebrows.")),
    ("glasses", _("I wear the glasses that I usually wear, without reflections; or none, if I usually wear none.")),
    ("jewellery", _("I wear no jewellery.")),
    ("clothes", _("I wear no uniform (military excepted), and no top with straps.")),
)


def label(key: str) -> Text:
    """What a check is called."""
    return LABELS[key]


def help_for(item: Item) -> Text:
    """What the candidate can do about a finding, in a sentence or two; "" where there is nothing to do."""
    if item.verdict == Verdict.PASS:
        return ""
    hint = "many" if item.key == "face" and item.value > 1 else item.hint
    return HELP.get(f"{item.key}/{hint}") or HELP[item.key]


def _percent(value: float) -> str:
    return f"{value * 100:.0f} %"


def _number(digits: int, unit: str = "") -> Callable[[float], str]:
    return lambda value: f"{value:.{digits}f}{unit}"


_SHOWN: dict[str, Callable[[float], str]] = {
    **dict.fromkeys(("head", "white", "burnt", "drowned", "centred"), _percent),
    **dict.fromkeys(("pixels", "size", "upscaled", "compression"), _number(1, " ×")),
    "bytes": lambda value: f"{value / 1024:.0f} KB",
    "upright": _number(1, "°"),
    "sharp": _number(2),
    "aspect": _number(2),
    "face": _number(0),
    "frontal": _percent,
}


def shown(item: Item) -> str:
    """What was measured, and what passes: `3.2° (-5.0° to 5.0°)`; "" where a number says nothing."""
    if item.key == "type":
        return ""
    as_text = _SHOWN.get(item.key, _number(0))
    value, low, high = as_text(item.value), item.low, item.high
    if low is not None and high is not None:
        ends = (
            as_text(low)
            if low == high
            else gettext("%(low)s to %(high)s") % {"low": as_text(low), "high": as_text(high)}
        )
    elif low is not None:
        ends = f"≥ {as_text(low)}"
    elif high is not None:
        ends = f"≤ {as_text(high)}"
    else:
        return value
    return f"{value} ({ends})"
