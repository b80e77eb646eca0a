"""WeChat down for an hour, or answering what it should not (`pytest -m faults`): nobody is stopped, nothing is lost."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.models import Candidate, CarrierPause, Delivery, WeChatUser
from accounts.services import outbox, wechat
from accounts.wechat import client as wechat_client
from accounts.wechat.client import WeChatFailed, official_account
from exam_portal import clock
from registration.models import Application, Exam
from tests import factories
from tests.flooding import State, Tell, WeChat, bind, crowd, done_meanwhile, keys, queue, states

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

PEOPLE = 20
ROUND = timedelta(minutes=5)
MESSAGE = "/cgi-bin/message/template/send"


@pytest.fixture
def running(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[WeChat]:
    """A sandbox as a process, with which the portal of this test speaks; whoever is rung for is sent at once."""
    sandbox = WeChat(tmp_path / "wechat.log")
    for name, value in sandbox.settings().items():
        setattr(settings, name.removeprefix("PORTAL_"), value)
    official_account.cache_clear()
    monkeypatch.setattr("accounts.tasks.deliver_message.delay", lambda *some: outbox.deliver_some(delivery_ids=some))
    try:
        sandbox.start()
        yield sandbox
    finally:
        sandbox.stop()
        official_account.cache_clear()


def walk(candidate: Candidate) -> None:
    """Choose an exam and fill in, submit, withdraw, submit again, as a browser does."""
    client = Client()
    client.force_login(candidate.user)
    assert client.post("/exams/2024-health/start/").status_code == 302
    factories.make_draft(candidate, Exam.objects.get())
    for page in ("submit", "withdraw", "submit"):
        seen = client.get("/exams/2024-health/check/").context
        answer = client.post(f"/exams/2024-health/{page}/", {"seen": seen["seen"] if seen else ""})
        assert answer.status_code == 302


@pytest.mark.rule("R08")
def test_an_hour_without_wechat_stops_nobody(
    exam: Exam, running: WeChat, at_time: Callable[[datetime], None], tell: Tell
) -> None:
    candidates = [factories.make_candidate() for _ in range(PEOPLE)]
    bind(candidates, running.follow(PEOPLE))
    running.stop()
    began = clock.now()
    for candidate in candidates:
        walk(candidate)
    assert set(Application.objects.values_list("state", flat=True)) == {"submitted"}
    # Of what each step left to do only the last is still to be done, and goes on to be tried.
    assert len(keys()) == 4 * PEOPLE and State.SENT not in states()
    while clock.now() < began + timedelta(hours=1):
        at_time(clock.now() + ROUND)
        outbox.sweep()
    with pytest.raises(WeChatFailed):
        wechat.reconcile(at=clock.now())
    assert WeChatUser.objects.filter(following=True).count() == PEOPLE
    most = max(Delivery.objects.values_list("tries", flat=True))
    waiting = states()[State.FAILED]
    assert most < outbox.MOST_TRIES and waiting == PEOPLE and len(done_meanwhile()) == 3 * PEOPLE

    running.start()
    back = clock.now()
    while states()[State.SENT] != waiting:
        assert clock.now() < back + outbox.LONGEST_PAUSE * 1.5, states()
        at_time(clock.now() + ROUND)
        outbox.sweep()
    arrived = running.arrived()
    assert set(arrived) == keys() - done_meanwhile() and set(arrived.values()) == {1}
    tell(
        f"WeChat down for an hour: {PEOPLE} candidates, {waiting} messages, at most {most} tries each; all arrived "
        f"once, the last {(clock.now() - back).total_seconds() / 60:.0f} minutes after it was back"
    )


@pytest.mark.parametrize(
    ("fault", "state", "tries", "pauses"),
    [
        ({"delay": 0.5}, State.SENT, 1, False),  # slow
        ({"delay": 3}, State.FAILED, 1, False),  # beyond our patience
        ({"status": 502}, State.FAILED, 1, False),
        ({"errcode": -1}, State.FAILED, 1, False),
        ({"errcode": 40001}, State.FAILED, 1, False),
        ({"errcode": 45009}, State.FAILED, 0, True),
        ({"errcode": 45011}, State.FAILED, 0, True),
        ({"errcode": 40001, "times": 1}, State.SENT, 1, False),  # a token that is fetched anew
    ],
    ids=lambda value: ",".join(f"{name}={what}" for name, what in value.items()) if isinstance(value, dict) else "",
)
def test_whatever_wechat_answers_the_message_arrives_once_it_is_well(
    running: WeChat,
    monkeypatch: pytest.MonkeyPatch,
    at_time: Callable[[datetime], None],
    fault: dict[str, Any],
    state: str,
    tries: int,
    pauses: bool,
) -> None:
    monkeypatch.setattr(wechat_client, "TIMEOUT", (3.05, 1))
    queue(crowd(1, running.follow(1)), 1)
    running.fail({"path": MESSAGE, **fault})
    outbox.sweep()
    found = Delivery.objects.get()
    assert (found.state, found.tries, CarrierPause.objects.exists()) == (state, tries, pauses)
    running.fail()
    at_time(clock.now() + timedelta(minutes=11))
    outbox.sweep()
    assert Delivery.objects.get().state == State.SENT
    arrived = running.arrived()
    assert set(arrived) == keys()
    # After a timeout nobody knows whether it arrived: it goes out again, and WeChat drops what it has.
    assert arrived.total() <= (2 if fault.get("delay") == 3 else 1)
