"""The outbox: written with the change, sent once by each carrier, tried again with patience, found again when lost."""

import socket
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError

from accounts.models import Candidate, CarrierPause, Delivery, Message
from accounts.services import outbox
from exam_portal import clock
from tests.wechat import Sandbox

pytestmark = pytest.mark.django_db
State = Delivery.State
FACTS = {"exam": "2024年度卫生专业技术资格考试", "form_code": "24W00000000101"}


def write(candidate: Candidate, version: int = 1, *, deadline: datetime | None = None) -> Message | None:
    return outbox.enqueue(
        candidate=candidate,
        kind="application_submitted",
        object_id="1",
        version=version,
        facts=FACTS,
        deadline=deadline,
    )


def delivery(carrier: str = "wechat") -> Delivery:
    return Delivery.objects.get(carrier=carrier)


def send(carrier: str = "wechat") -> bool:
    return outbox.deliver(delivery_id=delivery(carrier).pk)


# --- Writing --------------------------------------------------------------------------------------
def test_the_same_message_is_written_once(candidate: Candidate) -> None:
    assert write(candidate) is not None
    assert write(candidate) is None
    write(candidate, version=2)
    assert Message.objects.count() == 2


def test_a_message_goes_by_each_carrier_that_reaches_the_candidate(phone: Sandbox, candidate: Candidate) -> None:
    write(candidate)
    assert list(Delivery.objects.values_list("carrier", flat=True)) == ["wechat"]
    candidate.user.email = "zhang@example.org"
    candidate.user.save()
    write(candidate, version=2)
    assert set(Delivery.objects.filter(message__version=2).values_list("carrier", flat=True)) == {"wechat", "email"}


def test_the_inbox_shows_a_message_at_once_and_marks_it_read(signed_in: Client, candidate: Candidate) -> None:
    write(candidate)
    assert signed_in.get(reverse("portal:home")).context["unread"] == 1
    response = signed_in.get(reverse("accounts:inbox"))
    assert [message.version for message, _step, _text in response.context["rows"]] == [1]
    assert FACTS["form_code"] in response.content.decode()
    assert signed_in.get(reverse("portal:home")).context["unread"] == 0


# --- Sending --------------------------------------------------------------------------------------
@pytest.mark.rule("R17")
def test_what_wechat_shows_is_made_of_the_message(phone: Sandbox, candidate: Candidate) -> None:
    write(candidate, deadline=datetime.fromisoformat("2023-12-15T00:00+08:00"))
    assert send()
    (arrived,) = phone.received()
    assert arrived["key"] == f"m{Message.objects.get().pk}"
    assert arrived["url"].endswith(reverse("accounts:inbox"))
    title, body = Message.objects.get().parts()
    assert arrived["data"]["thing1"].rstrip("…") in title and arrived["data"]["thing3"].rstrip("…") in body
    assert arrived["data"]["time2"] == "2023年12月14日 23:59"
    sent = delivery()
    assert (sent.state, sent.remote_id, sent.tries) == (State.SENT, str(arrived["msgid"]), 1)


def test_a_delivery_is_sent_once(phone: Sandbox, candidate: Candidate) -> None:
    write(candidate)
    assert [send(), send()] == [True, False]
    assert len(phone.received()) == 1


def test_a_mail_server_that_hangs_keeps_no_worker(candidate: Candidate, settings: Any) -> None:
    assert settings.EMAIL_TIMEOUT == 10
    candidate.user.email = "zhang@example.org"
    candidate.user.save()
    write(candidate)
    with socket.create_server(("127.0.0.1", 0)) as mute:  # takes a call, and says nothing
        settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT = "django.core.mail.backends.smtp.EmailBackend", 0.2
        settings.EMAIL_HOST, settings.EMAIL_PORT = mute.getsockname()
        assert not send("email")
    assert (delivery("email").state, delivery("email").outcome) == (State.FAILED, "SMTPServerDisconnected")


def test_an_email_goes_to_the_address(candidate: Candidate) -> None:
    candidate.user.email = "zhang@example.org"
    candidate.user.save()
    write(candidate)
    assert send("email")
    assert mail.outbox[0].to == ["zhang@example.org"]
    assert FACTS["form_code"] in mail.outbox[0].body and "\n" not in mail.outbox[0].subject


def test_who_follows_no_more_is_not_written_to(phone: Sandbox, candidate: Candidate) -> None:
    write(candidate)
    candidate.wechat.following = False
    candidate.wechat.save()
    assert not send()
    assert (delivery().state, phone.world.calls["/cgi-bin/message/template/send"]) == (State.DEAD, 0)


# --- Failing --------------------------------------------------------------------------------------
@pytest.mark.parametrize("fault", [{"errcode": -1}, {"status": 502}, {"errcode": 12345}])
def test_what_may_go_well_later_is_tried_again_with_growing_pauses(
    phone: Sandbox, candidate: Candidate, at_time: Any, fault: dict[str, int]
) -> None:
    write(candidate)
    phone.fail({"path": "/cgi-bin/message", **fault})
    pauses = []
    for tries in range(1, outbox.MOST_TRIES + 1):
        began = clock.now()
        assert not send()
        if outbox.due_at(began, deadline=None) > began:  # at night it waits for the morning
            assert delivery().tries == tries - 1
            at_time(delivery().due_at + timedelta(seconds=1))
            began = clock.now()
            assert not send()
        assert delivery().tries == tries
        pauses.append(delivery().due_at - began)
        assert not send(), "not before it is due"
        at_time(delivery().due_at + timedelta(seconds=1))
    assert delivery().state == State.DEAD
    assert timedelta(seconds=5) < pauses[0] < timedelta(seconds=30)
    assert pauses[6] > 8 * pauses[0] and max(pauses) <= outbox.LONGEST_PAUSE * 1.5 + timedelta(seconds=5)


def test_pauses_differ_from_each_other() -> None:
    assert len({outbox.pause_after(3) for _ in range(20)}) > 15


@pytest.mark.parametrize("errcode", [40003, 43004, 43101])
def test_what_never_will_is_given_up_at_once(phone: Sandbox, candidate: Candidate, errcode: int) -> None:
    write(candidate)
    phone.fail({"path": "/cgi-bin/message", "errcode": errcode})
    assert not send()
    assert (delivery().state, delivery().tries) == (State.DEAD, 1)
    assert str(errcode) in delivery().outcome


def test_a_quota_that_is_used_up_pauses_the_carrier_and_costs_no_try(
    phone: Sandbox, candidate: Candidate, at_time: Any
) -> None:
    write(candidate)
    write(candidate, version=2)
    first, second = Delivery.objects.order_by("pk")
    phone.fail({"path": "/cgi-bin/message", "errcode": 45009, "times": 1})
    assert not outbox.deliver(delivery_id=first.pk)
    assert not outbox.deliver(delivery_id=second.pk), "the carrier pauses"
    pause = CarrierPause.objects.get()
    assert phone.world.calls["/cgi-bin/message/template/send"] == 0 and "45009" in pause.why
    for row in (first, second):
        row.refresh_from_db()
        assert (row.due_at, row.tries) == (pause.until, 0)
    at_time(pause.until + timedelta(seconds=1))
    assert outbox.deliver(delivery_id=first.pk) and outbox.deliver(delivery_id=second.pk)


def test_what_came_back_is_dead(phone: Sandbox, candidate: Candidate) -> None:
    write(candidate)
    send()
    outbox.came_back(remote_id=delivery().remote_id, why="failed:user block")
    assert (delivery().state, delivery().outcome) == (State.DEAD, "failed:user block")


# --- Not lost -------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_stops_nobody_and_loses_nothing(
    phone: Sandbox, candidate: Candidate, monkeypatch: pytest.MonkeyPatch, at_time: Any
) -> None:
    rung: list[int] = []

    def dead(_delivery_id: int) -> None:
        raise OperationalError

    monkeypatch.setattr("accounts.tasks.deliver_message.delay", dead)
    write(candidate)
    assert delivery().state == State.QUEUED
    assert outbox.sweep() == 0, "the bell may still be ringing"
    at_time(clock.now() + timedelta(minutes=3))
    monkeypatch.setattr("accounts.tasks.deliver_message.delay", rung.append)
    assert (outbox.sweep(), rung) == (1, [delivery().pk])
    assert outbox.sweep() == 0, "it was rung for just now"


def test_the_sweeper_rings_for_what_goes_out_next_and_for_many_at_once(
    candidate: Candidate, settings: Any, monkeypatch: pytest.MonkeyPatch, at_time: Any
) -> None:
    settings.PORTAL_SENDS_PER_SECOND = 1
    at = clock.now()
    messages = [write(candidate, version) for version in range(1, 102)]
    Delivery.objects.all().delete()
    rows = Delivery.objects.bulk_create(
        Delivery(message=message, carrier="wechat", due_at=at - timedelta(seconds=number))
        for number, message in enumerate(messages)
    )
    expected = [row.pk for row in rows[::-1]][: outbox.SWEPT_SECONDS]
    rung: list[tuple[int, ...]] = []
    monkeypatch.setattr("accounts.tasks.deliver_message.delay", lambda *keys: rung.append(keys))
    assert [outbox.sweep(), outbox.sweep()] == [60, 0], "no more than goes out before the next round"
    assert [key for some in rung for key in some] == expected
    assert {len(some) for some in rung} == {outbox.TOGETHER}
    Delivery.objects.filter(pk__in=expected[:10]).update(state=State.DEAD)
    assert outbox.sweep() == 10


def test_of_many_rung_for_at_once_those_that_would_wait_long_are_left_to_the_next_round(
    phone: Sandbox, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in (1, 2, 3):
        write(candidate, version)
    keys = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    monkeypatch.setattr(outbox, "PATIENCE", 0.2)
    phone.fail({"path": "/cgi-bin/message", "delay": 0.3, "times": 1})
    outbox.deliver_some(delivery_ids=keys)
    found = Delivery.objects.order_by("pk").values_list("state", "rung_at")
    assert [state for state, _rung_at in found] == ["sent", "queued", "queued"]
    assert [rung_at for _state, rung_at in found][1:] == [None, None]


def test_sending_asks_the_database_three_times(
    phone: Sandbox, candidate: Candidate, django_assert_num_queries: Any
) -> None:
    write(candidate)
    key = delivery().pk
    with django_assert_num_queries(3):
        assert outbox.deliver(delivery_id=key)


def test_what_a_dead_worker_left_is_sent_by_another(phone: Sandbox, candidate: Candidate, at_time: Any) -> None:
    write(candidate)
    taken = outbox._take(delivery().pk)
    assert taken is not None and not send(), "somebody sends it"
    at_time(clock.now() + timedelta(seconds=301))
    assert send()
    assert delivery().tries == 2


def test_a_worker_that_comes_back_late_changes_nothing(phone: Sandbox, candidate: Candidate, at_time: Any) -> None:
    write(candidate)
    late = outbox._take(delivery().pk)
    assert late is not None
    at_time(clock.now() + timedelta(seconds=301))
    assert send()
    outbox._failed(late, outbox.NotSent("too late", outbox.Verdict.DROP))
    assert delivery().state == State.SENT


# --- Quiet hours ----------------------------------------------------------------------------------
@pytest.mark.rule("R17")
@pytest.mark.parametrize(
    ("at", "deadline", "due"),
    [
        ("2023-12-05T21:59+08:00", None, "2023-12-05T21:59+08:00"),
        ("2023-12-05T22:00+08:00", None, "2023-12-06T08:00+08:00"),
        ("2023-12-05T23:00+08:00", "2023-12-05T22:59+08:00", "2023-12-06T08:00+08:00"),  # its time is over
        ("2023-12-05T07:59+08:00", None, "2023-12-05T08:00+08:00"),
        ("2023-12-05T08:00+08:00", None, "2023-12-05T08:00+08:00"),
        ("2023-12-05T23:00+08:00", "2023-12-06T23:00+08:00", "2023-12-05T23:00+08:00"),
        ("2023-12-05T23:00+08:00", "2023-12-06T23:01+08:00", "2023-12-06T08:00+08:00"),
        ("2023-12-05T14:30+00:00", None, "2023-12-06T00:00+00:00"),
    ],
)
def test_at_night_nobody_is_woken_unless_it_ends_within_a_day(at: str, deadline: str | None, due: str) -> None:
    until = datetime.fromisoformat(deadline) if deadline else None
    assert outbox.due_at(datetime.fromisoformat(at), deadline=until) == datetime.fromisoformat(due)
