"""Events that WeChat pushes: taken when they are signed now, refused when forged, kept back or odd."""

import time
import urllib.parse
from typing import Any

import pytest

from accounts.wechat import events
from accounts.wechat.events import Stale
from exam_portal.kit.wechat_crypt import Forged
from exam_portal.local.wechat import AES_KEY, APP_ID, TOKEN
from exam_portal.local.wechat.push import Pusher


@pytest.fixture(autouse=True)
def agreed(settings: Any) -> None:
    settings.WECHAT_EVENT_TOKEN, settings.WECHAT_EVENT_AES_KEY = TOKEN, AES_KEY
    settings.WECHAT_ACCOUNT_APP_ID = APP_ID


def pushed(text: str, *, at: int | None = None, envelope: Any = None) -> tuple[dict[str, str], bytes]:
    """Query and body as the sandbox sends them."""
    request = Pusher("http://localhost/events/", envelope or events.envelope()).request_for(text, at=at)
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.full_url).query))
    assert isinstance(request.data, bytes)
    return query, request.data


def event(name: str = "subscribe", **more: object) -> str:
    fields = {"ToUserName": "gh", "FromUserName": "o1", "CreateTime": 1_700_000_000, "MsgType": "event", "Event": name}
    return "<xml>" + "".join(f"<{key}>{value}</{key}>" for key, value in {**fields, **more}.items()) + "</xml>"


def test_an_event_is_read() -> None:
    found = events.read(*pushed(event()))
    assert (found.openid, found.name, found.at) == ("o1", "subscribe", 1_700_000_000)
    assert found.key == "subscribe:o1:1700000000"
    told = events.read(*pushed(event("TEMPLATESENDJOBFINISH", MsgID=42, Status="success")))
    assert (told.key, told.fields["Status"]) == ("TEMPLATESENDJOBFINISH:42", "success")


def test_what_somebody_writes_is_no_event() -> None:
    assert events.read(*pushed(event(MsgType="text", MsgId=7))).name == "message.text"


@pytest.mark.parametrize("wrong", ["msg_signature", "timestamp", "nonce"])
def test_what_is_not_signed_so_is_forged(wrong: str) -> None:
    query, body = pushed(event())
    with pytest.raises(Forged):
        events.read({**query, wrong: query[wrong][:-1] + ("0" if query[wrong][-1] != "0" else "1")}, body)
    with pytest.raises(Forged):
        events.read({name: value for name, value in query.items() if name != wrong}, body)


def test_a_signature_for_another_body_is_forged() -> None:
    query, _body = pushed(event())
    with pytest.raises(Forged):
        events.read(query, pushed(event("unsubscribe"))[1])


def test_plain_mode_is_refused_whatever_its_signature() -> None:
    """There the signature does not cover what is told."""
    query, _body = pushed(event())
    plain = {**query, "msg_signature": query["signature"]}
    with pytest.raises(Forged):
        events.read(plain, event().encode())


@pytest.mark.parametrize("late", [-301, 301])
def test_what_was_kept_back_is_stale(late: int) -> None:
    with pytest.raises(Stale):
        events.read(*pushed(event(), at=int(time.time()) + late))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no xml",
        b"<xml><Encrypt></Encrypt></xml>",
        b"<xml><Encrypt>AAAA</Encrypt></xml>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><xml><Encrypt>&a;</Encrypt></xml>',
        b"\xff\xfe<xml/>",
        f'<!DOCTYPE a [<!ENTITY e "{"x" * 10_000}">]><a><Encrypt>{"&e;" * 900}</Encrypt></a>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="foo"?><a/>',
        b"<a>" * 200_000,
        b"<Encrypt>" + b"A" * 100_000 + b"</Encrypt>",
    ],
)
def test_odd_bodies_are_forged(body: bytes) -> None:
    query, _body = pushed(event())
    with pytest.raises(Forged):
        events.read(query, body)


@pytest.mark.parametrize("created", ["", "x", "9" * 12, "²", "-1"])
def test_an_event_without_a_time_is_refused(created: str) -> None:
    with pytest.raises(Forged):
        events.read(*pushed(event(CreateTime=created)))


def test_the_address_is_greeted_back_only_to_wechat() -> None:
    timestamp, nonce = str(int(time.time())), "n"
    signature = events.envelope().signature(timestamp, nonce)
    query = {"signature": signature, "timestamp": timestamp, "nonce": nonce, "echostr": "hello"}
    assert events.greeting(query) == "hello"
    with pytest.raises(Forged):
        events.greeting({**query, "nonce": "other"})
