"""Forms by which a change of identity or the deletion of an account is applied for (R07)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import identity
from accounts.models import Candidate, Point
from accounts.services.identity_requests import Identity, Paper
from exam_portal.kit.forms import CHOOSE, TelephoneField


class PaperForm(forms.Form):
    """Where the form is brought, how to reach the applicant, and why; enough to delete one's own account."""

    telephone = TelephoneField(
        label=_("Telephone"),
        help_text=_("The exam point calls it with questions."),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel-national"}),
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("What is wrong, and how it came about."),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    point = forms.ChoiceField(
        label=_("Exam point"), help_text=_("The one to which you bring the form, as a rule where you register.")
    )

    def __init__(self, *args: Any, points: list[Point], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.points = {point.code: point for point in points}
        field = self.fields["point"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [CHOOSE, *((point.code, point.name) for point in points)]

    def clean_telephone(self) -> str:
        telephone = self.cleaned_data["telephone"]
        if not telephone.isascii() or not telephone.isdigit() or not 7 <= len(telephone) <= 13:
            raise forms.ValidationError(_("Enter a mobile number, or a fixed one with its area code."))
        return telephone

    def paper(self) -> Paper:
        """What a valid form says."""
        data = self.cleaned_data
        return Paper(point=self.points[data["point"]], telephone=data["telephone"], reason=data["reason"])


class IdentityForm(PaperForm):
    """A name and an ID as well: of whoever's number was taken."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("Exactly as on the ID document."),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "name", "spellcheck": "false"}),
    )
    id_type = forms.ChoiceField(label=_("ID type"), choices=identity.choices())
    id_number = forms.CharField(
        label=_("ID number"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )

    field_order = ["name", "id_type", "id_number", "telephone", "reason", "point"]

    def clean_name(self) -> str:
        name = identity.normalise_name(self.cleaned_data["name"])
        identity.check_name(name)
        return name

    def clean_id_number(self) -> str:
        number = identity.normalise_number(self.cleaned_data["id_number"])
        if id_type := self.cleaned_data.get("id_type"):
            identity.check_number(id_type=id_type, number=number)
        return number

    def identity(self) -> Identity:
        """What a valid form says."""
        return Identity(**{name: self.cleaned_data[name] for name in ("name", "id_type", "id_number")})


class ChangeForm(IdentityForm):
    """The name and ID as they should be. An empty number is the present one, which no page shows in full."""

    def __init__(self, *args: Any, candidate: Candidate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.candidate = candidate
        self.fields["name"].initial, self.fields["id_type"].initial = candidate.name, candidate.id_type
        number = self.fields["id_number"]
        number.required = False
        number.help_text = _("Leave it empty if the number stays as it is: %(number)s.") % {
            "number": candidate.masked_id_number
        }

    def clean_id_number(self) -> str:
        if not self.cleaned_data["id_number"].strip():
            self.cleaned_data["id_number"] = self.candidate.id_number
        return super().clean_id_number()
