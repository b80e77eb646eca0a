"""Changing an identity while something else happens to it, each in a pair: without the lock, and with it (R07)."""

import sys
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.db import DatabaseError, InternalError, OperationalError

from accounts.actors import Actor, acting
from accounts.models import Candidate, Channel, IdentityRequest, LedgerEvent, Message, Point, Question
from accounts.services import identity_changes, identity_desk, identity_requests, registering
from exam_portal import clock
from exam_portal.kit import hooks
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked
from registration.models import Application, Submission
from registration.services import applications, snapshot
from tests import factories
from tests.accounts.requests import approve, ask_change, ask_deletion, check, report
from tests.factories import resident_id
from tests.races import at_once, meet, take_locks_out

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.rule("R07")
@pytest.mark.parametrize("with_lock", [False, True])
def test_two_of_the_region_decide_at_once(
    candidate: Candidate,
    point: Point,
    clerk: Actor,
    region: Actor,
    monkeypatch: pytest.MonkeyPatch,
    with_lock: bool,
) -> None:
    request = check(ask_change(candidate, point, id_number=resident_id(7)), clerk)
    other = factories.staff_of(None, "43")
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, identity_desk, "_opened")
    results = at_once(lambda: approve(request, region), lambda: approve(request, other))
    (failed,) = [result for result in results if isinstance(result, Exception)]
    if with_lock:
        assert isinstance(failed, Refused)
        assert failed.code == "wrong_state"
    else:
        assert isinstance(failed, InternalError)  # the trigger is the last guard; the person would have seen an error
    candidate.refresh_from_db()
    assert candidate.id_number == resident_id(7)
    assert Message.objects.filter(kind="identity_changed").count() == 1


@pytest.mark.rule("R07")
@pytest.mark.parametrize("with_lock", [False, True])
def test_submitting_while_the_name_is_changed(
    draft: Application, point: Point, clerk: Actor, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    """Either the change comes first and the snapshot has the new name, or the submission stands against it."""
    candidate = draft.candidate
    request = ask_change(candidate, point, name="张珊")
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, snapshot, "take")
    meet(monkeypatch, hooks, "load")
    at_once(
        lambda: applications.submit(application=draft, actor=acting(candidate), at=clock.now()),
        lambda: check(request, clerk),
    )
    candidate.refresh_from_db()
    submitted = Submission.objects.get().content["candidate"]["name"]
    if with_lock:
        assert submitted == candidate.name
    else:
        assert (submitted, candidate.name) == ("张三", "张珊")


@pytest.mark.rule("R04", "R07")
def test_somebody_signs_up_with_the_number_to_which_an_account_changes(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = check(ask_change(candidate, point, id_number=resident_id(7)), clerk)
    meet(monkeypatch, identity_requests.Identity, "account")

    def sign_up() -> Any:
        return registering.register_candidate(
            name="李四",
            id_type="resident_id",
            id_number=resident_id(7),
            username="somebody",
            password="correct horse battery",
            question=Question.SCHOOL,
            answer="实验小学",
            channel=Channel.WEB,
            at=clock.now(),
        )

    results = at_once(sign_up, lambda: approve(request, region))
    (failed,) = [result for result in results if isinstance(result, Exception)]
    assert isinstance(failed, Refused)
    assert failed.code == "id_taken"
    (holder,) = [c for c in Candidate.objects.all() if c.id_number == resident_id(7)]
    carried_out = IdentityRequest.objects.get().state == "done"
    assert (holder == candidate) is carried_out


@pytest.mark.rule("R07")
@pytest.mark.parametrize("with_lock", [False, True])
def test_refusing_a_request_while_an_application_is_closed_for_it(
    draft: Application, point: Point, clerk: Actor, region: Actor, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    """The one who refuses comes after the request was read for closing: it waits, or what is refused was closed for."""
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    request = ask_change(draft.candidate, point, name="张珊")
    if not with_lock:
        take_locks_out(monkeypatch)
    read, refused = Event(), Event()
    lock = applications._locked

    def after_reading(application: Application) -> Application:
        read.set()
        refused.wait(timeout=0.5)  # with the lock the one who refuses waits for us, and this runs out
        return lock(application)

    monkeypatch.setattr(applications, "_locked", after_reading)

    def refuse() -> None:
        assert read.wait(timeout=10)
        identity_desk.refuse(request=request, actor=clerk, reason="证明不足", at=clock.now())
        refused.set()

    close = {"application": draft, "request": request, "actor": region, "reason": "x", "at": clock.now()}
    assert at_once(lambda: applications.close_for_identity(**close), refuse) == [None, None]
    events = LedgerEvent.objects.filter(action__in=["application.close_submitted", "identity_request.refused"])
    order = ["application.close_submitted", "identity_request.refused"]
    assert list(events.order_by("pk").values_list("action", flat=True)) == (order if with_lock else order[::-1])


@pytest.mark.rule("R07")
@pytest.mark.parametrize("applied_for", ["change", "deletion"])
def test_a_candidates_button_pressed_twice_at_once_makes_one(
    candidate: Candidate, point: Point, monkeypatch: pytest.MonkeyPatch, applied_for: str
) -> None:
    acts: dict[str, Any] = {
        "change": lambda: ask_change(candidate, point, name="张珊"),
        "deletion": lambda: ask_deletion(candidate, point),
    }
    meet(monkeypatch, identity_requests, "check_acts_for")
    first, second = at_once(acts[applied_for], acts[applied_for])
    assert first == second == IdentityRequest.objects.get()
    assert list(LedgerEvent.objects.values_list("action", flat=True)) == ["identity_request.made"]


@pytest.mark.rule("R07")
@pytest.mark.parametrize("browsers", [1, 2])
def test_a_report_sent_twice_at_once(
    newcomer: Candidate, point: Point, monkeypatch: pytest.MonkeyPatch, browsers: int
) -> None:
    """Of two browsers there are two, so both were at it at once; of one there is one, and both presses answer it."""
    meet(monkeypatch, identity_requests, "keyed_digest")
    made = at_once(*(partial(report, resident_id(7), point, browser=f"{n % browsers}") for n in range(2)))
    assert {request.pk for request in made} == set(IdentityRequest.objects.values_list("pk", flat=True))
    assert IdentityRequest.objects.count() == LedgerEvent.objects.count() == browsers


@pytest.mark.rule("R07")
@pytest.mark.parametrize("with_lock", [False, True])
def test_a_request_made_anew_while_it_is_checked(
    candidate: Candidate, point: Point, clerk: Actor, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    """Either it is carried out first, and the new one starts from there; or it is void, and who checks is told so."""
    request = ask_change(candidate, point, name="张珊")
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, identity_desk, "_opened")
    meet(monkeypatch, identity_requests, "hold")
    checked, anew = at_once(lambda: check(request, clerk), lambda: ask_change(candidate, point, name="张姗"))
    failed = [result for result in (checked, anew) if isinstance(result, Exception)]
    if with_lock:
        assert isinstance(anew, IdentityRequest)
        assert [getattr(error, "code", error) for error in failed] in ([], ["wrong_state"])
    else:
        assert [type(error) for error in failed] in ([InternalError], [DatabaseError])  # the row is done, or gone


@pytest.mark.rule("R07")
def test_refusing_one_application_while_another_deletes_the_account_is_no_deadlock(
    candidate: Candidate, point: Point, clerk: Actor, region: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who refuses holds the application and writes to the candidate, whose row is taken by who wants to void it."""
    own = ask_change(candidate, point, name="张珊")
    waiting = check(report(candidate.id_number, point), clerk)
    held, taken = Event(), Event()
    tell, write = identity_desk.tell, identity_changes._write

    def tell_later(request: IdentityRequest, *args: Any, **facts: Any) -> None:
        held.set()
        taken.wait(timeout=0.5)
        tell(request, *args, **facts)

    def write_and_say(*args: Any) -> None:
        write(*args)
        taken.set()

    monkeypatch.setattr(identity_desk, "tell", tell_later)
    monkeypatch.setattr(identity_changes, "_write", write_and_say)
    results = at_once(
        lambda: identity_desk.refuse(request=own, actor=clerk, reason="证明不足", at=clock.now()),
        lambda: held.wait(timeout=10) and approve(waiting, region),
    )
    assert [result.state for result in results] == ["refused", "done"]


def hold_keys_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lock rows so that nobody may refer to them meanwhile, to show what that would bring."""
    for module in list(sys.modules.values()):
        if getattr(module, "locked", None) is locked:
            monkeypatch.setattr(module, "locked", lambda rows: rows.select_related(None).select_for_update())


@pytest.mark.parametrize("with_keys", [True, False])
def test_withdrawing_while_submitting_is_no_deadlock(
    draft: Application, monkeypatch: pytest.MonkeyPatch, with_keys: bool
) -> None:
    """One holds the candidate and wants the application; the other holds that and writes a message to the candidate."""
    how: dict[str, Any] = {"application": draft, "actor": acting(draft.candidate), "at": clock.now()}
    applications.submit(**how)
    if with_keys:
        hold_keys_too(monkeypatch)
    meet(monkeypatch, applications, "hold")
    meet(monkeypatch, applications, "move")
    results = at_once(lambda: applications.withdraw(**how), lambda: applications.submit(**how))
    failed = [result for result in results if isinstance(result, Exception)]
    assert [type(error) for error in failed] == ([OperationalError] if with_keys else [])


@pytest.mark.parametrize("with_keys", [True, False])
def test_refusing_while_somebody_checks_is_no_deadlock(
    candidate: Candidate, point: Point, clerk: Actor, monkeypatch: pytest.MonkeyPatch, with_keys: bool
) -> None:
    how: dict[str, Any] = {"request": ask_change(candidate, point, name="张珊"), "actor": clerk, "at": clock.now()}
    if with_keys:
        hold_keys_too(monkeypatch)
    meet(monkeypatch, identity_desk, "check_sees")
    meet(monkeypatch, identity_desk, "record")
    results = at_once(
        lambda: identity_desk.refuse(reason="证明不足", **how),
        lambda: identity_desk.check(proof=b"%PDF-1.7", remark="", **how),
    )
    failed = [result for result in results if isinstance(result, Exception)]
    assert [type(error) for error in failed] == ([OperationalError] if with_keys else [Refused])
