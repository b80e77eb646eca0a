"""Two at once with one code, one link or one last step, each in a pair: without the lock, and with it."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.tokens import PasswordResetTokenGenerator

from accounts.actors import SYSTEM, working_as
from accounts.models import LedgerEvent, StaffAssignment, User
from accounts.services import staff, two_step
from exam_portal import clock
from exam_portal.kit.errors import Refused
from tests import factories
from tests.races import at_once, meet, take_locks_out
from tests.staffing import Telephone

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def assignment(exam: object) -> StaffAssignment:
    return factories.make_staff(None, "43", role="region_admin")


def refusals(results: list[Any]) -> list[str]:
    return [result.code for result in results if isinstance(result, Refused)]


@pytest.mark.parametrize("with_lock", [False, True])
def test_one_code_used_twice_at_once(
    assignment: StaffAssignment, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    telephone = Telephone(assignment.user)
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, two_step, "_hold")
    code = telephone.code()
    results = at_once(*[lambda: two_step.use_code(user=assignment.user, typed=code)] * 2)
    assert refusals(results) == (["used"] if with_lock else [])


@pytest.mark.parametrize("with_lock", [False, True])
def test_many_guesses_at_once(assignment: StaffAssignment, monkeypatch: pytest.MonkeyPatch, with_lock: bool) -> None:
    Telephone(assignment.user)
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, two_step, "_hold", parties=8)
    results = at_once(*[lambda: two_step.use_code(user=assignment.user, typed="000000")] * 8)
    looked_at = refusals(results).count("wrong_code")
    assert looked_at == (two_step.MOST_WRONG if with_lock else 8)


@pytest.mark.parametrize("with_lock", [False, True])
def test_two_steps_removed_at_once(
    assignment: StaffAssignment, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    Telephone(assignment.user)
    Authenticator.objects.create(user=assignment.user, type="webauthn", data={"name": "钥匙", "credential": {}})
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, two_step, "_hold")
    how = {"user": assignment.user, "actor": working_as(assignment)}
    steps = [step.pk for step in two_step.steps_of(assignment.user)]
    results = at_once(*[lambda step=step: two_step.remove(**how, step=step) for step in steps])
    assert refusals(results) == (["last"] if with_lock else [])
    assert two_step.steps_of(assignment.user).count() == (1 if with_lock else 0)


@pytest.mark.parametrize("with_lock", [False, True])
def test_one_link_used_twice_at_once(
    assignment: StaffAssignment, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    code = staff.make_link(actor=SYSTEM, user=assignment.user, at=clock.now()).partition("#")[2]
    if not with_lock:
        take_locks_out(monkeypatch)
        meet(monkeypatch, PasswordResetTokenGenerator, "check_token", parties=2)

    def use(password: str) -> User:
        return staff.set_password(code=code, password=password, at=clock.now())

    results = at_once(lambda: use("kettle drum at dawn"), lambda: use("copper wire at dusk"))
    assert refusals(results) == (["expired"] if with_lock else [])


@pytest.mark.parametrize("with_lock", [False, True])
def test_one_role_ended_twice_at_once(
    assignment: StaffAssignment, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, staff, "_may_end")
    at = clock.now()
    at_once(*[lambda: staff.end(actor=SYSTEM, assignment=assignment, at=at)] * 2)
    assert LedgerEvent.objects.filter(action="staff.ended").count() == (1 if with_lock else 2)


def test_two_roles_given_at_once_are_one(exam: object) -> None:
    """The trigger holds the account's row: there is no lock of ours to take out."""
    given = {"actor": SYSTEM, "username": "wangfang", "name": "王芳", "role": "auditor", "code": ""}
    at = clock.now()
    results = at_once(*[lambda: staff.add(**given, at=at)] * 2)
    assert refusals(results) == ["overlaps"]
    assert StaffAssignment.objects.filter(user__username="wangfang").count() == 1
