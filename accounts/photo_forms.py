"""Forms of the photo's page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import Photo, PhotoFrame
from accounts.photos.report import Frame, Verdict
from accounts.photos.words import CONFIRMED

# Telephones offer the camera as well as what they hold.
TAKEN_IN = "image/jpeg,image/png,image/webp,image/heic,image/heif"


class UploadForm(forms.Form):
    """A picture from the telephone or the computer."""

    picture = forms.FileField(
        label=_("Picture"),
        help_text=_("JPEG, PNG, WebP or HEIC, up to 20 MB. Just as it came from the camera is best."),
        widget=forms.FileInput(attrs={"accept": TAKEN_IN}),
        error_messages={
            "required": _("Take or choose a picture first."),
            "empty": _("The file is empty. Choose the picture once more."),
        },
    )


class ChooseForm(forms.Form):
    """Which frame is cut, and that what no machine can judge is in order."""

    frame = forms.TypedChoiceField(
        label=_("How it is cut"),
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": _("The cuts have changed since this page was shown. Look at them again.")},
    )
    confirmed = forms.MultipleChoiceField(
        label=_("Look at your photo and confirm"),
        help_text=_("No machine can judge these; staff will look at them."),
        widget=forms.CheckboxSelectMultiple,
        choices=CONFIRMED,
        error_messages={"required": _("Confirm each of these points. If one is not so, take another picture.")},
    )

    def __init__(self, *args: Any, frames: list[PhotoFrame], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.frames = [frame for frame in frames if frame.checked_at and frame.verdict != Verdict.FAIL]
        self.fields["frame"].choices = [(frame.pk, frame.get_kind_display()) for frame in self.frames]  # type: ignore[attr-defined]
        if self.frames:
            own = [frame.pk for frame in self.frames if frame.kind == PhotoFrame.Kind.OWN]
            self.initial.setdefault("frame", (own or [self.frames[0].pk])[0])

    def clean_confirmed(self) -> list[str]:
        confirmed: list[str] = self.cleaned_data["confirmed"]
        if len(confirmed) < len(CONFIRMED):
            raise forms.ValidationError(self.fields["confirmed"].error_messages["required"])
        return confirmed

    @property
    def chosen(self) -> PhotoFrame:
        """The frame that was chosen, of a valid form."""
        return next(frame for frame in self.frames if frame.pk == self.cleaned_data["frame"])


class FrameForm(forms.Form):
    """Where the frame was moved to: in pixels of the picture, and degrees. Set by static/js/frame.js."""

    x = forms.FloatField(label=_("To the left or right"))
    y = forms.FloatField(label=_("Up or down"))
    width = forms.FloatField(label=_("Smaller or larger"), min_value=1)
    angle = forms.FloatField(label=_("Turn"), min_value=-45, max_value=45)

    def __init__(self, data: Any = None, *, photo: Photo, ratio: float, frame: Frame) -> None:
        super().__init__(data, initial=vars(frame))
        width, height = photo.report["width"], photo.report["height"]
        ends = {"x": (0, width, 1), "y": (0, height, 1), "angle": (-15, 15, 0.5)}
        ends["width"] = (1, min(width, height * ratio), 1)
        for name, (low, high, step) in ends.items():
            self.fields[name].widget = forms.NumberInput(
                attrs={"type": "range", "min": low, "max": round(high), "step": step}
            )

    @property
    def moved(self) -> Frame:
        """The frame of a valid form."""
        return Frame(**self.cleaned_data)
