"""Which educations count (R21): kinds of school and of certificate as data, and the rule over them.

What is not recognised is offered all the same: who holds it finds it, and reads why it does not count and what to do.
"""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class Qualification(models.TextChoices):
    """学历, lowest first."""

    SECONDARY = "secondary", _("Secondary vocational (中专)")
    COLLEGE = "college", _("Junior college (大专)")
    UNDERGRADUATE = "undergraduate", _("Undergraduate (本科)")
    MASTER = "master", _("Master's programme (硕士研究生)")
    DOCTOR = "doctor", _("Doctoral programme (博士研究生)")


class Degree(models.TextChoices):
    """学位."""

    NONE = "none", _("None")
    BACHELOR = "bachelor", _("Bachelor")
    MASTER = "master", _("Master")
    DOCTOR = "doctor", _("Doctor")


@dataclass(frozen=True)
class Kind:
    """A kind of school or certificate.

    Attributes:
        label: its name.
        refusal: why it does not count and what to do; empty for what is recognised.
        certification: which number certifies it, where it counts only so; else empty.
    """

    label: Text
    refusal: Text = ""
    certification: Text = ""


# In the order in which candidates need them.
SCHOOL_KINDS: dict[str, Kind] = {
    "regular": Kind(_("Regular higher education (普通高等教育)")),
    "adult": Kind(_("Adult higher education (成人高等教育)")),
    "self_study": Kind(_("Higher education by self-study examination (高等教育自学考试)")),
    "online": Kind(_("Online higher education (网络教育)")),
    "open": Kind(_("Open education (开放教育)")),
    "secondary": Kind(_("Secondary vocational education (中等职业教育)")),
    "military": Kind(
        _("Military school (军队院校)"),
        certification=_(
            "A degree of a military school counts with its certification: enter the number of the certification report."
        ),
    ),
    "abroad": Kind(
        _("School abroad, or in Hong Kong, Macau or Taiwan (国（境）外院校)"),
        certification=_(
            "A degree from abroad, Hong Kong, Macau or Taiwan counts with its certification: enter the number that the "
            "service centre for scholarly exchange (教育部留学服务中心) gave it."
        ),
    ),
    "party": Kind(
        _("Party school (党校)"),
        refusal=_(
            "A certificate of a Party school is not part of the national education series, and does not count here. "
            "Add the education that you completed before it."
        ),
    ),
    "unapproved": Kind(
        _("Institution without the education authorities' approval (未经批准的办学机构)"),
        refusal=_(
            "Only education at institutions that the education authorities approved counts. "
            "Add another completed education; if you think that yours is approved, ask your exam point."
        ),
    ),
}

CERTIFICATE_KINDS: dict[str, Kind] = {
    "graduation": Kind(_("Certificate of graduation (毕业证书)")),
    "degree": Kind(_("Degree certificate only, without one of graduation (仅有学位证书)")),
    "completion": Kind(
        _("Certificate of completion without graduation (结业证书)"),
        refusal=_(
            "A certificate of completion is not one of graduation, and does not count. Where your school lets you make "
            "up for it, add the record once you hold the certificate of graduation."
        ),
    ),
    "attendance": Kind(
        _("Certificate of attendance (肄业证书)"),
        refusal=_("Studies that were not completed do not count. Add the education that you completed before."),
    ),
    "training": Kind(
        _("Certificate of training or further study (培训、进修证书)"),
        refusal=_("Training and further study are no degree, and do not count. Add the education that you completed."),
    ),
}

# A degree begins with undergraduate studies.
WITHOUT_DEGREE = [Qualification.SECONDARY.value, Qualification.COLLEGE.value]
RECOGNISED_SCHOOL_KINDS = [code for code, kind in SCHOOL_KINDS.items() if not kind.refusal]
RECOGNISED_CERTIFICATE_KINDS = [code for code, kind in CERTIFICATE_KINDS.items() if not kind.refusal]
CERTIFIED_SCHOOL_KINDS = [code for code, kind in SCHOOL_KINDS.items() if kind.certification]


def check_recognised(
    *, school_kind: str, certificate_kind: str, qualification: str, degree: str, certification_number: str
) -> None:
    """Refuse an education that does not count (R21), or that cannot be as it is told.

    A number that is missing (an empty text) is refused where the kind of school asks for one.

    Raises:
        ValidationError: by field, each with a sentence that says why and what to do.
    """
    school, certificate = SCHOOL_KINDS[school_kind], CERTIFICATE_KINDS[certificate_kind]
    errors: dict[str, Text] = {}
    if school.refusal:
        errors["school_kind"] = school.refusal
    elif school_kind == "secondary" and qualification != Qualification.SECONDARY:
        errors["school_kind"] = _(
            "Secondary vocational education leads to no higher qualification: correct one of both."
        )
    if certificate.refusal:
        errors["certificate_kind"] = certificate.refusal
    elif certificate_kind == "degree" and degree == Degree.NONE:
        errors["degree"] = _("Choose the degree that your certificate names.")
    if qualification in WITHOUT_DEGREE and degree != Degree.NONE:
        errors["degree"] = _("No degree goes with this qualification: correct one of both.")
    if school.certification and not certification_number:
        errors["certification_number"] = school.certification
    if errors:
        raise ValidationError(errors)
