"""Forms of the staff's pages of this app.

The one that proposes a change of an exam year is made from what may be changed of the row.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import CharField
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts import queries
from accounts.models import IdentityRequest
from exam_portal.kit.forms import DayField, DigitsField
from exam_portal.kit.moments import check_day, ended_day, ends
from registration.services.exam_year.editable import EDITABLE, LABELS, Row, kind_of
from registration.services.exam_year.schema import STAFF
from registration.services.exam_year_changes import shown

_MIDNIGHT = re.compile(r"^(\S+)[ T]+24:00$")
_MOMENT = "%Y-%m-%d %H:%M"


class MomentField(forms.DateTimeField):
    """A moment in Beijing time, `2023-12-05 08:30`; the end of a day may be typed as its 24:00."""

    input_formats = (_MOMENT, "%Y-%m-%dT%H:%M", "%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M:%S")
    default_error_messages = {"invalid": _("Enter date and time, for example 2023-12-14 24:00.")}

    def __init__(self, *, ends: bool = False, **kwargs: Any) -> None:
        self.ends = ends
        widget = forms.DateTimeInput(format=_MOMENT, attrs={"maxlength": 19, "autocomplete": "off"})
        super().__init__(**{"widget": widget, "input_formats": self.input_formats, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        day = ended_day(value) if self.ends and isinstance(value, datetime) else None
        return f"{day} 24:00" if day else super().prepare_value(value)

    def to_python(self, value: Any) -> datetime | None:
        typed = unicodedata.normalize("NFKC", value).strip() if isinstance(value, str) else value
        midnight = _MIDNIGHT.match(typed) if isinstance(typed, str) else None
        moment = super().to_python(f"{midnight[1]} 00:00" if midnight else typed)
        if moment is None:
            return None
        check_day(moment.date())
        return ends(moment.date()) if midnight else moment


class DaysField(forms.CharField):
    """Days, `2024-04-13 2024-04-14`, with spaces or commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return " ".join(day.isoformat() for day in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        text = unicodedata.normalize("NFKC", super().to_python(value) or "")
        try:
            days = sorted({date.fromisoformat(day) for day in re.split(r"[\s,、;]+", text) if day})
        except ValueError:
            raise ValidationError(_("Enter days, for example 2024-04-13 2024-04-14."), code="invalid") from None
        for day in days:
            check_day(day)
        return days


class NumbersField(forms.CharField):
    """Numbers, `7 3 1`, with spaces or commas between them."""

    def prepare_value(self, value: Any) -> Any:
        return " ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        text = unicodedata.normalize("NFKC", super().to_python(value) or "")
        try:
            return sorted({int(number) for number in re.split(r"[\s,、;]+", text) if number}, reverse=True)
        except ValueError:
            raise ValidationError(_("Enter numbers of days, for example 7 3 1."), code="invalid") from None


class LongText(forms.CharField):
    """Text of several lines, as long as a notice may be."""

    def __init__(self, *, rows: int, **kwargs: Any) -> None:
        super().__init__(**{"max_length": 20_000, "widget": forms.Textarea(attrs={"rows": rows}), **kwargs})


_BEIJING = _("Beijing time. The end of a day may be written as its 24:00.")
_FIELDS: dict[str, Callable[..., forms.Field]] = {
    "opens_at": lambda **how: MomentField(help_text=_BEIJING, **how),
    "closes_at": lambda **how: MomentField(ends=True, **how),
    "days": DaysField,
    "reminder_days": lambda **how: NumbersField(
        help_text=_("For example 7 3 1. Left empty, nobody is reminded."), **{**how, "required": False}
    ),
    "cutoff": lambda **how: DayField(widget=forms.DateInput(format="%Y-%m-%d"), **how),
    "confirmation_opens_at": lambda **how: MomentField(help_text=_BEIJING, **how),
    "confirmation_closes_at": lambda **how: MomentField(ends=True, **how),
    "notice": lambda **how: LongText(
        rows=16, help_text=_("In Markdown. HTML and pictures are not shown to candidates."), **how
    ),
    "online": lambda **how: forms.BooleanField(**{**how, "required": False}),
    "automatic": lambda **how: forms.BooleanField(**{**how, "required": False}),
}


class ChangeForm(forms.Form):
    """What may be changed of a row, filled in as it is, and why it is changed."""

    def __init__(self, row: Row, data: Any = None) -> None:
        editable = EDITABLE[kind_of(row)]
        super().__init__(data, initial={name: getattr(row, name) for name in editable.fields} | {"seen": shown(row)})
        for name in editable.fields:
            column = editable.model._meta.get_field(name)
            long = {"max_length": column.max_length} if type(column) is CharField else {}
            self.fields[name] = _FIELDS.get(name, forms.CharField)(label=LABELS[name], **long)
        if row.source not in {STAFF, "S"}:
            self.fields["vouched"] = forms.BooleanField(
                label=_("All of this entry is true, not only what I change; nothing in it is an example."),
                required=False,
            )
        self.fields["reason"] = LongText(
            label=_("Reason for the change"),
            rows=2,
            max_length=500,
            help_text=_("Staff read it, also in years to come."),
        )
        self.fields["seen"] = forms.CharField(widget=forms.HiddenInput)
        self.editable = editable.fields

    def show_anew(self, row: Row) -> None:
        """Let the next preview compare with the row as it is now: the page that says it has changed says so once."""
        if self.is_bound:
            self.data = cast(QueryDict, self.data).copy()
            self.data["seen"] = shown(row)

    def change(self) -> dict[str, Any]:
        """Of a valid form: the values, whether they are vouched for, and what was seen, as the services take them."""
        values = {name: self.cleaned_data[name] for name in self.editable}
        return {"values": values, "vouched": self.cleaned_data.get("vouched", False), "seen": self.cleaned_data["seen"]}


class RefusalForm(forms.Form):
    """Why a change is refused."""

    reason = LongText(label=_("Reason for not approving"), rows=2, max_length=500)


class CloseForm(forms.Form):
    """For which application about an identity, and why."""

    request = DigitsField(
        label=_("Number of the application about an identity"),
        help_text=_("The 12 digits under its barcode; the exam point that has it can tell them."),
        max_length=20,
    )
    reason = forms.CharField(
        label=_("Reason for closing"),
        help_text=_("It is put on record."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean_request(self) -> IdentityRequest:
        number = self.cleaned_data["request"]
        found = queries.identity_request_numbered(number) if re.fullmatch(r"[0-9]{12}", number) else None
        if found is None:
            raise forms.ValidationError(_("There is no open application about this candidate's identity."))
        return found
