"""The list of candidates among 200,000: its pages and its search, for whoever sees few of them, many, or all.

The floor is a health check, the cheapest request.
"""

import base64
import json
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Candidate, Point, StaffAssignment
from tests import factories
from tests.filling import fill
from tests.staffing import staff_client

pytestmark = pytest.mark.django_db

LIST = reverse("admin:accounts_candidate_changelist")
SEARCH = reverse("admin:accounts_candidate_search")
APPLYING = {"4301": 2_000, "4302": 100_000, "1101": 60_000, "1102": 28_000}


@pytest.fixture
def staff() -> dict[str, StaffAssignment]:
    """Who looks, and 200,000 candidates: 2,000 at the clerk's point, 102,000 in the region."""
    fill(factories.make_exam(), APPLYING, nowhere=10_000)
    point = Point.objects.get(code="4301")
    return {
        "clerk": factories.make_staff(point, role="site_clerk", site="430101"),
        "region": factories.make_staff(region="43"),
        "nation": factories.make_staff(),
    }


def test_pages_and_search(
    staff: dict[str, StaffAssignment], measure: Callable[..., float], tell: Callable[[str], None]
) -> None:
    floor = measure(lambda: Client().get("/healthz"))
    tell(f"health check 1 ({floor * 1000:.1f} ms)")
    found = {who: _measured(staff_client(member), measure) for who, member in staff.items()}
    for who, ways in found.items():
        tell(f"{who}: " + "; ".join(f"{way} {taken / floor:.0f}" for way, taken in ways.items()))
    for who in ("clerk", "region"):
        for way in ("first page", "deep page", "by a number", "by a name"):
            assert found[who][way] < 5 * found["nation"][way], f"{way}: a territory costs {who} too much"


def _measured(client: Client, measure: Callable[..., float]) -> dict[str, float]:
    """Seconds of each way to look, the list as it is opened first."""

    def opened(url: str) -> None:
        assert client.get(url).status_code == 200

    def sought(typed: str, **more: str) -> None:
        assert client.post(SEARCH, {"typed": typed, **more}).status_code == 302

    middle = json.dumps([Candidate.objects.order_by("pk")[100_000].pk])
    middle_key = base64.urlsafe_b64encode(middle.encode()).decode()
    found = {
        "first page": measure(lambda: opened(LIST), 5),
        "deep page": measure(lambda: opened(f"{LIST}?after={middle_key}"), 5),
        "by a number": measure(lambda: sought("13900000007"), 5),
        "by a name": measure(lambda: sought("考生七"), 5),
        "by a name's beginning": measure(lambda: sought("考生一", beginning="1"), 5),
    }
    found["its list"] = measure(lambda: opened(LIST), 5)
    return found
