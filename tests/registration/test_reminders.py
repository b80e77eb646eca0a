"""To-dos are told after each step that leaves one, once, and as things stand when they are sent (R17)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.actors import acting
from accounts.models import Candidate, Delivery, Message, WeChatUser
from accounts.services import education, profile, reminders, wechat
from accounts.wechat.events import Event
from exam_portal import clock
from registration.models import Application, Exam
from registration.next_steps import SUBMIT_AGAIN
from registration.services import applications
from tests import factories
from tests.accounts.test_registering import sign_up
from tests.photos import giving
from tests.races import at_once
from tests.registration.reminding import beijing, deliver_all, submit, told, withdraw
from tests.wechat import Sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R17")]
State = Delivery.State


# --- After each step ------------------------------------------------------------------------------
def test_each_step_of_the_account_leaves_the_next_in_the_inbox_and_nowhere_else(
    exam: Exam, newcomer: Candidate
) -> None:
    newcomer.user.email = "zhang@example.org"
    newcomer.user.save()
    actor = acting(newcomer)
    reminders.remind(candidate=newcomer, at=clock.now())
    profile.save_basic_information(candidate=newcomer, actor=actor, values=factories.BASIC)
    giving.chosen(newcomer)
    education.add_education(candidate=newcomer, actor=actor, **factories.education())
    WeChatUser.objects.create(unionid="u1", following=True)
    wechat.bind(candidate=newcomer, actor=actor, unionid="u1", nickname="", at=clock.now())
    names = ["enter_basic_information", "add_photo", "add_education", "bind_wechat", "choose_exam"]
    (unread,) = Message.objects.filter(kind=Message.TODO, read_at=None)
    assert unread.facts["todo"] == "choose_exam", "what is done is no news"
    assert told(newcomer) == [(name, 0) for name in names]
    to_dos = Delivery.objects.filter(message__kind=Message.TODO)
    assert not to_dos.exists(), "who sees the next page wants no e-mail about it"


def test_who_registers_finds_in_the_inbox_what_to_do(client: Client) -> None:
    sign_up(client)
    ((message, step, text),) = client.get(reverse("accounts:inbox")).context["rows"]
    assert step is not None and step.url == reverse("accounts:basic_information")
    assert str(step.title) in text and str(step.text) in text
    assert message.facts == {"todo": "enter_basic_information", "about": "", "exam": ""}
    assert not Delivery.objects.exists()


def test_submitting_brings_the_to_do_to_wechat_and_the_record_to_inbox_and_email(
    phone: Sandbox, draft: Application, candidate: Candidate
) -> None:
    candidate.user.email = "zhang@example.org"
    candidate.user.save()
    submit(draft)
    deliver_all()
    sent = Delivery.objects.filter(state=State.SENT).values_list("message__kind", "message__facts__todo", "carrier")
    assert set(sent) == {("todo", "confirm_on_site", "wechat"), ("application_submitted", None, "email")}
    (arrived,) = phone.received()
    assert arrived["data"]["time2"] == "2023年12月20日 17:00"
    assert arrived["data"]["thing3"].startswith("湖南第01考点")
    assert arrived["url"].endswith(reverse("registration:overview", args=[draft.exam.code]))


def test_where_nothing_is_left_to_do_wechat_brings_the_record(phone: Sandbox, exam: Exam, candidate: Candidate) -> None:
    draft = factories.make_draft(candidate, exam, region="12")
    submit(draft)
    deliver_all()
    assert told(candidate) == [("submit", 0)]
    sent = Delivery.objects.filter(state=State.SENT).values_list("message__kind", "carrier")
    assert list(sent) == [("application_submitted", "wechat")]


@pytest.mark.rule("R09")
def test_each_withdrawal_is_another_thing_to_do(phone: Sandbox, draft: Application, candidate: Candidate) -> None:
    for _version in range(2):
        submit(draft)
        withdraw(draft)
        withdraw(draft)  # pressed twice
    assert told(candidate) == [
        ("submit", 0),
        ("confirm_on_site", 0),
        ("submit_again", 0),
        ("confirm_on_site", 0),
        ("submit_again", 0),
    ]
    records = Message.objects.filter(kind="application_withdrawn")
    assert (records.count(), Delivery.objects.filter(message__in=records).count()) == (2, 0)


def test_a_transition_of_somebody_else_tells_the_candidate_what_is_left(exam: Exam, candidate: Candidate) -> None:
    draft = factories.make_draft(candidate, exam, region="12")
    submit(draft)
    draft.refresh_from_db()
    clerk = factories.staff_of(None, "12")
    applications.move(application=draft, name="fail_confirmation", actor=clerk, at=clock.now())
    assert told(candidate) == [("submit", 0), ("mend_confirmation", 0)]


@pytest.mark.rule("R08")
def test_following_no_more_is_told_by_email_each_time_and_by_no_wechat(
    phone: Sandbox, exam: Exam, candidate: Candidate
) -> None:
    candidate.user.email = "zhang@example.org"
    candidate.user.save()
    began = int(clock.now().timestamp())
    for number, name in enumerate(["unsubscribe", "subscribe", "unsubscribe"]):
        wechat.take_event(Event(phone.openid(1), name, began + number, {}))
    assert told(candidate) == [("follow_again", 0), ("choose_exam", 0), ("follow_again", 0)]
    deliver_all()
    assert len(mail.outbox) == 1, "of the first it is told no more: it was done meanwhile"
    first = Delivery.objects.filter(carrier="email").order_by("pk")[0]
    assert (first.state, first.outcome) == (State.DEAD, "done meanwhile")
    assert mail.outbox[0].body.endswith(reverse("accounts:wechat"))


@pytest.mark.rule("R09")
def test_who_follows_again_is_told_in_wechat_what_was_left_meanwhile_and_nothing_else(
    phone: Sandbox, draft: Application, candidate: Candidate
) -> None:
    submit(draft)
    began = int(clock.now().timestamp())
    phone.do("/sandbox/people/1", {"act": "unfollow"})
    wechat.take_event(Event(phone.openid(1), "unsubscribe", began, {}))
    withdraw(draft)
    deliver_all()
    assert phone.received() == []
    phone.do("/sandbox/people/1", {"act": "follow"})
    wechat.take_event(Event(phone.openid(1), "subscribe", began + 1, {}))
    deliver_all()
    assert [arrived["data"]["thing1"] for arrived in phone.received()] == [str(SUBMIT_AGAIN.title)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("named", [False, True])
def test_two_steps_at_once_leave_one_thing_to_do(
    exam: Exam, candidate: Candidate, monkeypatch: pytest.MonkeyPatch, named: bool
) -> None:
    """In a pair: without a name both are told, so it is the name that keeps a thing to do one."""
    if not named:
        numbers = iter(range(100))
        monkeypatch.setattr(reminders, "_object_id", lambda *_of, **_how: str(next(numbers)))
    at_once(*[lambda: reminders.remind(candidate=candidate, at=clock.now())] * 2)
    assert told(candidate) == [("choose_exam", 0)] * (1 if named else 2)


# --- Made when it is sent, read as it is now --------------------------------------------------------
def test_what_is_done_meanwhile_is_not_sent(phone: Sandbox, draft: Application) -> None:
    submit(draft)
    withdraw(draft)
    deliver_all()
    assert len(phone.received()) == 1
    done = Delivery.objects.filter(outcome="done meanwhile").values_list("message__facts__todo", "state")
    assert set(done) == {("submit", State.DEAD), ("confirm_on_site", State.DEAD)}


def test_the_deadline_told_is_the_one_of_the_moment_of_sending(
    phone: Sandbox, exam: Exam, candidate: Candidate
) -> None:
    factories.begin(candidate, exam)
    exam.closes_at += timedelta(days=1)
    exam.save()
    deliver_all()
    assert [arrived["data"]["time2"] for arrived in phone.received()] == ["2023年12月15日 23:59"]


def test_at_night_it_waits_and_in_the_morning_says_what_is_left_then(
    phone: Sandbox, exam: Exam, candidate: Candidate, at_time: Callable[[datetime], None]
) -> None:
    at_time(beijing("2023-12-05T23:30"))
    factories.begin(candidate, exam)
    deliver_all()
    assert phone.received() == []
    at_time(beijing("2023-12-06T08:01"))
    deliver_all()
    assert len(phone.received()) == 1


def test_in_the_inbox_what_is_done_reads_as_past(signed_in: Client, draft: Application) -> None:
    submit(draft)
    with override("en"):
        signed_in.cookies["django_language"] = "en"
        rows = signed_in.get(reverse("accounts:inbox")).context["rows"]
    texts = {message.facts.get("todo"): (step is not None, text) for message, step, text in rows}
    assert texts["submit"][0] is False and "Done, or its time is over." in texts["submit"][1]
    assert texts["confirm_on_site"][0] is True and "Until" in texts["confirm_on_site"][1]
    assert "湖南第01考点" in texts["confirm_on_site"][1]


def test_a_to_do_that_there_is_no_more_still_reads_as_one(candidate: Candidate) -> None:
    facts = {"todo": "of_earlier_years", "about": "", "exam": "x"}
    message = Message(candidate=candidate, kind="todo", object_id="1", version=0, facts=facts)
    with override("en"):
        assert message.parts() == ("Something to do", "x\nDone, or its time is over.")
