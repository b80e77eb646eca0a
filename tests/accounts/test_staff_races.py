"""Two at once about one account of staff, each in a pair: without the lock, and with it (R28)."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from accounts.actors import SYSTEM, working_as
from accounts.models import LedgerEvent, StaffAssignment, User
from accounts.services import ledger, staff
from exam_portal import clock
from exam_portal.kit.errors import Refused
from tests import factories
from tests.races import at_once, meet, take_locks_out

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.rule("R28")]


def refusals(results: list[Any]) -> list[str]:
    """The codes of what was refused; anything else that went wrong fails the test."""
    assert [result for result in results if isinstance(result, Exception) and not isinstance(result, Refused)] == []
    return [result.code for result in results if isinstance(result, Refused)]


def giving(region: str, *, username: str = "wangfang", days: int = 0) -> Callable[[], StaffAssignment]:
    """Their administrator gives somebody a role in this region, for a day that begins after so many."""
    admin = working_as(factories.make_staff(region=region, role="region_admin"))
    now = clock.now()
    begins = now + timedelta(days=days)
    given = {"name": "王芳", "role": "region_reviewer", "code": region, "at": now, "valid_from": begins}
    return lambda: staff.add(actor=admin, username=username, **given, valid_until=begins + timedelta(days=1))


@pytest.mark.parametrize("spelling", ["wangfang", "wang-fang"])
@pytest.mark.parametrize("days", [0, 30])
def test_two_regions_add_one_new_username_at_once(exam: object, spelling: str, days: int) -> None:
    """The unique name makes the second wait for the first: there is no lock of ours to take out."""
    results = at_once(giving("43"), giving("12", username=spelling, days=days))
    assert refusals(results) in (["overlaps"], ["spelled_otherwise"])
    assert (refusals(results) == ["overlaps"]) == (spelling == "wangfang")
    user = User.objects.get(sign_in_name="WANGFANG")
    assert StaffAssignment.objects.get(user=user).name == "王芳"


@pytest.mark.parametrize("with_lock", [False, True])
def test_two_regions_give_one_account_roles_for_other_days_at_once(
    exam: object, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    User.objects.create(username="wangfang", kind="staff", is_staff=True, password="!")
    acts = giving("43"), giving("12", days=30)
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, staff, "_manages_all")
    results = at_once(*acts)
    assert refusals(results) == (["overlaps"] if with_lock else [])
    assert StaffAssignment.objects.filter(user__username="wangfang").count() == (1 if with_lock else 2)


@pytest.mark.parametrize("with_lock", [False, True])
def test_a_role_ends_while_its_holder_acts(exam: object, monkeypatch: pytest.MonkeyPatch, with_lock: bool) -> None:
    """The holder acts while the end is written and not yet committed: with the lock the act waits, and is refused."""
    holder = factories.make_staff(region="43", role="region_admin")
    member = factories.make_staff(region="43")
    ended, acted, end_sessions = Event(), Event(), staff.sessions.end_all
    if not with_lock:
        monkeypatch.setattr(ledger, "_ROLE_IN_FORCE", ledger._ROLE_IN_FORCE.replace("FOR SHARE", ""))

    def end_sessions_slowly(*, user: User, **how: Any) -> int:
        if user == holder.user:
            ended.set()
            acted.wait(timeout=1)
        return end_sessions(user=user, **how)

    def end_the_holders() -> None:
        staff.end(actor=SYSTEM, assignment=holder, at=clock.now())

    def make_a_link() -> str:
        ended.wait(timeout=5)
        try:
            return staff.make_link(actor=working_as(holder), user=member.user, at=clock.now())
        finally:
            acted.set()

    monkeypatch.setattr(staff.sessions, "end_all", end_sessions_slowly)
    results = at_once(end_the_holders, make_a_link)
    assert refusals(results) == (["forbidden"] if with_lock else [])
    assert LedgerEvent.objects.filter(action="password.link_made").exists() is not with_lock


def test_what_was_on_its_way_when_the_role_ended_is_refused(exam: object) -> None:
    """However slowly a request brings its body: when it arrived the role was in force, and it is not any more."""
    holder, member = factories.make_staff(region="43", role="region_admin"), factories.make_staff(region="43")
    arrived = clock.now()
    staff.end(actor=SYSTEM, assignment=holder, at=clock.now())
    with pytest.raises(Refused) as refused:
        staff.make_link(actor=working_as(holder), user=member.user, at=arrived)
    assert refused.value.code == "forbidden"
    assert not LedgerEvent.objects.filter(action="password.link_made").exists()


@pytest.mark.parametrize("with_lock", [False, True])
def test_two_who_end_each_others_roles_at_once(exam: object, monkeypatch: pytest.MonkeyPatch, with_lock: bool) -> None:
    """Without one order of the locks each waits for the other until PostgreSQL ends it; with it the first is first."""
    first, second = (factories.make_staff(region="43", role="region_admin") for _ in range(2))
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, staff, "_may_end")
    at = clock.now()

    def ending(actor: StaffAssignment, other: StaffAssignment) -> Callable[[], None]:
        return lambda: staff.end(actor=working_as(actor), assignment=other, at=at)

    results = at_once(ending(first, second), ending(second, first))
    if with_lock:
        assert refusals(results) == ["forbidden"]
    else:
        assert ["deadlock detected" in str(result) for result in results].count(True) == 1
    assert StaffAssignment.objects.filter(valid_until=None).count() == 1
