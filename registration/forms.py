"""Forms of the registration app: one a step."""

from itertools import groupby
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exam_portal.kit.forms import CHOOSE
from registration import queries
from registration.models import Application, ExamRegion, Level, Specialty


class PledgeForm(forms.Form):
    """The declarations and the integrity pledge."""

    accept = forms.BooleanField(
        label=_("I have read the declarations and the integrity pledge, and I agree"),
        error_messages={"required": _("Tick the box to go on.")},
    )


class RegionForm(forms.Form):
    """The exam region; a change that empties the form is asked for once more (R25)."""

    region = forms.ChoiceField(
        label=_("Exam region"),
        help_text=_("The province in which you work; as a rule you sit the exam there."),
    )

    def __init__(self, *args: Any, application: Application, regions: dict[str, ExamRegion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.regions = regions
        chosen = application.exam_region
        self.fields["region"].initial = chosen.region_id if chosen else None
        self.fields["region"].choices = [  # type: ignore[attr-defined]
            CHOOSE,
            *((code, region.region.name) for code, region in regions.items()),
        ]

    def ask_to_empty(self) -> None:
        """Add the box that says the form may be emptied."""
        self.fields["empty"] = forms.BooleanField(
            label=_("Yes, change the region and empty these steps"), required=False
        )

    def clean_region(self) -> ExamRegion:
        return self.regions[self.cleaned_data["region"]]


class PlaceForm(forms.Form):
    """The exam point; in regions that confirm online the registration site, which names its point."""

    place = forms.ChoiceField(label=_("Exam point"))

    def __init__(self, *args: Any, application: Application, exam_region: ExamRegion, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        places = queries.places_of(exam_region)
        field = self.fields["place"]
        assert isinstance(field, forms.ChoiceField)
        if exam_region.online:
            field.label = _("Exam point and registration site")
            self.places = {site.code: (point, site) for point, sites in places for site in sites}
            choices: list[Any] = [(point.name, [(site.code, site.name) for site in sites]) for point, sites in places]
            field.initial = application.site_id
        else:
            self.places = {point.code: (point, None) for point, _sites in places}  # type: ignore[misc]
            choices = [(point.code, point.name) for point, _sites in places]
            field.initial = application.point_id
        field.choices = [CHOOSE, *choices]

    def clean_place(self) -> Any:
        return self.places[self.cleaned_data["place"]]


class SpecialtyForm(forms.Form):
    """Specialty and subjects of one level, specialties grouped by category."""

    specialty = forms.ChoiceField(label=_("Specialty"))
    subjects = forms.MultipleChoiceField(
        label=_("Subjects"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one subject.")},
    )

    def __init__(self, *args: Any, application: Application, level: Level, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [s for s in queries.specialties_of(application.exam) if s.level_id == level.pk]
        self.specialties = {specialty.code: specialty for specialty in offered}
        by_category = groupby(sorted(offered, key=lambda s: s.category), key=lambda s: s.category)
        specialty, subjects = self.fields["specialty"], self.fields["subjects"]
        assert isinstance(specialty, forms.ChoiceField) and isinstance(subjects, forms.MultipleChoiceField)
        specialty.choices = [
            CHOOSE,
            *((category, [(s.code, str(s)) for s in group]) for category, group in by_category),
        ]
        subjects.choices = [(subject.code, subject.name) for subject in application.exam.subjects.all()]
        chosen = application.specialty
        specialty.initial = chosen.code if chosen else None
        # All are ticked unless the candidate has chosen otherwise.
        subjects.initial = application.subjects or [code for code, _name in subjects.choices]

    def clean_specialty(self) -> Specialty:
        return self.specialties[self.cleaned_data["specialty"]]
