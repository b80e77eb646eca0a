"""Employers by name, each with its kind (单位类别); who works elsewhere names the kind.

The list is `data/employers.tsv`; its README says where it is from and how to add an employer.
"""

import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

_DATA = Path(__file__).resolve().parent / "data" / "employers.tsv"


class EmployerKind(models.TextChoices):
    """单位类别."""

    PUBLIC_HOSPITAL = "public_hospital", _("Public hospital (公立医院)")
    PRIVATE_HOSPITAL = "private_hospital", _("Private hospital (民营医院)")
    TOWNSHIP = "township", _("Township health centre (乡镇卫生院)")
    COMMUNITY = "community", _("Community health service (社区卫生服务机构)")
    VILLAGE = "village", _("Village clinic (村卫生室)")
    CLINIC = "clinic", _("Clinic, outpatient department or infirmary (诊所、门诊部、医务室)")
    MATERNAL = "maternal", _("Maternal and child health care (妇幼保健机构)")
    DISEASE_CONTROL = "disease_control", _("Disease control or health supervision (疾控、卫生监督机构)")
    BLOOD = "blood", _("Blood centre, emergency or other public health service (采供血、急救等机构)")
    MILITARY = "military", _("Military medical institution (军队医疗机构)")
    SCHOOL = "school", _("School or research institute (院校、科研机构)")
    COMPANY = "company", _("Company, such as a pharmacy or laboratory (药店、检验所等企业)")
    OTHER = "other", _("Other (其他)")


@cache
def _rows() -> list[list[str]]:
    return [line.split("\t") for line in _DATA.read_text(encoding="utf-8").splitlines()]


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split())


@cache
def _kinds() -> Mapping[str, str]:
    return {_plain(name): kind for name, kind, _source in _rows()}


def names() -> list[str]:
    """The employers of the list, in its order; where people really register, without invented ones."""
    invented = settings.PORTAL_ENV != "production"
    return [name for name, _kind, source in _rows() if invented or source != "example"]


def kind_of(employer: str) -> str:
    """The kind of an employer of the list, "" of one that is not in it; spaces and wide brackets do not matter."""
    return _kinds().get(_plain(employer), "")


def resolve_kind(*, employer: str, told: str) -> str:
    """The kind of an employer: as the list has it, else as it was told.

    Raises:
        ValidationError: the employer is not in the list, and nothing was told.
    """
    kind = kind_of(employer) or told
    if not kind:
        raise ValidationError(_("This employer is not in the list: choose its kind."))
    return kind
