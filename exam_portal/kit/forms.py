"""How forms and services meet."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext_lazy as _

from exam_portal.kit.errors import Refused
from exam_portal.kit.moments import check_day
from exam_portal.kit.text import joined, visible


class Uncut(TemplatesSetting):
    """Draws fields without `maxlength`: a browser cuts off what is pasted, unseen, also when spaces that are taken out
    anyway made it long. The server alone says what is too long.
    """

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        context.get("widget", {}).get("attrs", {}).pop("maxlength", None)
        return super().render(template_name, context, request)


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to: the visible text of a POST, also when nothing was filled in; None on a GET.

    Passwords stay as they are typed, with whatever holds together the parts of an emoji.
    """
    if request.method != "POST":
        return None
    data = request.POST.copy()
    for name, values in request.POST.lists():
        if not name.startswith("password"):
            data.setlist(name, [visible(value) for value in values])
    return data


def carry_out(form: forms.BaseForm, act: Callable[[dict[str, Any]], Any], **fields: str) -> bool:
    """Give a valid form's data to a service; True when it was done.

    A refusal becomes an error of the form: beside the field that `fields` names for its code, else above all fields.
    So does what a service finds cannot be right, beside the fields of its names.
    """
    if not form.is_valid():
        return False
    try:
        act(form.cleaned_data)
    except Refused as refused:
        form.add_error(fields.get(refused.code), str(refused))
        return False
    except ValidationError as error:
        form.add_error(None, error)
        return False
    return True


# The first entry of a list from which something must be chosen.
CHOOSE = ("", _("Please choose"))


class SuggestingInput(forms.TextInput):
    """A text field whose browser suggests some values while one types; anything may be typed, also without script."""

    template_name = "includes/suggesting_input.html"

    def __init__(self, suggestions: Callable[[], list[str]], attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.suggestions = suggestions

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        context["widget"]["attrs"]["list"] = f"{context['widget']['attrs']['id']}_suggestions"
        return {**context, "suggestions": self.suggestions()}


class DayField(forms.DateField):
    """A day, in the browser's own calendar; none that nobody means."""

    default_validators = [check_day]

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(**{"widget": widget, **kwargs})


class MonthField(forms.DateField):
    """A year and month, `2021-07`, kept as the first day of the month.

    A plain text field: old telephones draw `type=month` badly or not at all.
    """

    input_formats = ("%Y-%m", "%Y/%m", "%Y.%m", "%Y年%m月", "%Y%m")
    default_error_messages = {"invalid": _("Enter year and month, for example 2021-07.")}

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateInput(format="%Y-%m", attrs={"placeholder": "2021-07"})
        super().__init__(**{"widget": widget, "input_formats": self.input_formats, **kwargs})

    def to_python(self, value: Any) -> date | None:
        typed = "".join(unicodedata.normalize("NFKC", value).split()) if isinstance(value, str) else value
        return super().to_python(typed)


class DigitsField(forms.CharField):
    """Digits, however they are typed: full-width, or with spaces and hyphens between them."""

    def to_python(self, value: Any) -> str:
        return joined(unicodedata.normalize("NFKC", super().to_python(value) or ""))


class TelephoneField(DigitsField):
    """A telephone number as it is dialled inside China, however it is typed: also with the country's code, +86 or 0086,
    and with brackets or dots.
    """

    def to_python(self, value: Any) -> str:
        number = re.sub(r"[().]", "", super().to_python(value))
        if abroad := re.fullmatch(r"(?:\+|00)86([0-9]+)|86(1[3-9][0-9]{9})", number):
            number = abroad[1] or abroad[2]
            if not re.fullmatch(r"0.*|1[3-9][0-9]{9}", number):
                number = f"0{number}"  # of an area code, which is dialled with it
        return number
