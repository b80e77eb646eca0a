"""Forms by which staff work on a candidate; the rules are in the services."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import EducationRecord
from exam_portal.kit.forms import CHOOSE

Verification = EducationRecord.Verification


class ReasonForm(forms.Form):
    """Why something is done; it goes into the ledger."""

    reason = forms.CharField(
        label=_("Why"),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Give the reason.")},
    )


class VerificationForm(forms.Form):
    """What comparing an education record with the certificate has shown."""

    state = forms.ChoiceField(
        label=_("Result of the comparison"),
        choices=[CHOOSE, *((s.value, s.label) for s in Verification if s != Verification.UNVERIFIED)],
    )
    reason = forms.CharField(
        label=_("Compared with"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Say what the record was compared with.")},
    )

    def __init__(self, *args: Any, record: EducationRecord, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": f"id_%s_{record.pk}", **kwargs})
