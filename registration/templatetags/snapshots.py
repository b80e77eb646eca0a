"""Words for the codes in a snapshot. `{% load snapshots %}`."""

from django import template
from django.utils.functional import Promise

from accounts.identity import ID_TYPES, Sex
from accounts.models.profile import Degree, Qualification
from registration.models import Specialty

register = template.Library()

_LABELS: dict[str, dict[str, str | Promise]] = {
    "id_type": {code: id_type.label for code, id_type in ID_TYPES.items()},
    "sex": dict(Sex.choices),
    "qualification": dict(Qualification.choices),
    "degree": dict(Degree.choices),
    "format": dict(Specialty.Format.choices),
}


@register.filter
def label(code: str, kind: str) -> str | Promise:
    """The word, in the reader's language, for a code of a kind: id_type, sex, qualification, degree or format.

    Raises:
        KeyError: an unknown kind or code: a snapshot holds none.
    """
    return _LABELS[kind][code]
