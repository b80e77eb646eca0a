"""Forms by which staff check and decide an application about an identity (R07)."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from exam_portal.kit import scans


class ScanField(forms.FileField):
    """A scanned paper: its bytes, once they are a PDF, JPEG or PNG that can be kept."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.FileInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png"})
        super().__init__(**{"widget": widget, **kwargs})

    def clean(self, data: UploadedFile | None, initial: Any = None) -> bytes:
        file = super().clean(data, initial)
        content = file.read(scans.MOST_BYTES + 1)
        try:
            scans.extension(content)
        except scans.NoScan as error:
            raise forms.ValidationError(str(error), code=error.code) from None
        return content


class CheckForm(forms.Form):
    """The scan of the originals, and why it is right."""

    proof = ScanField(
        label=_("Scan of the signed form and the originals"),
        help_text=_("One PDF, JPEG or PNG file, at most 10 MB."),
    )
    remark = forms.CharField(
        label=_("Remark"),
        help_text=_("What was compared; only staff read it."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ApproveForm(forms.Form):
    """What the second person remarks."""

    remark = forms.CharField(
        label=_("Remark"),
        help_text=_("Only staff read it."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class RefuseForm(forms.Form):
    """Why it is refused."""

    reason = forms.CharField(
        label=_("Reason for refusing"),
        help_text=_("The applicant reads it: say what is missing, and how to mend it."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
