"""Sessions of staff: a role at each request, no long pause, no more than two at once (R28, R32)."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from accounts.models import Candidate, LedgerEvent, Point, StaffAssignment
from accounts.services import sessions
from accounts.views import security
from exam_portal import clock
from tests import factories
from tests.accounts.recovering import OLD as CANDIDATES_PASSWORD
from tests.staffing import LOGIN, PASSWORD, SET_UP, Telephone, give_password, is_in, sign_in, staff_client

pytestmark = pytest.mark.django_db

AtTime = Callable[[datetime], None]


@pytest.fixture
def assignment(point: Point) -> StaffAssignment:
    made = factories.make_staff(point, role="site_clerk", site="430101")
    give_password(made.user)
    return made


def limit_until(assignment: StaffAssignment, until: datetime) -> None:
    assignment.valid_until = until
    assignment.save(update_fields=["valid_until"])


def without_role(page: Any) -> bool:
    """Whether it is the page that says so."""
    return "accounts/no_role.html" in {template.name for template in page.templates}


# --- A role -----------------------------------------------------------------------------------------
@pytest.mark.rule("R28")
def test_a_session_ends_with_the_role_by_time_too(assignment: StaffAssignment, at_time: AtTime) -> None:
    until = clock.now() + timedelta(hours=1)
    limit_until(assignment, until)
    client = staff_client(assignment)
    at_time(until - timedelta(seconds=5))
    assert is_in(client)
    at_time(until)
    assert client.get(SET_UP).headers["Location"] == f"{LOGIN}?next={SET_UP}"
    assert "没有角色" in client.get(LOGIN).content.decode()
    assert not is_in(client)


@pytest.mark.parametrize("from_days", [None, 1])
def test_without_a_role_the_right_password_is_told_so_and_signs_nobody_in(
    assignment: StaffAssignment, from_days: int | None
) -> None:
    now = clock.now()
    limit_until(assignment, now - timedelta(minutes=1))
    if from_days:
        factories.make_staff(region="43", since=now + timedelta(days=from_days), user=assignment.user)
    telephone = Telephone(assignment.user)
    client = Client()
    page = client.post(LOGIN, {"login": assignment.user.username, "password": PASSWORD})
    assert (page.status_code, page.templates[0].name) == (403, "accounts/no_role.html")
    assert client.post(reverse("mfa_authenticate"), {"code": telephone.code()}).headers["Location"] == LOGIN
    assert not is_in(client)
    wrong = client.post(LOGIN, {"login": assignment.user.username, "password": "wrong"})
    assert wrong.status_code == 200
    assert list(LedgerEvent.objects.filter(action="sign_in.failed").values_list("payload__why", flat=True)) == [
        "no_role",
        "password",
    ]


def test_a_role_that_ends_between_the_steps_signs_nobody_in(assignment: StaffAssignment) -> None:
    telephone = Telephone(assignment.user)
    client = sign_in(assignment.user)
    limit_until(assignment, clock.now())
    page = client.post(reverse("mfa_authenticate"), {"code": telephone.code()})
    assert (page.status_code, without_role(page)) == (403, True)
    assert not is_in(client)
    assert not LedgerEvent.objects.filter(action="sign_in.done").exists()
    assert LedgerEvent.objects.get(action="sign_in.failed").payload == {"why": "no_role"}


def ends_before(assignment: StaffAssignment, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, just before which somebody else ends the role."""

    def called(*args: Any, **how: Any) -> Any:
        limit_until(assignment, clock.now() - timedelta(minutes=1))
        return function(*args, **how)

    return called


@pytest.mark.rule("R28")
def test_a_role_that_ends_at_the_moment_of_signing_in_signs_nobody_in(
    assignment: StaffAssignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    telephone, client = Telephone(assignment.user), sign_in(assignment.user)
    monkeypatch.setattr(sessions, "end_oldest", ends_before(assignment, sessions.end_oldest))
    page = client.post(reverse("mfa_authenticate"), {"code": telephone.code()})
    assert (page.status_code, without_role(page)) == (403, True)
    assert "登录成功" not in page.content.decode() + client.get(LOGIN).content.decode()
    assert not is_in(client)
    assert not LedgerEvent.objects.filter(action="sign_in.done").exists()


@pytest.mark.rule("R28")
@pytest.mark.parametrize("end", ["all", "others"])
def test_a_role_that_ends_while_its_holder_ends_sessions_signs_out_and_says_so(
    assignment: StaffAssignment, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    telephone, page = Telephone(assignment.user), reverse("accounts:staff_security")
    began = int(time.time()) // 30 * 30 + 5
    with time_machine.travel(began, tick=False):
        sign_in(assignment.user, telephone)
    with time_machine.travel(began + 30, tick=False):
        client = sign_in(assignment.user, telephone)
        monkeypatch.setattr(security, "_end_sessions", ends_before(assignment, security._end_sessions))
        assert client.post(page, {"end": end}).headers["Location"] == page
        assert client.get(page).headers["Location"] == f"{LOGIN}?next={page}"
        assert "没有角色" in client.get(LOGIN).content.decode()
    assert not LedgerEvent.objects.filter(action="sessions.ended").exists()


# --- A pause ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(("minutes", "stays"), [(29, True), (30, False)])
def test_a_long_pause_signs_out_and_leads_back(assignment: StaffAssignment, minutes: int, stays: bool) -> None:
    began = time.time()
    with time_machine.travel(began, tick=False):
        client = staff_client(assignment)
        assert is_in(client)
    with time_machine.travel(began + minutes * 60, tick=False):
        answer = client.get(SET_UP)
        assert (answer.status_code == 200) == stays
        if not stays:
            assert answer.headers["Location"] == f"{LOGIN}?next={SET_UP}"
            assert "长时间未操作" in client.get(LOGIN).content.decode()


def test_each_request_begins_the_pause_anew(assignment: StaffAssignment) -> None:
    began, client = time.time(), staff_client(assignment)
    for minutes in range(0, 100, 20):
        with time_machine.travel(began + minutes * 60, tick=False):
            assert is_in(client)


def test_when_somebody_was_seen_is_written_once_a_minute(
    assignment: StaffAssignment, django_assert_num_queries: Any
) -> None:
    began, client = time.time(), staff_client(assignment)
    page = reverse("portal:home")
    with time_machine.travel(began, tick=False):
        client.get(page)
        with django_assert_num_queries(4):  # session, user, role, exams
            client.get(page)
    with time_machine.travel(began + 61, tick=False), django_assert_num_queries(7):  # and the session, saved
        client.get(page)


def test_what_was_sent_after_a_pause_is_not_done_and_leads_to_signing_in(assignment: StaffAssignment) -> None:
    telephone = Telephone(assignment.user)
    began, client = time.time(), staff_client(assignment)
    with time_machine.travel(began, tick=False):
        client.get(SET_UP)
    with time_machine.travel(began + 3600, tick=False):
        assert client.post(SET_UP, {"codes": "new"}).headers["Location"].startswith(LOGIN)
    assert not LedgerEvent.objects.filter(action="recovery_codes.made").exists()
    assert telephone


def test_the_pause_is_a_setting_and_candidates_have_none(
    assignment: StaffAssignment, somebody: Candidate, settings: Any
) -> None:
    settings.PORTAL_STAFF_IDLE_MINUTES = 5
    began, client, other = time.time(), staff_client(assignment), Client()
    other.post(LOGIN, {"login": somebody.user.username, "password": CANDIDATES_PASSWORD})
    with time_machine.travel(began, tick=False):
        assert is_in(client)
    with time_machine.travel(began + 301, tick=False):
        assert not is_in(client)
        assert other.get(reverse("portal:dashboard")).status_code == 200


# --- How many ---------------------------------------------------------------------------------------
def test_a_third_session_ends_the_oldest_and_says_so(assignment: StaffAssignment) -> None:
    telephone = Telephone(assignment.user)
    began, clients = int(time.time()) // 30 * 30 + 5, []
    for turn in range(3):
        with time_machine.travel(began + turn * 30, tick=False):
            clients.append(sign_in(assignment.user, telephone))
    with time_machine.travel(began + 90, tick=False):
        assert "1 处" in clients[2].get(SET_UP).content.decode()
        assert [is_in(client) for client in clients] == [False, True, True]
    assert UserSession.objects.count() == 2
    ended = LedgerEvent.objects.filter(action="sign_in.done").values_list("payload__ended", flat=True)
    assert list(ended) == [0, 0, 1]


def test_a_sign_in_that_does_not_succeed_ends_no_session(assignment: StaffAssignment) -> None:
    telephone = Telephone(assignment.user)
    began, clients = int(time.time()) // 30 * 30 + 5, []
    for turn in range(2):
        with time_machine.travel(began + turn * 30, tick=False):
            clients.append(sign_in(assignment.user, telephone))
    with time_machine.travel(began + 60, tick=False):
        assert not is_in(sign_in(assignment.user, telephone, code="000000"))
        assert [is_in(client) for client in clients] == [True, True]


def test_candidates_have_as_many_sessions_as_they_like(somebody: Candidate) -> None:
    for _turn in range(4):
        Client().post(LOGIN, {"login": somebody.user.username, "password": CANDIDATES_PASSWORD})
    assert UserSession.objects.filter(user=somebody.user).count() == 4


@pytest.mark.rule("R32")
def test_candidates_go_to_their_page_and_are_asked_no_second_step(somebody: Candidate) -> None:
    answer = Client().post(LOGIN, {"login": somebody.user.username, "password": CANDIDATES_PASSWORD})
    assert answer.headers["Location"] == reverse("portal:dashboard")
