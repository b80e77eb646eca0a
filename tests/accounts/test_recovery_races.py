"""Recovering an account while its identity is changed or it is deleted: one waits for the other, and neither breaks."""

import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError

from accounts.actors import Actor
from accounts.models import Candidate, IdentityRequest, Message, Point, RecoveryAttempts
from accounts.services import identity_changes, ledger, recovery
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked
from tests.accounts.recovering import NEW, make_somebody
from tests.accounts.requests import ask_deletion, check
from tests.races import at_once, meet

pytestmark = pytest.mark.django_db(transaction=True)


def take_the_candidates_lock_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let recovery begin with other rows than the candidate's, to show what that would bring."""
    monkeypatch.setattr(recovery, "hold", lambda candidate: candidate)
    monkeypatch.setattr(recovery, "locked", lambda rows: rows if rows.model is Candidate else locked(rows))


def kinds(results: list[Any]) -> list[type]:
    return [type(result) for result in results if isinstance(result, Exception)]


@pytest.mark.rule("R06", "R07")
@pytest.mark.parametrize("with_lock", [False, True])
def test_a_new_password_while_the_account_is_deleted(
    point: Point, clerk: Actor, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    somebody = make_somebody()
    request = ask_deletion(somebody, point)
    proof = recovery.answer(asked=recovery.ask(login="zhangsan"), typed="实验小学")
    if not with_lock:
        take_the_candidates_lock_out(monkeypatch)
    meet(monkeypatch, recovery, "validate_password")
    meet(monkeypatch, identity_changes, "_write")
    results = at_once(
        lambda: recovery.set_password(proof=proof, password=NEW),
        lambda: check(request, clerk),
    )
    if not with_lock:
        assert kinds(results) == [OperationalError]
        return
    assert kinds(results) in ([], [Refused])  # deleted first: there is nothing to recover
    assert IdentityRequest.objects.get().state == "done"


@pytest.mark.rule("R06", "R07")
@pytest.mark.parametrize("with_lock", [False, True])
def test_telling_of_wrong_answers_while_the_account_is_deleted(
    point: Point, clerk: Actor, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    somebody = make_somebody()
    with pytest.raises(Refused):
        recovery.answer(asked=recovery.ask(login="zhangsan"), typed="falsch")
    request = ask_deletion(somebody, point)
    if not with_lock:
        take_the_candidates_lock_out(monkeypatch)

    def slowly(*event: Any, **payload: Any) -> None:
        ledger.record_about(*event, **payload)
        time.sleep(0.6)

    monkeypatch.setattr(recovery, "ledger", SimpleNamespace(record_about=slowly))
    meet(monkeypatch, identity_changes, "_write")
    results = at_once(recovery.sweep_attempts, lambda: check(request, clerk))
    if not with_lock:
        assert kinds(results) == [OperationalError]
        return
    assert kinds(results) == []
    assert (IdentityRequest.objects.get().state, RecoveryAttempts.objects.count()) == ("done", 0)


@pytest.mark.rule("R06")
def test_five_wrong_answers_at_once_are_five_tries(db: None) -> None:
    make_somebody()
    asked = recovery.ask(login="zhangsan")
    tries = [lambda number=number: recovery.answer(asked=asked, typed=f"falsch {number}") for number in range(10)]
    codes = [result.code for result in at_once(*tries)]
    assert sorted(codes) == ["too_many"] * 5 + ["wrong_answer"] * 5


@pytest.mark.rule("R06")
def test_a_right_answer_given_twice_at_once_is_right_twice_and_no_try(db: None) -> None:
    make_somebody()
    asked = recovery.ask(login="zhangsan")
    for _number in range(4):
        results = at_once(*[lambda: recovery.answer(asked=asked, typed="实验小学")] * 2)
        assert kinds(results) == []
    assert RecoveryAttempts.objects.get().tries == 0


@pytest.mark.rule("R06")
def test_the_same_new_password_twice_at_once_is_one_change(db: None) -> None:
    somebody = make_somebody()
    proof = recovery.answer(asked=recovery.ask(login="zhangsan"), typed="实验小学")
    results = at_once(*[lambda: recovery.set_password(proof=proof, password=NEW)] * 2)
    assert kinds(results) == []
    assert Message.objects.filter(kind="password_recovered").count() == 1
    with pytest.raises(Refused) as refused:  # and no other one
        recovery.set_password(proof=proof, password="purple mouse dishwasher")
    assert refused.value.code == "expired"
    somebody.user.refresh_from_db()
    assert somebody.user.check_password(NEW)
