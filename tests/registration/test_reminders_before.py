"""Reminders on the days before something ends: who, of what, when, and never twice (R09, R17)."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pgtrigger
import pytest
from django.core import mail

from accounts.models import Candidate, Delivery, Message
from accounts.services import reminders, wechat
from accounts.wechat.events import Event
from exam_portal import clock
from registration.models import Application, Exam
from registration.next_steps import SUBMIT_AGAIN
from registration.services import applications
from registration.services import reminders as sweeping
from registration.services.reminders import remind_before_deadlines
from tests import factories
from tests.conftest import CLOSES
from tests.registration.reminding import beijing, deliver_all, submit, told, withdraw
from tests.wechat import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R17")]
State = Delivery.State


# --- Days before --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("at", "days"),
    [
        ("2023-12-07T07:59", 0),
        ("2023-12-07T08:00", 7),
        ("2023-12-11T07:59", 7),
        ("2023-12-11T08:00", 3),
        ("2023-12-13T08:00", 1),
        ("2023-12-14T23:59", 1),
        ("2023-12-15T00:00", 0),
    ],
)
def test_days_are_counted_to_the_last_day_and_begin_at_eight(at: str, days: int) -> None:
    assert reminders.day_of(CLOSES, [7, 3, 1], beijing(at)) == days


def test_within_a_day_the_deadline_s_own_hour_makes_no_difference() -> None:
    assert reminders.morning(beijing("2023-12-20T17:00"), 1) == beijing("2023-12-19T08:00")
    assert reminders.day_of(beijing("2023-12-20T17:00"), [], beijing("2023-12-20T16:00")) == 0


def test_a_whole_year_of_a_candidate(
    phone: Sandbox, exam: Exam, candidate: Candidate, at_time: Callable[[datetime], None]
) -> None:
    """Begun on the 5th, submitted on the 9th, withdrawn on the 10th, submitted again on the 13th; never confirmed."""
    log: list[str] = []
    draft: list[Application] = []
    acts: dict[str, Callable[[], Any]] = {
        "2023-12-05T10": lambda: draft.append(factories.make_draft(candidate, exam)),
        "2023-12-09T10": lambda: submit(draft[0]),
        "2023-12-10T10": lambda: withdraw(draft[0]),
        "2023-12-13T10": lambda: submit(draft[0]),
    }
    hour = beijing("2023-12-05T09:05")
    while hour < beijing("2024-01-10T00:00"):
        at_time(hour)
        if act := acts.get(f"{hour:%Y-%m-%dT%H}"):
            act()
        remind_before_deadlines(at=clock.now())
        deliver_all()
        new = phone.received()[len(log) :]
        log += [f"{hour:%m-%d %H}" for _arrived in new]
        hour += timedelta(hours=1)
    sent = Delivery.objects.filter(state=State.SENT).order_by("sent_at")
    told_of = [
        f"{when} {todo} {days}"
        for when, (todo, days) in zip(log, sent.values_list("message__facts__todo", "message__version"), strict=True)
    ]
    assert told_of == [
        "12-05 10 submit 0",
        "12-07 08 submit 7",
        "12-09 10 confirm_on_site 0",
        "12-10 10 submit_again 0",
        "12-11 08 submit_again 3",
        "12-13 08 submit_again 1",
        "12-13 10 confirm_on_site 0",
        "12-17 08 confirm_on_site 3",
        "12-19 08 confirm_on_site 1",
    ]
    deliver_all()
    assert len(phone.received()) == len(log)


def test_who_was_told_just_now_is_not_reminded_of_the_days_that_went_by(
    exam: Exam, candidate: Candidate, at_time: Callable[[datetime], None]
) -> None:
    at_time(beijing("2023-12-12T10:00"))
    factories.begin(candidate, exam)
    assert remind_before_deadlines(at=clock.now()) == 0
    at_time(beijing("2023-12-13T08:05"))
    assert [remind_before_deadlines(at=clock.now()) for _again in range(2)] == [1, 0]
    assert told(candidate) == [("submit", 0), ("submit", 1)]


def test_a_deadline_that_is_moved_is_reminded_of_anew(
    exam: Exam, candidate: Candidate, at_time: Callable[[datetime], None]
) -> None:
    factories.begin(candidate, exam)
    at_time(beijing("2023-12-13T09:00"))
    assert remind_before_deadlines(at=clock.now()) == 1
    exam.closes_at += timedelta(days=2)
    exam.save()
    at_time(beijing("2023-12-15T09:00"))
    assert remind_before_deadlines(at=clock.now()) == 1
    assert told(candidate) == [("submit", 0), ("submit", 1), ("submit", 1)]


def test_a_deadline_that_is_moved_to_an_earlier_hour_is_told_of_anew(
    exam: Exam, candidate: Candidate, at_time: Callable[[datetime], None]
) -> None:
    factories.begin(candidate, exam)
    exam.closes_at = beijing("2023-12-14T18:00")
    exam.save()
    at_time(beijing("2023-12-13T09:00"))
    assert remind_before_deadlines(at=clock.now()) == 1
    exam.closes_at = beijing("2023-12-14T09:00")
    exam.save()
    assert [remind_before_deadlines(at=clock.now()) for _ in range(2)] == [1, 0]


def test_what_no_carrier_brought_was_not_told(
    phone: Sandbox, draft: Application, candidate: Candidate, at_time: Callable[[datetime], None]
) -> None:
    """Withdrawn by somebody who does not follow: the inbox alone knows, so the day before the end says it again."""
    submit(draft)
    at_time(beijing("2023-12-13T10:00"))
    wechat.take_event(Event(phone.openid(1), "unsubscribe", int(time.time()), {}))
    withdraw(draft)
    deliver_all()
    candidate.user.email = "zhang@example.org"
    candidate.user.save()
    assert [remind_before_deadlines(at=clock.now()) for _ in range(2)] == [1, 0]
    deliver_all()
    assert [str(SUBMIT_AGAIN.title) in letter.subject for letter in mail.outbox] == [True]


@pytest.mark.rule("R09")
def test_who_is_reminded_and_of_what(exam: Exam, at_time: Callable[[datetime], None]) -> None:
    people = {
        name: factories.make_candidate() for name in ("draft", "submitted", "online", "withdrawn", "failed", "new")
    }
    drafts = {
        name: factories.make_draft(people[name], exam, region="12" if name in {"online", "failed"} else "43")
        for name in ("draft", "submitted", "online", "withdrawn", "failed")
    }
    for name in ("submitted", "online", "withdrawn", "failed"):
        submit(drafts[name])
    withdraw(drafts["withdrawn"])
    drafts["failed"].refresh_from_db()
    clerk = factories.staff_of(None, "12")
    applications.move(application=drafts["failed"], name="fail_confirmation", actor=clerk, at=clock.now())
    unready, before, gone = factories.CandidateFactory(), factories.make_candidate(), factories.make_candidate()
    for person, last in ((people["new"], -1), (unready, -1), (before, -20), (gone, -1)):
        person.user.last_login = clock.as_real(clock.now() + timedelta(days=last))
        person.user.save()
    with pgtrigger.ignore("accounts.Candidate:identity_is_fixed"):
        erased = {"name": "", "id_number": "", "id_digest": None, "id_digest_next": None, "sex": "", "birth_date": None}
        Candidate.objects.filter(pk=gone.pk).update(deleted_at=clock.now(), **erased)
    earlier = Message.objects.values_list("pk", flat=True).order_by("-pk")[0]

    def reminded(at: str) -> list[tuple[str, str, int]]:
        names = {person.pk: name for name, person in {**people, "unready": unready, "before": before}.items()}
        at_time(beijing(at))
        assert remind_before_deadlines(at=clock.now()) == Message.objects.filter(version__gt=0, pk__gt=earlier).count()
        rows = Message.objects.filter(kind="todo", pk__gt=earlier).order_by("pk")
        found = [(names[row.candidate_id], row.facts["todo"], row.version) for row in rows]
        Message.objects.filter(pk__gt=earlier).delete()
        return found

    assert reminded("2023-12-13T08:00")[0] == ("withdrawn", "submit_again", 1)
    assert reminded("2023-12-13T08:00")[1:] == [
        ("draft", "submit", 1),
        ("submitted", "confirm_on_site", 7),
        ("failed", "mend_confirmation", 7),
        ("new", "choose_exam", 1),
        ("unready", "enter_basic_information", 1),
    ]
    assert reminded("2023-12-19T08:00") == [("submitted", "confirm_on_site", 1), ("failed", "mend_confirmation", 1)]
    assert reminded("2023-12-20T17:00") == []


def test_who_knows_is_not_looked_at_again(
    exam: Exam, at_time: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each thing to do that has a deadline, told on its day or by the step itself: nobody is walked again."""
    drafts = [factories.make_draft(factories.make_candidate(), exam, region=code) for code in ("43", "43", "43", "12")]
    for draft in drafts[1:]:
        submit(draft)
    withdraw(drafts[2])
    drafts[3].refresh_from_db()
    clerk = factories.staff_of(None, "12")
    applications.move(application=drafts[3], name="fail_confirmation", actor=clerk, at=clock.now())
    for person in (factories.make_candidate(), factories.CandidateFactory()):
        person.user.last_login = clock.as_real(clock.now())
        person.user.save()
    looked: list[int] = []
    original = sweeping.remind_again

    def counting(**how: Any) -> int:
        looked.append(len(how["asked"]))
        return original(**how)

    monkeypatch.setattr(sweeping, "remind_again", counting)
    rounds = {}
    for at in ("2023-12-13T08:05", "2023-12-13T09:05", "2023-12-14T08:05", "2023-12-17T08:05", "2023-12-17T09:05"):
        at_time(beijing(at))
        looked.clear()
        rounds[at] = (remind_before_deadlines(at=clock.now()), sum(looked))
    assert rounds == {
        "2023-12-13T08:05": (6, 6),
        "2023-12-13T09:05": (0, 0),
        "2023-12-14T08:05": (0, 0),
        "2023-12-17T08:05": (2, 2),
        "2023-12-17T09:05": (0, 0),
    }
    at_time(beijing("2023-12-14T10:05"))
    factories.begin(factories.make_candidate(), exam)
    looked.clear()
    assert (remind_before_deadlines(at=clock.now()), sum(looked)) == (0, 0)


def test_nobody_is_reminded_where_the_exam_year_names_no_days(
    exam: Exam, candidate: Candidate, at_time: Callable[[datetime], None]
) -> None:
    exam.reminder_days = []
    exam.save()
    factories.begin(candidate, exam)
    at_time(beijing("2023-12-13T09:00"))
    assert remind_before_deadlines(at=clock.now()) == 0


def test_what_is_stopped_goes_on_where_it_was(
    exam: Exam, at_time: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _number in range(5):
        factories.begin(factories.make_candidate(), exam)
    monkeypatch.setattr(sweeping, "BATCH", 2)
    at_time(beijing("2023-12-13T09:00"))
    original, calls = sweeping.remind_again, iter(range(9))

    def dying(**how: Any) -> int:
        if next(calls) == 1:
            raise KeyboardInterrupt
        return original(**how)

    monkeypatch.setattr(sweeping, "remind_again", dying)
    with pytest.raises(KeyboardInterrupt):
        remind_before_deadlines(at=clock.now())
    assert Message.objects.filter(version=1).count() == 2
    assert remind_before_deadlines(at=clock.now()) == 3
    assert Message.objects.filter(version=1).count() == 5


@pytest.mark.parametrize("drafts", [1, 3])
def test_looking_whom_to_remind_takes_as_many_queries_for_many_as_for_one(
    exam: Exam, drafts: int, at_time: Callable[[datetime], None], django_assert_num_queries: Any
) -> None:
    for _number in range(drafts):
        factories.begin(factories.make_candidate(), exam)
        person = factories.make_candidate()
        person.user.last_login = clock.as_real(clock.now())
        person.user.save()
    at_time(beijing("2023-12-13T09:00"))
    assert remind_before_deadlines(at=clock.now()) == 2 * drafts
    with django_assert_num_queries(13):
        assert remind_before_deadlines(at=clock.now()) == 0
