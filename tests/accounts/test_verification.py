"""Verifying education records: by verifiers that the settings name, or by staff; without either nothing is lost."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from kombu.exceptions import OperationalError

from accounts.actors import SYSTEM, VISITOR, Actor, acting
from accounts.models import Candidate, EducationRecord, LedgerEvent, Point
from accounts.services import verification
from accounts.tasks import sweep_verification, verify_education
from exam_portal import clock
from exam_portal.kit.hooks import check_hooks
from registration.models import Application, Exam
from tests import factories
from tests.accounts import verifiers
from tests.accounts.educating import add, correct
from tests.accounts.requests import ask_deletion, check, refusal
from tests.races import at_once, meet

pytestmark = pytest.mark.django_db

AtTime = Callable[[datetime], None]
Connect = Callable[..., list[str]]


@pytest.fixture
def connect(settings: Any) -> Connect:
    """`connect("says_yes")`: from now on these are the verifiers; returns what they are asked."""

    def connect_(*names: str) -> list[str]:
        verifiers.ASKED.clear()
        settings.EDUCATION_VERIFIERS = [f"tests.accounts.verifiers.{name}" for name in names]
        return verifiers.ASKED

    return connect_


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The records for which the bell rang."""
    numbers: list[int] = []
    monkeypatch.setattr(verify_education, "delay", numbers.append)
    return numbers


@pytest.fixture
def applicant(draft: Application) -> Candidate:
    """A candidate who applies at the exam point of `clerk`."""
    return draft.candidate


def state(record: EducationRecord) -> tuple[str, datetime | None, datetime | None]:
    record.refresh_from_db()
    return record.verification, record.verified_at, record.ask_at


def told() -> list[tuple[str, str, Any]]:
    """Who set which state of which record, as the ledger has it."""
    events = LedgerEvent.objects.filter(action="education.verification").order_by("pk")
    return [(event.actor_kind, event.reason, event.payload) for event in events]


def set_state(record: EducationRecord, value: str = "passed", *, actor: Actor, reason: str = "与原件一致") -> None:
    verification.set_verification(record=record, actor=actor, state=value, reason=reason, at=clock.now())


# --- Without a verifier -------------------------------------------------------------------------
def test_by_default_no_verifier_is_connected(settings: Any) -> None:
    assert settings.EDUCATION_VERIFIERS == []


def test_without_a_verifier_nothing_is_rung_nor_asked(
    newcomer: Candidate, rung: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        record = add(newcomer)
    before = state(record)
    assert (rung, verification.sweep(), verification.ask(record_id=record.pk)) == ([], 0, False)
    assert (state(record), told()) == (before, [])


def test_records_of_that_time_are_asked_about_once_a_verifier_is_connected(
    newcomer: Candidate, connect: Connect
) -> None:
    record = add(newcomer, "1")
    asked = connect("says_yes")
    assert verification.sweep() == 1
    assert (asked, state(record)[0]) == (["yes 1"], "passed")


# --- The bell -----------------------------------------------------------------------------------
def test_the_bell_rings_for_a_record_once_it_is_saved(
    newcomer: Candidate, connect: Connect, rung: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    asked = connect("says_yes")
    with django_capture_on_commit_callbacks(execute=True):
        record = add(newcomer, "1")
        assert rung == []
    assert rung == [record.pk]
    with django_capture_on_commit_callbacks(execute=True):
        corrected = correct(record, "2")
    assert (rung, asked) == ([record.pk, corrected.pk], [])


def test_the_bell_is_not_rung_for_what_was_refused_or_was_there(
    newcomer: Candidate, connect: Connect, rung: list[int], django_capture_on_commit_callbacks: Any
) -> None:
    record = add(newcomer, "1")
    connect("says_yes")
    with django_capture_on_commit_callbacks(execute=True):
        add(newcomer, "1")
        assert refusal(lambda: correct(record, "1")) == "unchanged"
    assert rung == []


def test_a_dead_broker_stops_nobody_and_the_sweeper_finds_the_record(
    newcomer: Candidate, connect: Connect, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def dead(_record_id: int) -> None:
        raise OperationalError

    monkeypatch.setattr(verify_education, "delay", dead)
    asked = connect("says_yes")
    with django_capture_on_commit_callbacks(execute=True):
        record = add(newcomer, "1")
    assert (asked, state(record)[0]) == ([], "unverified")
    sweep_verification()
    assert (asked, state(record)[0]) == (["yes 1"], "passed")


# --- What a verifier answers --------------------------------------------------------------------
@pytest.mark.parametrize(("name", "value"), [("says_yes", "passed"), ("says_no", "failed")])
def test_an_answer_sets_the_state_once_and_for_all(
    newcomer: Candidate, connect: Connect, at_time: AtTime, name: str, value: str
) -> None:
    record = add(newcomer, "1")
    asked = connect(name)
    begun = clock.now()
    assert verification.ask(record_id=record.pk)
    now, verified_at, ask_at = state(record)
    assert (now, ask_at) == (value, None)
    assert verified_at is not None
    assert begun <= verified_at <= clock.now()
    assert told() == [("system", "", {"record": record.pk, "state": value})]
    at_time(clock.now() + timedelta(days=400))
    assert (verification.ask(record_id=record.pk), verification.sweep()) == (False, 0)
    assert (len(asked), len(told())) == (1, 1)


@pytest.mark.parametrize(
    ("name", "after"), [("cannot_say", timedelta(days=1)), ("raises", timedelta(minutes=10))], ids=["none", "raises"]
)
def test_who_cannot_say_is_asked_again_later(
    newcomer: Candidate, connect: Connect, at_time: AtTime, name: str, after: timedelta
) -> None:
    record = add(newcomer, "1")
    asked = connect(name)
    begun = clock.now()
    assert not verification.ask(record_id=record.pk)
    now, verified_at, ask_at = state(record)
    assert (now, verified_at, told()) == ("unverified", None, [])
    assert ask_at is not None
    assert begun + after <= ask_at <= clock.now() + after
    assert (verification.sweep(), len(asked)) == (0, 1)
    at_time(ask_at - timedelta(seconds=10))
    assert (verification.sweep(), len(asked)) == (0, 1)
    at_time(ask_at)
    connect("says_yes")
    assert verification.sweep() == 1
    assert state(record)[0] == "passed"


def test_what_a_verifier_raises_is_logged_by_its_name_only(
    newcomer: Candidate, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    record = add(newcomer, "105411201305000001")
    connect("raises")
    with caplog.at_level(logging.DEBUG):
        verification.ask(record_id=record.pk)
    assert [entry.getMessage() for entry in caplog.records if entry.name.startswith("accounts")] == [
        f"Education record {record.pk} could not be verified: ConnectionError."
    ]
    assert "105411201305000001" not in caplog.text
    assert newcomer.name not in caplog.text


@pytest.mark.parametrize(
    ("names", "asked_then", "value"),
    [
        (("cannot_say", "says_no", "says_yes"), ["none 1", "no 1"], "failed"),
        (("says_yes", "says_no"), ["yes 1"], "passed"),
        (("cannot_say", "cannot_say"), ["none 1", "none 1"], "unverified"),
        (("raises", "says_yes"), ["raises 1"], "unverified"),
    ],
)
def test_verifiers_are_asked_in_their_order_until_one_knows(
    newcomer: Candidate, connect: Connect, names: tuple[str, ...], asked_then: list[str], value: str
) -> None:
    record = add(newcomer, "1")
    asked = connect(*names)
    verification.ask(record_id=record.pk)
    assert (asked, state(record)[0]) == (asked_then, value)


def test_a_superseded_record_is_not_asked_about(newcomer: Candidate, connect: Connect) -> None:
    record = add(newcomer, "1")
    corrected = correct(record, "2")
    asked = connect("says_yes")
    assert not verification.ask(record_id=record.pk)
    assert verification.sweep() == 1
    assert (asked, state(record)[0], state(corrected)[0]) == (["yes 2"], "unverified", "passed")


def test_a_record_that_is_not_there_is_no_error(connect: Connect, db: None) -> None:
    asked = connect("says_yes")
    verify_education(0)
    assert asked == []


def test_the_sweeper_asks_about_each_record_that_is_due_oldest_first(candidate: Candidate, connect: Connect) -> None:
    newcomer = factories.CandidateFactory()
    for number in ("1", "2", "3"):
        add(newcomer, number)
    asked = connect("says_yes")
    assert verification.sweep() == 3
    assert asked == ["yes 1", "yes 2", "yes 3"]


# --- Two at once --------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("with_lock", [False, True])
def test_a_record_is_claimed_once_when_the_bell_and_the_sweeper_come_at_once(
    newcomer: Candidate, connect: Connect, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    record = add(newcomer, "1")
    asked = connect("says_yes")
    rows = type(EducationRecord.objects.all())
    if not with_lock:
        monkeypatch.setattr(rows, "select_for_update", lambda self, **_how: self)
    meet(monkeypatch, rows, "exists")
    results = at_once(lambda: verification.ask(record_id=record.pk), verification.sweep)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert len(asked) == (1 if with_lock else 2)
    assert state(record)[0] == "passed"
    if with_lock:
        assert len(told()) == 1


@pytest.mark.django_db(transaction=True)
def test_a_verifier_is_asked_outside_any_transaction(newcomer: Candidate, connect: Connect) -> None:
    record = add(newcomer)
    connect("holds_no_transaction")
    verification.ask(record_id=record.pk)
    assert state(record)[0] == "passed"


@pytest.mark.parametrize("value", ["passed", "failed"])
def test_staff_who_set_the_state_while_a_verifier_thinks_win(
    applicant: Candidate, connect: Connect, clerk: Actor, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    record = add(applicant, "1")
    connect("says_yes")

    def thinks(*, record: EducationRecord) -> bool | None:
        set_state(record, value, actor=clerk)
        return value == "failed"

    monkeypatch.setattr(verifiers, "says_yes", thinks)
    assert not verification.ask(record_id=record.pk)
    assert state(record)[0] == value
    assert told() == [("staff", "与原件一致", {"record": record.pk, "state": value})]


# --- Staff --------------------------------------------------------------------------------------
def test_staff_set_and_take_back_the_state_with_a_reason(applicant: Candidate, clerk: Actor) -> None:
    record, at = add(applicant), clock.now()
    verification.set_verification(record=record, actor=clerk, state="passed", reason=" 与原件一致 ", at=at)
    assert state(record) == ("passed", at, None)
    verification.set_verification(record=record, actor=clerk, state="failed", reason="学信网查无", at=at)
    assert state(record) == ("failed", at, None)
    verification.set_verification(record=record, actor=clerk, state="unverified", reason="误操作", at=at)
    assert state(record) == ("unverified", None, None)
    assert told() == [
        ("staff", reason, {"record": record.pk, "state": value})
        for reason, value in (("与原件一致", "passed"), ("学信网查无", "failed"), ("误操作", "unverified"))
    ]


def test_the_same_state_twice_is_once(applicant: Candidate, clerk: Actor) -> None:
    record = add(applicant)
    set_state(record, actor=clerk)
    before = state(record)
    set_state(record, actor=clerk)
    assert (state(record), len(told())) == (before, 1)


def test_staff_do_not_set_the_state_of_a_record_that_was_corrected(applicant: Candidate, clerk: Actor) -> None:
    record = add(applicant, "1")
    seen = EducationRecord.objects.get(pk=record.pk)
    correct(record, "2")
    assert refusal(lambda: set_state(seen, actor=clerk)) == "superseded"
    assert (state(record)[0], told()) == ("unverified", [])


def test_after_staff_set_the_state_no_verifier_is_asked(applicant: Candidate, connect: Connect, clerk: Actor) -> None:
    record = add(applicant)
    asked = connect("says_no")
    set_state(record, actor=clerk)
    assert (verification.ask(record_id=record.pk), verification.sweep(), asked) == (False, 0, [])
    assert state(record)[0] == "passed"


def test_a_state_that_there_is_not_is_refused(applicant: Candidate, clerk: Actor) -> None:
    record = add(applicant)
    with pytest.raises(ValueError, match="x"):
        set_state(record, "x", actor=clerk)
    assert (state(record)[0], told()) == ("unverified", [])


@pytest.mark.parametrize("reason", ["", " ", "\n\u3000"])
def test_staff_give_a_reason(applicant: Candidate, clerk: Actor, reason: str) -> None:
    record = add(applicant)
    assert refusal(lambda: set_state(record, actor=clerk, reason=reason)) == "no_reason"
    assert state(record)[0] == "unverified"


def test_nobody_but_staff_sets_the_state(newcomer: Candidate) -> None:
    record = add(newcomer)
    for actor in (acting(newcomer), SYSTEM, VISITOR):
        assert refusal(lambda actor=actor: set_state(record, actor=actor)) == "forbidden"
    assert state(record)[0] == "unverified"


@pytest.mark.rule("R28")
def test_staff_of_another_point_or_region_do_not_set_the_state(
    applicant: Candidate, clerk: Actor, region: Actor, exam: Exam
) -> None:
    record = add(applicant)
    for other in (factories.staff_of(Point.objects.get(code="4302")), factories.staff_of(None, "12")):
        assert refusal(lambda other=other: set_state(record, actor=other)) == "forbidden"
    newcomers = add(factories.CandidateFactory())
    assert refusal(lambda: set_state(newcomers, actor=clerk)) == "forbidden"
    set_state(record, actor=region)
    assert state(record)[0] == "passed"


def test_a_verifier_that_answers_after_the_account_was_deleted_breaks_nothing(
    newcomer: Candidate, connect: Connect, point: Point, clerk: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = add(newcomer, "1")
    connect("says_yes")

    def thinks(*, record: EducationRecord) -> bool | None:
        check(ask_deletion(newcomer, point), clerk)
        return True

    monkeypatch.setattr(verifiers, "says_yes", thinks)
    assert not verification.ask(record_id=record.pk)
    assert not EducationRecord.objects.exists()


def test_a_candidate_cannot_set_it_through_the_page(client: Client, newcomer: Candidate) -> None:
    record = add(newcomer, "1")
    client.force_login(newcomer.user)
    typed = {**factories.EDUCATION, "certificate_number": "2", "verification": "passed", "state": "passed"}
    assert client.post(f"/account/education/{record.pk}/", typed).status_code == 302
    assert state(newcomer.education.standing().get())[0] == "unverified"


# --- The system check ---------------------------------------------------------------------------
def test_the_check_takes_verifiers_as_they_are_called(connect: Connect) -> None:
    connect("says_yes", "says_no", "cannot_say", "raises")
    assert check_hooks() == []


def test_the_check_refuses_a_verifier_with_other_arguments_and_one_that_is_not_there(connect: Connect) -> None:
    connect("misunderstands", "is_not_there")
    assert [(error.id, error.msg.split(" (")[0]) for error in check_hooks()] == [
        (
            "portal.E002",
            "EDUCATION_VERIFIERS: tests.accounts.verifiers.misunderstands takes ['candidate', 'number'], "
            "not ['record'].",
        ),
        ("portal.E001", "EDUCATION_VERIFIERS: tests.accounts.verifiers.is_not_there cannot be imported"),
    ]
