"""Words for the codes in a snapshot. `{% load snapshots %}`."""

from django import template
from django.utils.functional import Promise

from accounts.credentials import CREDENTIAL_KINDS, PracticeCategory, month_label
from accounts.education import CERTIFICATE_KINDS, SCHOOL_KINDS, Degree, Qualification
from accounts.employers import EmployerKind
from accounts.identity import ID_TYPES, Sex
from registration.models import Specialty

register = template.Library()

_LABELS: dict[str, dict[str, str | Promise]] = {
    "id_type": {code: id_type.label for code, id_type in ID_TYPES.items()},
    "sex": dict(Sex.choices),
    "qualification": dict(Qualification.choices),
    "degree": dict(Degree.choices),
    "school_kind": {code: kind.label for code, kind in SCHOOL_KINDS.items()},
    "certificate_kind": {code: kind.label for code, kind in CERTIFICATE_KINDS.items()},
    "employer_kind": dict(EmployerKind.choices),
    "credential": {code: kind.label for code, kind in CREDENTIAL_KINDS.items()},
    "credential_month": {code: month_label(code) for code in CREDENTIAL_KINDS},
    "category": dict(PracticeCategory.choices),
    "format": dict(Specialty.Format.choices),
}


@register.filter
def label(code: str, kind: str) -> str | Promise:
    """The word, in the reader's language, for a code of a kind (`_LABELS` has the kinds).

    Raises:
        KeyError: an unknown kind or code: a snapshot holds none.
    """
    return _LABELS[kind][code]
