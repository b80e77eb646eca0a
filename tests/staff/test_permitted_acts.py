"""What each role may do is done when it is sent, to the row that was meant, and to nobody else's (R28)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.actors import acting, working_as
from accounts.models import Candidate, EducationRecord, IdentityRequest, LedgerEvent, Point, Site, StaffAssignment
from accounts.roles import ROLES, Level
from exam_portal import clock
from registration.models import Application, ExamRegion, ExamYearChange
from registration.services import applications
from tests import factories
from tests.accounts.requests import PROOF, ask_change, check
from tests.registration.changing import propose
from tests.staff.exam_year import filled
from tests.staff.test_permissions import (
    ANYBODY,
    EXPECTED,
    NEXT,
    OTHER,
    OWN,
    World,
    allowed,
    staff_in,
    world,
)
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R28")]
__all__ = ["world"]

MODELS: dict[str, type[Any]] = {
    "candidate": Candidate,
    "education": EducationRecord,
    "identity_request": IdentityRequest,
    "application": Application,
    "staff": StaffAssignment,
    "exam_region": ExamRegion,
    "point": Point,
    "site": Site,
    "exam_year_change": ExamYearChange,
}
Data = dict[str, Any]
Act = Callable[[World, StaffAssignment, Client], Data]


def reason(_world: World, _member: StaffAssignment, _client: Client) -> Data:
    return {"reason": "与原件核对"}


def checked(world: World, member: StaffAssignment, client: Client) -> Data:
    """Of an application that the exam point has checked already, where another person's turn it is."""
    row = ask_change(factories.make_candidate(), Point.objects.get(code=OWN), id_number=factories.resident_id(7))
    check(row, working_as(factories.make_staff(Point.objects.get(code=OWN))))
    world.rows[OWN]["identity_request"] = row.pk
    return reason(world, member, client)


def whose_turn(world: World, member: StaffAssignment, client: Client) -> Data:
    """Of what waits for this role: for the region what the point has checked."""
    return (reason if member.point_id else checked)(world, member, client)


def scanned(_world: World, _member: StaffAssignment, _client: Client) -> Data:
    return {"proof": SimpleUploadedFile("scan.pdf", PROOF)}


def closing(world: World, _member: StaffAssignment, _client: Client) -> Data:
    row = Application.objects.get(pk=world.rows[OWN]["application"])
    applications.submit(application=row, actor=acting(row.candidate), at=clock.now())
    request = IdentityRequest.objects.get(pk=world.rows[OWN]["identity_request"])
    return {"request": request.number, "reason": "证件更正"}


def editing(kind: str, field: str, value: str) -> Act:
    def fill(world: World, _member: StaffAssignment, client: Client) -> Data:
        if kind == "exam":
            row = ExamRegion.objects.get(pk=world.rows[OWN]["exam_region"]).exam
        else:
            row = MODELS[kind].objects.get(pk=world.rows[OWN][kind])
        return filled(client, row, act="propose", **{field: value})

    return fill


def own_change(world: World, member: StaffAssignment, _client: Client) -> Data:
    site = Site.objects.select_related("point__region").get(code=f"{OWN}01")
    world.rows[OWN]["exam_year_change"] = propose(site, working_as(member), telephone="2").pk
    return {}


ACTS: dict[str, Act] = {
    "admin:accounts_candidate_reveal": reason,
    "admin:accounts_candidate_verify": lambda *how: {"state": "passed", **reason(*how)},
    "admin:accounts_candidate_sessions": reason,
    "admin:accounts_candidate_unlock": reason,
    "admin:accounts_candidate_look": reason,
    "admin:accounts_identityrequest_check": scanned,
    "admin:accounts_identityrequest_approve": checked,
    "admin:accounts_identityrequest_refuse": whose_turn,
    "admin:accounts_identityrequest_reveal": reason,
    "admin:accounts_identityrequest_proof": checked,
    "admin:registration_application_close": closing,
    "admin:registration_exam_edit": editing("exam", "closes_at", "2023-12-16 24:00"),
    "admin:registration_examregion_edit": editing("exam_region", "notice", "新须知"),
    "admin:accounts_point_edit": editing("point", "telephone", "0731-1"),
    "admin:accounts_site_edit": editing("site", "telephone", "0731-1"),
    "admin:registration_examyearchange_decide": lambda *_how: {"verdict": "approve"},
    "admin:registration_examyearchange_withdraw": own_change,
}
# Pages to look at; and the administration of staff, whose acts tests/staff/test_staff_desk.py sends.
TO_LOOK = ("index", "login", "logout", "_changelist", "_change", "_search", "_look_end")
STAFF = "admin:accounts_staffassignment_"


def test_every_act_is_sent() -> None:
    acts = {name for name in EXPECTED if not name.endswith(TO_LOOK) and not name.startswith(STAFF)}
    assert acts == set(ACTS)
    assert all(EXPECTED[name].takes != ANYBODY for name in ACTS)


def elsewhere(world: World, places: tuple[str, ...]) -> list[Any]:
    return [
        list(model.objects.filter(pk=world.rows[place][kind]).values())
        for place in places
        for kind, model in MODELS.items()
        if world.rows[place][kind] != world.rows[OWN][kind]
    ]


@pytest.mark.parametrize("role", list(ROLES))
def test_what_a_role_may_is_done_to_the_row_meant_alone(world: World, role: str, tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    member = staff_in(role)
    done = [name for name in ACTS if allowed(name, role, OWN)]
    assert bool(done) == (role != "auditor"), "the auditor changes nothing"
    own_rows = dict(world.rows[OWN])
    for name in done:
        with transaction.atomic():
            client = staff_client(member)
            data = ACTS[name](world, member, client)
            others = elsewhere(world, (NEXT, OTHER))
            last = LedgerEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
            answer = client.post(world.address(name, OWN), data)
            assert answer.status_code in {200, 302}, (role, name)
            events = LedgerEvent.objects.filter(pk__gt=last, actor_kind="staff", actor_id=str(member.user_id))
            assert events.exists(), (role, name, "was not done")
            assert elsewhere(world, (NEXT, OTHER)) == others, (role, name)
            world.rows[OWN] = dict(own_rows)
            transaction.set_rollback(True)


@pytest.mark.parametrize("role", [role for role in ROLES if ROLES[role].level in {Level.SITE, Level.POINT}])
def test_sent_with_the_row_of_the_next_point_nothing_is_done(world: World, role: str) -> None:
    client = staff_client(staff_in(role))
    before = elsewhere(world, (NEXT, OTHER)), LedgerEvent.objects.count()
    for name in ACTS:
        if allowed(name, role, OWN):
            data = {"reason": "x", "state": "passed", "verdict": "approve", "act": "propose"}
            assert client.post(world.address(name, NEXT), data).status_code == 404, (role, name)
    assert (elsewhere(world, (NEXT, OTHER)), LedgerEvent.objects.count()) == before


def test_a_clerk_opens_the_own_site_and_none_beside_it_and_a_reviewer_all_of_the_point(world: World) -> None:
    beside = Site.objects.create(code=f"{OWN}02", point_id=OWN, name="第二", address="x", telephone="1", hours="9")
    for role, status in (("site_clerk", 404), ("point_reviewer", 200), ("region_admin", 200)):
        client = staff_client(staff_in(role))
        assert client.get(reverse("admin:accounts_site_change", args=[beside.pk])).status_code == status
        assert client.get(world.address("admin:accounts_site_change", OWN)).status_code == 200
