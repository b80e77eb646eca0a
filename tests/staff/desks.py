"""Staff before their pages, as tests of the staff's side use them."""

from typing import Any

from accounts.models import LedgerEvent, Point, StaffAssignment
from tests import factories


def clerk(point: str = "4301") -> StaffAssignment:
    return factories.make_staff(Point.objects.get(code=point), role="site_clerk", site=f"{point}01")


def of_region(region: str = "43", role: str = "region_reviewer") -> StaffAssignment:
    return factories.make_staff(region=region, role=role)


def of_nation(role: str = "auditor") -> StaffAssignment:
    return factories.make_staff(role=role)


def actions(**stream: Any) -> list[str]:
    """What the ledger has of a stream, the oldest first."""
    return list(LedgerEvent.objects.filter(**stream).order_by("position").values_list("action", flat=True))
