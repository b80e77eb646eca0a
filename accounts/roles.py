"""The roles of staff, as one table: what each may do, and for which kind of institution (R28).

docs/permissions.md shows the table; a test keeps it true.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Right(StrEnum):
    """What somebody of staff may be allowed to do, always within their own institution."""

    SEE_CANDIDATES = "see candidates"
    REVEAL_ID = "reveal an ID number"
    VERIFY_EDUCATION = "compare an education record with the certificate"
    DECIDE_PHOTO = "decide about a photo"
    HELP_ACCOUNTS = "help with accounts"
    CHECK_IDENTITY = "check an application about an identity"
    DECIDE_IDENTITY = "decide an application about an identity"
    CLOSE_APPLICATION = "close an application"
    SEE_STAFF = "see staff"
    MANAGE_STAFF = "manage staff"
    SEE_LEDGER = "see the ledger"
    SEE_EXAM_YEARS = "see exam years"
    EDIT_EXAM_YEAR = "propose a change of the exam year"
    APPROVE_EXAM_YEAR = "approve a change of the exam year"


class Level(models.TextChoices):
    """Of which institution a role is."""

    SITE = "site", _("Registration site")
    POINT = "point", _("Exam point")
    REGION = "region", _("Exam region")
    NATION = "nation", _("Nation")


@dataclass(frozen=True)
class Role:
    """A role: its name, the institution it is of, and what it may do."""

    label: str | Promise
    level: Level
    rights: frozenset[Right]


_AT_THE_POINT = frozenset(
    {
        Right.SEE_CANDIDATES,
        Right.REVEAL_ID,
        Right.VERIFY_EDUCATION,
        Right.DECIDE_PHOTO,
        Right.HELP_ACCOUNTS,
        Right.CHECK_IDENTITY,
        Right.SEE_EXAM_YEARS,
    }
)
_OF_THE_REGION = frozenset(
    {
        Right.SEE_CANDIDATES,
        Right.REVEAL_ID,
        Right.VERIFY_EDUCATION,
        Right.DECIDE_PHOTO,
        Right.DECIDE_IDENTITY,
        Right.CLOSE_APPLICATION,
        Right.SEE_EXAM_YEARS,
        Right.APPROVE_EXAM_YEAR,
    }
)

ROLES: dict[str, Role] = {
    "site_clerk": Role(_("Site clerk"), Level.SITE, _AT_THE_POINT),
    "point_reviewer": Role(_("Point reviewer"), Level.POINT, _AT_THE_POINT),
    "region_reviewer": Role(_("Region reviewer"), Level.REGION, _OF_THE_REGION),
    "region_admin": Role(
        _("Region administrator"),
        Level.REGION,
        _OF_THE_REGION
        | {Right.HELP_ACCOUNTS, Right.SEE_STAFF, Right.MANAGE_STAFF, Right.SEE_LEDGER, Right.EDIT_EXAM_YEAR},
    ),
    "national_admin": Role(
        _("National administrator"),
        Level.NATION,
        frozenset(
            {
                Right.SEE_CANDIDATES,
                Right.HELP_ACCOUNTS,
                Right.SEE_STAFF,
                Right.MANAGE_STAFF,
                Right.SEE_LEDGER,
                Right.SEE_EXAM_YEARS,
                Right.EDIT_EXAM_YEAR,
                Right.APPROVE_EXAM_YEAR,
            }
        ),
    ),
    # Sees whatever others work on, ID numbers masked, and changes nothing.
    "auditor": Role(
        _("Auditor"),
        Level.NATION,
        frozenset({Right.SEE_CANDIDATES, Right.SEE_STAFF, Right.SEE_LEDGER, Right.SEE_EXAM_YEARS}),
    ),
}


def choices() -> list[tuple[str, str | Promise]]:
    """Roles for a form, from the site to the nation."""
    return [(code, role.label) for code, role in ROLES.items()]
