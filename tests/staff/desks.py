"""Staff before their pages, as tests of the staff's side use them."""

import re
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.models import IdentityRequest, LedgerEvent, Point, StaffAssignment
from tests import factories
from tests.accounts.requests import PROOF

REQUESTS = "/staff/accounts/identityrequest/"


def clerk(point: str = "4301") -> StaffAssignment:
    return factories.make_staff(Point.objects.get(code=point), role="site_clerk", site=f"{point}01")


def of_region(region: str = "43", role: str = "region_reviewer") -> StaffAssignment:
    return factories.make_staff(region=region, role=role)


def of_nation(role: str = "auditor") -> StaffAssignment:
    return factories.make_staff(role=role)


def actions(**stream: Any) -> list[str]:
    """What the ledger has of a stream, the oldest first."""
    return list(LedgerEvent.objects.filter(**stream).order_by("position").values_list("action", flat=True))


def page(row: IdentityRequest, act: str = "change") -> str:
    """The address of an application about an identity, or of an act on it."""
    return f"{REQUESTS}{row.pk}/{act}/"


def scan(content: bytes = PROOF, name: str = "scan.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="text/html")


def text_of(response: Any) -> str:
    """What stands on a page, without tags and doubled spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", response.content.decode())).strip()
