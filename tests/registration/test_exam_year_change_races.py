"""Deciding a change of the exam year while somebody else does, each in a pair: without the lock, and with it."""

import pytest
from django.db import InternalError

from exam_portal.kit.errors import Refused
from registration.models import Exam, ExamYearChange
from registration.services import exam_year_changes
from tests.races import at_once, meet, take_locks_out
from tests.registration.changing import INSIDE, administrator, approve, hunan, point, propose

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.rule("R28")
@pytest.mark.parametrize("with_lock", [False, True])
def test_two_approve_at_once(exam: Exam, monkeypatch: pytest.MonkeyPatch, with_lock: bool) -> None:
    change = propose(hunan(exam), administrator(), notice="新通知")
    one, other = administrator(), administrator("")
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, exam_year_changes, "_waiting")
    results = at_once(lambda: approve(change, one), lambda: approve(change, other))
    (failed,) = [result for result in results if isinstance(result, Exception)]
    assert isinstance(failed, Refused)
    # Without the lock the second sees the row itself changed; with it, that this was decided.
    assert failed.code == ("wrong_state" if with_lock else "outdated")
    assert hunan(exam).notice == "新通知"


@pytest.mark.parametrize("with_lock", [False, True])
def test_one_withdraws_while_another_approves(exam: Exam, monkeypatch: pytest.MonkeyPatch, with_lock: bool) -> None:
    first, second = administrator(), administrator()
    change = propose(hunan(exam), first, notice="新通知")
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, exam_year_changes, "_waiting")
    results = at_once(
        lambda: exam_year_changes.withdraw(change=change, actor=first, at=INSIDE), lambda: approve(change, second)
    )
    (failed,) = [result for result in results if isinstance(result, Exception)]
    assert isinstance(failed, Refused if with_lock else InternalError)
    state = ExamYearChange.objects.get().state
    assert (state, hunan(exam).notice) in {("withdrawn", "请在规定时间内办理报名确认。"), ("live", "新通知")}


@pytest.mark.parametrize("with_turns", [False, True])
def test_two_vouch_for_the_last_examples_at_once(exam: Exam, monkeypatch: pytest.MonkeyPatch, with_turns: bool) -> None:
    """Each would still see the other's row as an example, and the exam would stay one."""
    Exam.objects.update(example=True)
    exam.levels.update(source="S")
    exam.regions.exclude(region="43").update(source="S")
    for row in (type(point()), type(point().sites.get())):
        row.objects.exclude(pk="4301").update(source="S")
    changes = [propose(row, administrator(), vouched=True) for row in (hunan(exam), point())]
    seconds = [administrator(), administrator()]
    if not with_turns:
        monkeypatch.setattr(exam_year_changes, "take_turn", lambda: None)
    meet(monkeypatch, exam_year_changes, "_waiting")
    meet(monkeypatch, exam_year_changes, "load")
    results = at_once(*(lambda c=c, s=s: approve(c, s) for c, s in zip(changes, seconds, strict=True)))
    assert not [result for result in results if isinstance(result, Exception)]
    exam.refresh_from_db()
    assert exam.example is not with_turns
