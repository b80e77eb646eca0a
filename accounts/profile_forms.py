"""Forms of what the account keeps: basic information, education, credentials."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import credentials, employers, identity
from accounts.credentials import PracticeCategory
from accounts.education import CERTIFICATE_KINDS, SCHOOL_KINDS, Degree, Qualification
from accounts.models import BasicInformation, Candidate, Credential, EducationRecord
from accounts.models.profile import check_held
from accounts.services import education
from exam_portal import clock
from exam_portal.kit.forms import CHOOSE, DigitsField, MonthField, SuggestingInput, TelephoneField


class BasicInformationForm(forms.ModelForm):
    """Contact data and work; sex and date of birth only where the ID number does not tell them."""

    class Meta:
        model = BasicInformation
        fields = ["ethnicity", "mobile", "address", "postcode", "employer", "employer_kind", "workplace"]
        field_classes = {"mobile": TelephoneField, "postcode": DigitsField}
        widgets = {
            "mobile": forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "tel-national"}),
            "address": forms.TextInput(attrs={"autocomplete": "street-address"}),
            "postcode": forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "postal-code"}),
            "employer": SuggestingInput(employers.names, attrs={"autocomplete": "organization"}),
        }
        help_texts = {
            "ethnicity": _("For example Han (汉族)."),
            "employer": _(
                "The full name as on the official seal. Some are suggested while you type; any may be typed."
            ),
            "employer_kind": _("Needed only where the list of suggestions does not have your employer."),
            "workplace": _("Province, city and district in which you work, for example “湖南省长沙市开福区”."),
        }

    def __init__(self, *args: Any, candidate: Candidate, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.fields["employer_kind"]
        assert isinstance(kind, forms.ChoiceField)
        kind.required = False
        kind.choices = [("", _("As in the list")), *employers.EmployerKind.choices]
        if not identity.ID_TYPES[candidate.id_type].tells_birth:
            self.fields["sex"] = forms.ChoiceField(
                label=_("Sex"),
                choices=identity.Sex,
                initial=candidate.sex,
                widget=forms.RadioSelect,
            )
            self.fields["birth_date"] = forms.DateField(
                label=_("Date of birth"),
                initial=candidate.birth_date,
                widget=forms.DateInput(format="%Y-%m-%d", attrs={"placeholder": "1990-01-31", "autocomplete": "bday"}),
                error_messages={"invalid": _("Enter year, month and day, for example 1990-01-31.")},
            )
            self.order_fields(["sex", "birth_date"])

    def clean_birth_date(self) -> Any:
        born = self.cleaned_data["birth_date"]
        if not born.year >= 1900 or born >= clock.today():
            raise forms.ValidationError(_("This date of birth cannot be right."))
        return born

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"employer", "employer_kind"} <= cleaned.keys():
            try:
                cleaned["employer_kind"] = employers.resolve_kind(
                    employer=cleaned["employer"], told=cleaned["employer_kind"]
                )
            except ValidationError as error:
                self.add_error("employer_kind", error)
        return cleaned


class EducationForm(forms.ModelForm):
    """One education record."""

    graduated = MonthField(label=_("Month of graduation"), validators=[check_held])

    class Meta:
        model = EducationRecord
        fields = list(EducationRecord.CONTENT)
        help_texts = {
            "school": _("The full name as on your certificate, also where the school has another name today."),
            "school_note": _("Only where the list does not have the school: where it is, and its other names."),
            "certification_number": _(
                "Needed for military schools and for schools abroad, in Hong Kong, Macau or Taiwan."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, known in (("qualification", Qualification), ("degree", Degree)):
            self.fields[name].choices = [CHOOSE, *known.choices]  # type: ignore[attr-defined]
        for name, kinds in (("school_kind", SCHOOL_KINDS), ("certificate_kind", CERTIFICATE_KINDS)):
            choices = [(code, kind.label) for code, kind in kinds.items()]
            self.fields[name].choices = [CHOOSE, *choices]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        try:
            education.check(cleaned)
        except ValidationError as error:
            self.add_error(None, error)
        return cleaned


class SchoolForm(forms.Form):
    """What schools are searched by; it stands in the form of an education record."""

    picker_query = forms.CharField(
        label=_("Pinyin initials, or any characters of the name"),
        help_text=_("For example hnzyydx, “湖南中医”, or “湖中医”."),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )


class CredentialForm(forms.Form):
    """A new credential, of a kind that the candidate does not have yet."""

    kind = forms.ChoiceField(label=_("Kind"))
    category = forms.ChoiceField(
        label=_("Practice category"),
        help_text=_("Only for the registration of a physician or assistant physician."),
        choices=[("", _("None")), *PracticeCategory.choices],
        required=False,
    )
    since = MonthField(
        label=_("Month"),
        help_text=_("Of the first registration, of the signature on the certificate, or in which you got the title."),
        validators=[check_held],
    )

    def __init__(self, *args: Any, held: set[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind = self.fields["kind"]
        assert isinstance(kind, forms.ChoiceField)
        # What was just saved may be sent once more, by a second press.
        kind.choices = [CHOOSE, *credentials.choices(without=held - {self.data.get("kind", "")})]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"kind", "category"} <= cleaned.keys():
            try:
                credentials.check_category(kind=cleaned["kind"], category=cleaned["category"])
            except ValidationError as error:
                self.add_error("category", error)
        return cleaned


class CredentialChangeForm(forms.Form):
    """Another month, or practice category, of a credential that there is."""

    category = forms.ChoiceField(label=_("Practice category"), choices=PracticeCategory)
    since = MonthField(validators=[check_held])

    def __init__(self, *args: Any, credential: Credential, initial: dict[str, Any], **kwargs: Any) -> None:
        kwargs["initial"] = {"category": credential.category, "since": credential.since, **initial}
        super().__init__(*args, **kwargs)
        self.fields["since"].label = str(credential.month_label)
        if not credentials.CREDENTIAL_KINDS[credential.kind].has_category:
            del self.fields["category"]
