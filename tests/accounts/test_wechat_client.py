"""The portal's client against the sandbox: tokens, verdicts, and what it tells of neither token nor secret."""

import logging
import pickle
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from accounts.wechat import web
from accounts.wechat.client import OfficialAccount, Verdict, WeChatFailed, plain
from exam_portal.local.wechat import APP_ID, SECRET, api
from tests.wechat import Sandbox, reachable, sandbox


@pytest.fixture
def wechat() -> Iterator[Sandbox]:
    with sandbox() as running:
        running.do("/sandbox/people/1", {"act": "follow"})
        yield running


@pytest.fixture
def account(wechat: Sandbox) -> OfficialAccount:
    return OfficialAccount(app_id=APP_ID, secret=SECRET, base=wechat.base)


def send(account: OfficialAccount, wechat: Sandbox, number: int = 1, *, key: str = "m1", value: str = "请提交") -> str:
    return account.send_template(
        openid=wechat.openid(number), template="t", url="http://localhost/", key=key, values={"thing1": value}
    )


def test_followers_are_told_with_their_unionid(wechat: Sandbox, account: OfficialAccount) -> None:
    person = wechat.world.person(1)
    assert person is not None
    assert account.follower(wechat.openid(1)).unionid == person.unionid
    told = account.followers([wechat.openid(1), wechat.openid(2)])
    assert [(each.following, bool(each.unionid)) for each in told] == [(True, True), (False, False)]
    assert account.openids() == [wechat.openid(1)]


def test_one_token_serves_all_calls_and_a_refused_one_is_fetched_anew(
    wechat: Sandbox, account: OfficialAccount
) -> None:
    for key in ("m1", "m2"):
        send(account, wechat, key=key)
    assert wechat.world.calls["/cgi-bin/stable_token"] == 1
    wechat.world.stable_token(refresh=True)  # another process forced it
    send(account, wechat, key="m3")
    wechat.do("/sandbox/world", {"expire_token": True})
    send(account, wechat, key="m4")
    assert wechat.world.calls["/cgi-bin/stable_token"] == 3
    assert [each["key"] for each in wechat.received()] == ["m1", "m2", "m3", "m4"]


def test_a_token_that_wechat_refuses_while_it_gives_out_the_same_is_forced(
    wechat: Sandbox, account: OfficialAccount
) -> None:
    send(account, wechat)
    wechat.fail({"path": "/cgi-bin/message", "errcode": 40001, "times": 1})
    send(account, wechat, key="m2")
    assert wechat.world.calls["/cgi-bin/stable_token"] == 3, "asked, given the same, and forced"


def test_a_token_that_is_never_accepted_ends_after_the_second_try(wechat: Sandbox, account: OfficialAccount) -> None:
    wechat.fail({"path": "/cgi-bin/message", "errcode": 40001})
    with pytest.raises(WeChatFailed) as failed:
        send(account, wechat)
    assert (failed.value.errcode, failed.value.verdict) == (40001, Verdict.REFRESH)


@pytest.mark.parametrize(
    ("errcode", "verdict"),
    [
        (-1, Verdict.RETRY),
        (99999, Verdict.RETRY),
        (43004, Verdict.DROP),
        (40003, Verdict.DROP),
        (45009, Verdict.STOP),
        (45011, Verdict.STOP),
        (40037, Verdict.STOP),
    ],
)
def test_error_codes_are_sorted(wechat: Sandbox, account: OfficialAccount, errcode: int, verdict: Verdict) -> None:
    wechat.fail({"path": "/cgi-bin/message", "errcode": errcode})
    with pytest.raises(WeChatFailed) as failed:
        send(account, wechat)
    assert (failed.value.errcode, failed.value.verdict) == (errcode, verdict)


@pytest.mark.parametrize(("number", "value", "verdict"), [(2, "请提交", Verdict.DROP), (1, "长" * 21, Verdict.RETRY)])
def test_who_does_not_follow_is_dropped_and_a_template_that_is_wrong_may_be_set_right(
    wechat: Sandbox, account: OfficialAccount, number: int, value: str, verdict: Verdict
) -> None:
    with pytest.raises(WeChatFailed) as failed:
        send(account, wechat, number, value=value)
    assert failed.value.verdict == verdict


@pytest.mark.parametrize(
    "answer", [{"errcode": "no number"}, {"errcode": 0}, {"errcode": None}, {"errcode": 0, "msgid": ""}]
)
def test_an_answer_that_makes_no_sense_is_tried_again(
    wechat: Sandbox, account: OfficialAccount, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    send(account, wechat)
    monkeypatch.setattr(api, "call", lambda *_asked: answer)
    with pytest.raises(WeChatFailed) as failed:
        send(account, wechat, key="m2")
    assert failed.value.verdict == Verdict.RETRY


@pytest.mark.parametrize("fault", [{"status": 502}, {"status": 302}, {"delay": 1.0}])
def test_a_wechat_that_is_not_there_is_tried_again_and_its_address_with_the_token_is_not_told(
    wechat: Sandbox,
    account: OfficialAccount,
    fault: dict[str, float],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, logger="accounts")
    send(account, wechat)
    monkeypatch.setattr("accounts.wechat.client.TIMEOUT", (0.3, 0.3))
    wechat.fail({"path": "/cgi-bin/message", **fault})
    with pytest.raises(WeChatFailed) as failed:
        send(account, wechat, key="m2")
    assert (failed.value.errcode, failed.value.verdict) == (0, Verdict.RETRY)
    assert wechat.world.token not in str(failed.value) + caplog.text
    assert failed.value.__cause__ is None


def test_nobody_listening_is_tried_again() -> None:
    account = OfficialAccount(app_id=APP_ID, secret=SECRET, base="http://127.0.0.1:9")
    with pytest.raises(WeChatFailed) as failed:
        account.openids()
    assert failed.value.verdict == Verdict.RETRY


def test_a_slow_wechat_does_not_hold_every_thread_of_the_web_server(wechat: Sandbox, settings: Any) -> None:
    reachable(wechat, settings)
    wechat.fail({"path": "/sns/", "delay": 3.0})

    def come_back(_number: int) -> float:
        began = time.monotonic()
        with pytest.raises(WeChatFailed):
            web.token_of(app_id="wx0000000sandbox02", secret="?", code="?")
        return time.monotonic() - began

    with ThreadPoolExecutor(6) as threads:
        waited = sorted(threads.map(come_back, range(6)))
    assert [seconds < 2 for seconds in waited] == [True] * 4 + [False] * 2


def test_an_answer_without_end_is_not_waited_for(
    wechat: Sandbox, account: OfficialAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(account, wechat)
    monkeypatch.setattr("accounts.wechat.client.TIMEOUT", (0.5, 0.5))
    monkeypatch.setattr("accounts.wechat.client.LONGEST_ANSWER", 1_000)
    monkeypatch.setattr(api, "call", lambda *_asked: {"errcode": 0, "msgid": "1" * 2_000})
    with pytest.raises(WeChatFailed):
        send(account, wechat, key="m2")


def test_an_answer_in_drops_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def drip(listening: socket.socket) -> None:
        connection, _address = listening.accept()
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
            for _ in range(100):
                connection.sendall(b" ")
                time.sleep(0.1)

    monkeypatch.setattr("accounts.wechat.client.TIMEOUT", (0.5, 0.5))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=drip, args=[listening], daemon=True).start()
        account = OfficialAccount(app_id=APP_ID, secret=SECRET, base=f"http://127.0.0.1:{listening.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(WeChatFailed):
            account.openids()
        assert time.monotonic() - began < 3


def test_a_failure_can_be_handed_from_process_to_process() -> None:
    failed = pickle.loads(pickle.dumps(WeChatFailed(45009, "quota", Verdict.STOP)))  # noqa: S301 - our own
    assert (str(failed), failed.errcode, failed.verdict) == ("45009: quota", 45009, Verdict.STOP)


def test_halves_of_pairs_and_nul_are_left_out_of_what_is_kept() -> None:
    assert plain("\ud83d小陈\0") == "小陈"
