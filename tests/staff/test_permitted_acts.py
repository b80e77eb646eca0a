"""What each role may do is done when it is sent, to the row that was meant, and to nobody else's (R28)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.actors import acting, working_as
from accounts.models import LedgerEvent, Site, StaffAssignment
from accounts.roles import ROLES, Right
from exam_portal import clock
from registration.services import applications
from tests import factories
from tests.accounts.requests import PROOF, ask_change, check
from tests.registration.changing import propose
from tests.staff.exam_year import filled
from tests.staff.test_permissions import EXPECTED, address, allowed, refusals, stored
from tests.staff.world import MODELS, OWN, PLACES, World, staff_in, world
from tests.staffing import Telephone, staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R28")]
__all__ = ["world"]

Data = dict[str, Any]
# What is sent for a row of the place by this member of staff, in whose browser a form is read.
Act = Callable[[World, str, StaffAssignment, Client], Data]


def reason(_world: World, _place: str, _member: StaffAssignment, _client: Client) -> Data:
    return {"reason": "与原件核对"}


def checked(world: World, place: str, _member: StaffAssignment, _client: Client) -> Data:
    """Of an application that the exam point has checked already, where another person's turn it is."""
    point = world.row("point", place)
    row = ask_change(factories.make_candidate(), point, id_number=factories.resident_id(7))
    check(row, working_as(factories.make_staff(point)))
    world.rows[place]["identity_request"] = row.pk
    return {"reason": "与原件核对"}


def whose_turn(world: World, place: str, member: StaffAssignment, client: Client) -> Data:
    """Of what waits for this role: for the region what the point has checked."""
    return (reason if member.point_id else checked)(world, place, member, client)


def scanned(_world: World, _place: str, _member: StaffAssignment, _client: Client) -> Data:
    return {"proof": SimpleUploadedFile("scan.pdf", PROOF)}


def closing(world: World, place: str, _member: StaffAssignment, _client: Client) -> Data:
    row = world.row("application", place)
    applications.submit(application=row, actor=acting(row.candidate), at=clock.now())
    return {"request": world.row("identity_request", place).number, "reason": "证件更正"}


def editing(kind: str, field: str, value: str) -> Act:
    def fill(world: World, place: str, _member: StaffAssignment, client: Client) -> Data:
        return filled(client, world.row(kind, place), act="propose", **{field: value})

    return fill


def own_change(world: World, place: str, member: StaffAssignment, _client: Client) -> Data:
    site = Site.objects.select_related("point__region").get(code=f"{place}01")
    world.rows[place]["exam_year_change"] = propose(site, working_as(member), telephone="3").pk
    return {}


def somebody(_world: World, place: str, _member: StaffAssignment, _client: Client) -> Data:
    new = {"username": "liuyang", "name": "刘洋", "role": "site_clerk", "code": f"{place}01"}
    return {**new, "valid_from": "2023-12-05", "valid_until": "2023-12-31"}


def lost_telephone(world: World, place: str, *how: Any) -> Data:
    Telephone(world.row("staff", place).user)
    return reason(world, place, *how)


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
    "admin:accounts_photo_decide": lambda world, place, *_how: {f"decide-{world.rows[place]['photo']}": "accept"},
    "admin:registration_application_close": closing,
    "admin:accounts_staffassignment_add": somebody,
    "admin:accounts_staffassignment_end": lambda *_how: {},
    "admin:accounts_staffassignment_link": reason,
    "admin:accounts_staffassignment_two_step": lost_telephone,
    "admin:registration_exam_edit": editing("exam", "closes_at", "2023-12-16 24:00"),
    "admin:registration_examregion_edit": editing("exam_region", "notice", "新须知"),
    "admin:accounts_point_edit": editing("point", "telephone", "0731-1"),
    "admin:accounts_site_edit": editing("site", "telephone", "0731-1"),
    "admin:registration_examyearchange_decide": lambda *_how: {"verdict": "approve"},
    "admin:registration_examyearchange_withdraw": own_change,
}
# Pages to look at, whose searches tests/staff/test_permitted_lists.py sends.
TO_LOOK = ("index", "login", "logout", "_changelist", "_change", "_search", "_picture")
END = "admin:accounts_candidate_look_end"


def test_every_act_is_sent() -> None:
    assert {name for name in EXPECTED if not name.endswith(TO_LOOK)} == {*ACTS, END}


def rows(world: World, places: list[str]) -> list[Any]:
    """The rows of these places alone."""
    return [list(MODELS[kind].objects.filter(pk=pk).values()) for place in places for kind, pk in _own(world, place)]


def _own(world: World, place: str) -> list[tuple[str, Any]]:
    shared = {(kind, pk) for other in PLACES if other != place for kind, pk in world.rows[other].items()}
    return [pair for pair in world.rows[place].items() if pair not in shared]


def send(client: Client, url: str, data: Data) -> Any:
    for value in data.values():
        if hasattr(value, "seek"):
            value.seek(0)
    return client.post(url, data)


@pytest.mark.parametrize("role", list(ROLES))
def test_what_a_role_may_is_done_to_the_row_meant_alone(world: World, role: str, private_files: Any) -> None:
    member = staff_in(role)
    done = [name for name in ACTS if allowed(name, role, OWN)]
    assert bool(done) == (role != "auditor"), "the auditor changes nothing"
    others = [place for place in PLACES if place != OWN]
    for name in done:
        with undone(world):
            client = staff_client(member)
            data = ACTS[name](world, OWN, member, client)
            before = rows(world, others)
            check_is_done(member, send(client, address(world, name), data), name)
            assert rows(world, others) == before, (role, name)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_done_for_one_is_refused_to_all_others_who_send_the_same(
    world: World, place: str, private_files: Any
) -> None:
    """Whose role lacks the right, in its own territory too; and whose territory is another."""
    everybody = {role: staff_client(staff_in(role)) for role in ROLES}
    for name in ACTS:
        if not EXPECTED[name].row and place != OWN:
            continue
        member = staff_in(next(role for role in ROLES if allowed(name, role, OWN)), place)
        with undone(world):
            client = staff_client(member)
            data = ACTS[name](world, place, member, client)
            url, before = address(world, name, place), stored()
            for role, other in everybody.items():
                if not allowed(name, role, place):
                    assert send(other, url, data).status_code in refusals(name, role, place), (role, name)
            assert stored() == before, name
            check_is_done(member, send(client, url, data), name)


@contextmanager
def undone(world: World) -> Iterator[None]:
    """Whatever happens within did not happen afterwards."""
    kept = deepcopy(world.rows)
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    world.rows = kept


def check_is_done(member: StaffAssignment, answer: Any, name: str) -> None:
    """The act was carried out: the last event is what this member of staff did."""
    assert answer.status_code in {200, 302}, (member.role, name)
    last = LedgerEvent.objects.order_by("-pk")[0]
    assert (last.actor_kind, last.actor_id) == ("staff", str(member.user_id)), (member.role, name, "was not done")


def test_whoever_looks_as_a_candidate_ends_it_and_anybody_else_comes_home(world: World) -> None:
    for role in ROLES:
        client = staff_client(staff_in(role))
        if Right.HELP_ACCOUNTS in ROLES[role].rights:
            client.post(address(world, "admin:accounts_candidate_look"), {"reason": "考生来电"})
            assert "looking" in client.session, role
            page = address(world, "admin:accounts_candidate_change")
            assert client.post(address(world, END)).headers["Location"] == page, role
        assert "looking" not in client.session, role
        assert client.post(address(world, END)).headers["Location"] == "/staff/", role


def test_a_clerk_opens_the_own_site_and_none_beside_it_and_a_reviewer_all_of_the_point(world: World) -> None:
    beside = Site.objects.create(code=f"{OWN}02", point_id=OWN, name="第二", address="x", telephone="1", hours="9")
    for role, status in (("site_clerk", 404), ("point_reviewer", 200), ("region_admin", 200)):
        client = staff_client(staff_in(role))
        assert client.get(reverse("admin:accounts_site_change", args=[beside.pk])).status_code == status
        assert client.get(address(world, "admin:accounts_site_change")).status_code == 200
