"""Practice registrations, the residency certificate and titles, as data: what years of practice count from (R22)."""

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class PracticeCategory(models.TextChoices):
    """执业类别 of a physician."""

    CLINICAL = "clinical", _("Clinical medicine (临床)")
    DENTAL = "dental", _("Dentistry (口腔)")
    PUBLIC_HEALTH = "public_health", _("Public health (公共卫生)")
    TRADITIONAL = "traditional", _("Chinese medicine (中医)")


@dataclass(frozen=True)
class CredentialKind:
    """A kind of credential: its name, the group it belongs to, and whether it has a practice category.

    `group` also says which month a candidate enters; see `MONTHS`.
    """

    label: Text
    group: str
    has_category: bool = False


# The groups, in their order, and which month counts in each.
GROUPS: dict[str, Text] = {
    "registration": _("Practice registrations (执业注册)"),
    "residency": _("Residency (住院医师规范化培训)"),
    "title": _("Titles (现有技术资格)"),
}
MONTHS: dict[str, Text] = {
    "registration": _("First registered in (首次注册年月)"),
    "residency": _("Signed in (发证年月)"),
    "title": _("Obtained in (取得年月)"),
}

CREDENTIAL_KINDS: dict[str, CredentialKind] = {
    "nurse_registration": CredentialKind(_("Nurse's practice registration (护士执业注册)"), "registration"),
    "physician_registration": CredentialKind(
        _("Physician's practice registration (执业医师注册)"), "registration", has_category=True
    ),
    "assistant_physician_registration": CredentialKind(
        _("Assistant physician's practice registration (执业助理医师注册)"), "registration", has_category=True
    ),
    "residency": CredentialKind(_("Certificate of standardised residency (住培合格证书)"), "residency"),
    "nurse": CredentialKind(_("Nurse (护士)"), "title"),
    "senior_nurse": CredentialKind(_("Senior nurse (护师)"), "title"),
    "chief_nurse": CredentialKind(_("Chief nurse (主管护师)"), "title"),
    "assistant_pharmacist": CredentialKind(_("Assistant pharmacist (药士)"), "title"),
    "pharmacist": CredentialKind(_("Pharmacist (药师)"), "title"),
    "chief_pharmacist": CredentialKind(_("Chief pharmacist (主管药师)"), "title"),
    "assistant_tcm_pharmacist": CredentialKind(_("Assistant pharmacist of Chinese medicine (中药士)"), "title"),
    "tcm_pharmacist": CredentialKind(_("Pharmacist of Chinese medicine (中药师)"), "title"),
    "chief_tcm_pharmacist": CredentialKind(_("Chief pharmacist of Chinese medicine (主管中药师)"), "title"),
    "assistant_technician": CredentialKind(_("Assistant technician (技士)"), "title"),
    "technician": CredentialKind(_("Technician (技师)"), "title"),
    "chief_technician": CredentialKind(_("Chief technician (主管技师)"), "title"),
    "assistant_physician": CredentialKind(_("Assistant physician (医士)"), "title"),
    "physician": CredentialKind(_("Physician (医师)"), "title"),
    "attending_physician": CredentialKind(_("Attending or chief physician (主治、主管医师)"), "title"),
}
WITH_CATEGORY = [code for code, kind in CREDENTIAL_KINDS.items() if kind.has_category]


def month_label(kind: str) -> Text:
    """What the month of a credential of this kind is called."""
    return MONTHS[CREDENTIAL_KINDS[kind].group]


def choices(*, without: set[str] | frozenset[str] = frozenset()) -> list[tuple[Text, list[tuple[str, Text]]]]:
    """Kinds for a form, by groups, leaving out some; a group in which none is left is not there."""
    grouped = [
        (label, [(code, k.label) for code, k in CREDENTIAL_KINDS.items() if k.group == group and code not in without])
        for group, label in GROUPS.items()
    ]
    return [(label, kinds) for label, kinds in grouped if kinds]


def check_category(*, kind: str, category: str) -> None:
    """Refuse a physician's registration without a practice category.

    Raises:
        ValidationError: with a sentence that says how to mend it.
    """
    if CREDENTIAL_KINDS[kind].has_category and not category:
        raise ValidationError(_("Choose the practice category of the registration."))
