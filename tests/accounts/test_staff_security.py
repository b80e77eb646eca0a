"""What somebody of staff does about the own account: another password, and where one is signed in (R32)."""

import time
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.actors import working_as
from accounts.models import LedgerEvent, StaffAssignment
from accounts.services import sessions, staff
from exam_portal import clock
from exam_portal.kit.errors import Refused
from tests import factories
from tests.staffing import HOME, PASSWORD, Telephone, give_password, is_in, sign_in, staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R32")]

SECURITY, CHANGE = reverse("accounts:staff_security"), reverse("accounts:staff_password")
NEW = "copper wire at dusk"
TYPED = {"password": PASSWORD, "password1": NEW, "password2": NEW}


@pytest.fixture
def assignment(exam: object) -> StaffAssignment:
    made = factories.make_staff(region="43")
    give_password(made.user)
    return made


@pytest.fixture
def places(assignment: StaffAssignment) -> list[Client]:
    """Two browsers in which the same person is signed in."""
    telephone = Telephone(assignment.user)
    began, clients = int(time.time()) // 30 * 30 - 25, []
    for turn in range(2):
        with time_machine.travel(began + turn * 30):
            clients.append(sign_in(assignment.user, telephone))
    assert [is_in(client) for client in clients] == [True, True]
    return clients


def events() -> list[tuple[str, dict[str, Any]]]:
    found = LedgerEvent.objects.filter(action__in=["password.changed", "sessions.ended"], stream="staff")
    return list(found.values_list("action", "payload"))


def test_the_staff_site_leads_there(assignment: StaffAssignment) -> None:
    client = staff_client(assignment)
    assert f'href="{SECURITY}"' in client.get(HOME).content.decode()
    page = client.get(SECURITY).content.decode()
    assert f'href="{CHANGE}"' in page and f'href="{reverse("accounts:two_step")}"' in page


def test_a_changed_password_ends_the_other_sessions_and_this_one_goes_on(
    assignment: StaffAssignment, places: list[Client]
) -> None:
    here, _there = places
    assert here.post(CHANGE, TYPED).headers["Location"] == SECURITY
    assert [is_in(client) for client in places] == [True, False]
    assert [row.here for row in here.get(SECURITY).context["sessions"]] == [True]
    assignment.user.refresh_from_db()
    assert assignment.user.check_password(NEW)
    assert events() == [("password.changed", {"ended": 1})]
    assert LedgerEvent.objects.get(action="password.changed").actor_id == str(assignment.user_id)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"password": "x"}, "password"),
        ({"password1": "1", "password2": "1"}, "password1"),
        ({"password2": "x"}, "password2"),
    ],
)
def test_a_wrong_or_weak_password_changes_nothing(
    assignment: StaffAssignment, places: list[Client], wrong: dict[str, str], field: str
) -> None:
    response = places[0].post(CHANGE, {**TYPED, **wrong})
    assert set(response.context["form"].errors) == {field}
    assert [is_in(client) for client in places] == [True, True]
    assignment.user.refresh_from_db()
    assert assignment.user.check_password(PASSWORD) and events() == []


def test_it_is_asked_who_one_is_first(assignment: StaffAssignment) -> None:
    client = staff_client(assignment, proved=False)
    for response in (client.get(CHANGE), client.post(CHANGE, TYPED)):
        assert response.headers["Location"].startswith("/account/confirm/?next=")
    assert events() == []


def test_who_guesses_the_present_password_is_stopped(assignment: StaffAssignment) -> None:
    cache.clear()
    client = staff_client(assignment)
    statuses = [client.post(CHANGE, {**TYPED, "password": f"guess {number}"}).status_code for number in range(6)]
    assert statuses == [200] * 5 + [429]


def test_other_places_are_ended_one_by_one_or_all_at_once(assignment: StaffAssignment, places: list[Client]) -> None:
    here, there = places
    (other,) = [row.number for row in here.get(SECURITY).context["sessions"] if not row.here]
    elsewhere = UserSession.objects.create(user=factories.make_staff().user, session_key="x" * 32, ip="127.0.0.1")
    here.post(SECURITY, {"end": str(elsewhere.pk)})
    assert UserSession.objects.filter(pk=elsewhere.pk).exists() and is_in(there)
    assert here.post(SECURITY, {"end": str(other)}).headers["Location"] == SECURITY
    assert [is_in(client) for client in places] == [True, False]
    assert events() == [("sessions.ended", {"count": 1})]
    assert here.post(SECURITY, {"end": "all"}).headers["Location"] == reverse("account_login")
    assert not is_in(here)


def test_nobody_changes_or_ends_for_another(assignment: StaffAssignment) -> None:
    other = working_as(factories.make_staff(role="national_admin"))
    how = {"user": assignment.user, "actor": other}
    with pytest.raises(Refused) as refused:
        staff.change_password(**how, present=PASSWORD, password=NEW, keep="", at=clock.now())
    assert refused.value.code == "forbidden"
    with pytest.raises(Refused) as refused:
        sessions.sign_out(**how)
    assert refused.value.code == "forbidden"
    assert events() == []
