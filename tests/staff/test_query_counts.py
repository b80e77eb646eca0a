"""Pages of the staff site take as many queries for three rows as for a hundred, for every kind of territory (R28)."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Candidate, LedgerEvent, Point, Site, StaffAssignment
from accounts.roles import ROLES
from exam_portal import clock
from registration.models import Application, Exam
from tests import factories
from tests.accounts.requests import ask_deletion, report
from tests.factories import resident_id
from tests.filling import fill
from tests.staff.world import staff_in
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R28")]


@dataclass
class Many:
    """So many of everything at the point 4301 and in its region; one of each, and an application's number."""

    member: StaffAssignment
    application: Application
    request: str


@pytest.fixture
def many(exam: Exam, request: pytest.FixtureRequest) -> Many:
    rows, point = request.param, Point.objects.get(code="4301")
    fill(exam, {"4301": rows})
    asking = [ask_deletion(candidate, point) for candidate in Candidate.objects.order_by("pk")[:3]]
    for number in range(rows):
        report(resident_id(number), point)
    Site.objects.bulk_create(
        Site(code=f"4301{number:02d}", point=point, name="报名点", address="x", telephone="1", hours="9")
        for number in range(2, rows)
    )
    staff = [factories.make_staff(point) for _number in range(rows)]
    member = staff[0]
    for number in range(rows):
        StaffAssignment.objects.create(
            user=member.user,
            name=member.name,
            role=member.role,
            region_id="43",
            point=point,
            valid_from=member.valid_from - timedelta(days=number + 1),
            valid_until=member.valid_from - timedelta(days=number),
        )
    asked = ("identity_request", asking[0].number)
    for number in range(rows):
        for stream, actor in (
            (("candidate", str(number)), ("staff", str(member.user_id))),
            (asked, ("staff", str(staff[number].user_id))),
            (asked, ("candidate", str(number))),
        ):
            LedgerEvent.objects.create(
                stream=stream[0],
                stream_id=stream[1],
                action="id_number.revealed",
                actor_kind=actor[0],
                actor_id=actor[1],
                channel="web",
                reason="核对",
                at=clock.now(),
                payload={},
            )
    return Many(member, Application.objects.latest("pk"), asking[0].number)


def addresses(many: Many) -> dict[str, str]:
    ledger = reverse("admin:accounts_ledgerevent_changelist")
    return {
        "home": reverse("admin:index"),
        "candidates": reverse("admin:accounts_candidate_changelist"),
        "ledger": ledger,
        "ledger of a person": f"{ledger}?person={many.member.user.username}",
        "ledger of a number": f"{ledger}?subject={many.request}",
        "member": reverse("admin:accounts_staffassignment_change", args=[many.member.pk]),
        "add": reverse("admin:accounts_staffassignment_add"),
        "close": reverse("admin:registration_application_close", args=[many.application.pk]),
    }


AT_A_POINT = {"home": 8, "candidates": 5, "candidates by name": 5}
OF_A_REGION = {**AT_A_POINT, "home": 11, "close": 11}
OF_THE_NATION = {**AT_A_POINT, "ledger": 8, "ledger of a person": 9, "ledger of a number": 9, "member": 10}
COUNTS: dict[str, dict[str, int]] = {
    "site_clerk": AT_A_POINT,
    "point_reviewer": AT_A_POINT,
    "region_reviewer": OF_A_REGION,
    "region_admin": {
        **OF_A_REGION,
        "ledger": 14,
        "ledger of a person": 15,
        "ledger of a number": 14,
        "member": 12,
        "add": 6,
    },
    "national_admin": {**OF_THE_NATION, "home": 8, "add": 6},
    "auditor": {**OF_THE_NATION, "home": 5},
}


@pytest.mark.parametrize("many", [3, 100], indirect=True)
def test_each_page_takes_as_many_queries_for_a_hundred_rows_as_for_three(many: Many) -> None:
    assert {role: counted(staff_client(staff_in(role)), addresses(many)) for role in ROLES} == COUNTS


def counted(client: Client, pages: dict[str, str]) -> dict[str, int]:
    """How many queries each page takes that this member of staff may open."""
    found = {}
    for page, url in pages.items():
        with CaptureQueriesContext(connection) as queries:
            status = client.get(url).status_code
        if status == 200:
            found[page] = len(queries)
    client.post(reverse("admin:accounts_candidate_search"), {"typed": "考生", "beginning": "1"})
    with CaptureQueriesContext(connection) as queries:
        listed = client.get(pages["candidates"]).context["cl"].result_list
    assert len(listed) >= 3
    return {**found, "candidates by name": len(queries)}
