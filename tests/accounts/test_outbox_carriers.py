"""Whatever a carrier does, the outbox keeps its promises: tried again, not for ever, at night only what must."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from accounts.models import Candidate, CarrierPause, Delivery, Message
from accounts.services import outbox
from exam_portal import clock
from exam_portal.kit.hooks import check_hooks

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R17")]
State = Delivery.State
EVENING = datetime(2023, 12, 5, 21, 59, 50, tzinfo=clock.BEIJING)
MORNING = datetime(2023, 12, 6, 8, tzinfo=clock.BEIJING)
sent: list[tuple[str, str]] = []
broken: list[Exception] = []


def operator(*, number: str, text: str) -> str:
    """A short message service of this test."""
    if broken:
        raise broken[0]
    sent.append((number, text))
    return f"sms-{len(sent)}" + "0" * 100


def silent_operator(*, number: str, text: str) -> Any:
    sent.append((number, text))


def wrong_operator(mobile: str, text: str) -> str:
    return mobile + text


@pytest.fixture(autouse=True)
def sms(settings: Any) -> None:
    settings.PORTAL_SMS = [f"{__name__}.operator"]
    sent.clear()
    broken.clear()


@pytest.fixture
def message(candidate: Candidate) -> Message:
    candidate.user.email = "zhang@example.org"
    candidate.user.save()
    return write(candidate)


def write(candidate: Candidate, **more: Any) -> Message:
    facts = {"exam": "2024年度卫生专业技术资格考试", "form_code": "24W00000000101"}
    how = {"kind": "application_submitted", "object_id": "1", "version": 1, "facts": facts, **more}
    found = outbox.enqueue(candidate=candidate, **how)
    assert found is not None
    return found


def delivery(carrier: str) -> Delivery:
    return Delivery.objects.get(carrier=carrier)


def send(carrier: str) -> bool:
    return outbox.deliver(delivery_id=delivery(carrier).pk)


# --- Short messages and e-mail ----------------------------------------------------------------------
def test_a_short_message_goes_by_the_function_that_is_named(message: Message, candidate: Candidate) -> None:
    assert send("sms")
    assert sent == [(candidate.basic_information.mobile, message.parts()[0])]
    assert (delivery("sms").state, len(delivery("sms").remote_id)) == (State.SENT, 64)
    assert not send("sms") and len(sent) == 1


def test_an_operator_that_gives_no_number_has_sent_all_the_same(message: Message, settings: Any) -> None:
    settings.PORTAL_SMS = [f"{__name__}.silent_operator"]
    assert send("sms")
    assert (delivery("sms").state, len(sent)) == (State.SENT, 1)


@pytest.mark.parametrize("error", [ConnectionError("13800000000"), ValueError("13800000000")])
def test_whatever_an_operator_throws_is_tried_again_and_its_words_are_not_kept(
    message: Message, error: Exception, at_time: Callable[[datetime], None]
) -> None:
    broken.append(error)
    assert not send("sms")
    row = delivery("sms")
    assert (row.state, row.tries, row.outcome) == (State.FAILED, 1, type(error).__name__)
    broken.clear()
    at_time(row.due_at + timedelta(seconds=1))
    assert send("sms")


def test_who_has_no_number_or_where_no_function_is_named_gets_no_short_message(
    newcomer: Candidate, candidate: Candidate, settings: Any
) -> None:
    write(newcomer)
    settings.PORTAL_SMS = []
    write(candidate, version=2)
    assert not Delivery.objects.filter(carrier="sms").exists()


@pytest.mark.parametrize(
    ("name", "number"), [("nowhere.at_all", "portal.E001"), (f"{__name__}.wrong_operator", "portal.E002")]
)
def test_a_wrong_function_is_found_at_the_start(settings: Any, name: str, number: str) -> None:
    settings.PORTAL_SMS = [name]
    assert [error.id for error in check_hooks()] == [number]


def test_a_mail_server_that_refuses_is_tried_again(message: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_message: object) -> int:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", refuse)
        assert not send("email")
    row = delivery("email")
    assert (row.state, row.outcome, mail.outbox) == (State.FAILED, "ConnectionRefusedError", [])


# --- Not for ever -----------------------------------------------------------------------------------
def test_one_at_which_a_worker_dies_each_time_is_given_up(
    message: Message, monkeypatch: pytest.MonkeyPatch, at_time: Callable[[datetime], None]
) -> None:
    class Killed(BaseException):
        pass

    broken.append(Killed())  # type: ignore[arg-type]
    for number in range(outbox.MOST_TRIES):
        with pytest.raises(Killed):
            send("sms")
        assert (delivery("sms").state, delivery("sms").tries) == (State.SENDING, number + 1)
        at_time(clock.now().replace(hour=12) + timedelta(days=1))
    assert not send("sms")
    assert delivery("sms").state == State.DEAD
    at_time(clock.now() + timedelta(days=1))
    assert not send("sms")


def test_one_that_breaks_keeps_none_that_were_rung_for_with_it(message: Message, candidate: Candidate) -> None:
    write(candidate, version=2)
    first, second = Delivery.objects.filter(carrier="email").order_by("pk")
    Message.objects.filter(pk=first.message_id).update(kind="no_such_template")
    outbox.deliver_some(delivery_ids=[first.pk, second.pk])
    assert [row.state for row in Delivery.objects.filter(carrier="email").order_by("pk")] == [State.FAILED, State.SENT]


def test_what_wechat_itself_failed_to_bring_is_tried_again_once_it_takes_the_key_anew(candidate: Candidate) -> None:
    message, at = write(candidate), clock.now()
    Delivery.objects.create(
        message=message, carrier="wechat", state=State.SENT, due_at=at, sent_at=at, remote_id="77", tries=1
    )
    outbox.came_back(remote_id="77", why="failed: system failed")
    row = delivery("wechat")
    assert (row.state, row.remote_id, row.sent_at) == (State.FAILED, "", None)
    assert row.due_at >= at + timedelta(minutes=10)


# --- At night ---------------------------------------------------------------------------------------
def test_a_try_that_fails_in_the_evening_is_repeated_in_the_morning(
    candidate: Candidate, at_time: Callable[[datetime], None]
) -> None:
    at_time(EVENING)
    broken.append(ConnectionError())
    write(candidate)
    assert not send("sms")
    broken.clear()
    at_time(EVENING + timedelta(hours=4))
    assert not send("sms") and not sent
    assert (delivery("sms").state, delivery("sms").due_at) == (State.QUEUED, MORNING)
    at_time(MORNING + timedelta(seconds=1))
    assert send("sms")


def test_what_a_pause_a_backlog_or_a_dead_worker_kept_until_the_night_waits_for_the_morning(
    message: Message, at_time: Callable[[datetime], None]
) -> None:
    night = EVENING + timedelta(hours=2)
    at_time(night)
    CarrierPause.objects.create(carrier="sms", until=night - timedelta(minutes=1), why="45009")
    Delivery.objects.filter(carrier="email").update(state=State.SENDING, taken_at=night - timedelta(hours=1), tries=1)
    Delivery.objects.update(due_at=night - timedelta(hours=3))
    for carrier in ("sms", "email"):
        assert not send(carrier)
        assert (delivery(carrier).state, delivery(carrier).due_at) == (State.QUEUED, MORNING)
    assert not sent and mail.outbox == []


def test_what_ends_within_a_day_goes_out_at_night_too(
    candidate: Candidate, at_time: Callable[[datetime], None]
) -> None:
    at_time(EVENING)
    broken.append(ConnectionError())
    write(candidate, deadline=EVENING + timedelta(hours=20))
    assert not send("sms")
    broken.clear()
    at_time(EVENING + timedelta(hours=4))
    assert send("sms")
