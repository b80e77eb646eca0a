"""The endpoints, with the shapes and error bodies of the real ones: mostly HTTP 200, what went wrong in `errcode`."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

from .people import CLIENT_ID_LASTS, App, Person, Received, World

Answer = dict[str, Any]
# What stands in a place `time` of a template: a day, perhaps with hour and minute; there is no 24:00.
TIME = re.compile(r"(\d{4}年\d{1,2}月\d{1,2}日 ?)?(([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?)?")
WORDS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40029: "invalid code",
    40032: "invalid openid list size",
    40037: "invalid template_id",
    40125: "invalid appsecret",
    40163: "code been used",
    41001: "access_token missing",
    42001: "access_token expired",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    47001: "data format error",
    47003: "argument invalid",
}


class Failed(Exception):
    """An error body."""

    def __init__(self, errcode: int, more: str = "") -> None:
        self.errcode, self.more = errcode, more

    @property
    def body(self) -> Answer:
        words = WORDS.get(self.errcode, "unknown error")
        return {"errcode": self.errcode, "errmsg": f"{words}{self.more} rid: {int(time.time()):x}-sandbox"}


# --- Web sign-in: the website by QR, the official account inside WeChat --------------------------
def access_token(world: World, query: dict[str, str], _body: Answer) -> Answer:
    """GET /sns/oauth2/access_token: a code for a token, once."""
    app = _app(world, query.get("appid", ""), query.get("secret", ""))
    if query.get("grant_type") != "authorization_code":
        raise Failed(40002)
    until, app_id, number = world.codes.get(query.get("code", ""), (0.0, "", 0))
    if app_id != app.app_id or until < 0:
        raise Failed(40163 if until < 0 else 40029)
    if until < time.time():
        raise Failed(40029)
    world.codes[query["code"]] = (-1.0, app_id, number)
    person = _known(world, number)
    answer: Answer = {
        "access_token": world.new_user_token(app_id, person),
        "expires_in": 7200,
        "refresh_token": world.new_user_token(app_id, person),
        "openid": person.openid(app_id),
        "scope": "snsapi_login" if app is world.website else "snsapi_userinfo",
    }
    return answer | ({"unionid": person.unionid} if person.unionid else {})


def userinfo(world: World, query: dict[str, str], _body: Answer) -> Answer:
    """GET /sns/userinfo."""
    until, app_id, number = world.user_tokens.get(query.get("access_token", ""), (0.0, "", 0))
    if not number:
        raise Failed(40001)
    if until < time.time():
        raise Failed(42001)
    person = _known(world, number)
    if query.get("openid") != person.openid(app_id):
        raise Failed(40003)
    answer: Answer = {
        "openid": person.openid(app_id),
        "nickname": person.nickname,
        "sex": 0,
        "language": "",
        "city": "",
        "province": "",
        "country": "",
        "headimgurl": "",
        "privilege": [],
    }
    return answer | ({"unionid": person.unionid} if person.unionid else {})


# --- The official account -------------------------------------------------------------------------
def stable_token(world: World, _query: dict[str, str], body: Answer) -> Answer:
    """POST /cgi-bin/stable_token."""
    if body.get("grant_type") != "client_credential":
        raise Failed(40002)
    app = _app(world, str(body.get("appid", "")), str(body.get("secret", "")))
    if app is not world.account:
        raise Failed(40013)
    token, left = world.stable_token(refresh=bool(body.get("force_refresh")))
    return {"access_token": token, "expires_in": left}


def user_info(world: World, query: dict[str, str], _body: Answer) -> Answer:
    """GET /cgi-bin/user/info: `subscribe` 0 tells nothing else but the ids."""
    _check_token(world, query)
    person = world.by_openid(query.get("openid", ""))
    if person is None:
        raise Failed(40003)
    return _about(world, person)


def user_info_batch(world: World, query: dict[str, str], body: Answer) -> Answer:
    """POST /cgi-bin/user/info/batchget: at most 100."""
    _check_token(world, query)
    wanted = body.get("user_list") or []
    if not 1 <= len(wanted) <= 100:
        raise Failed(40032)
    found = [world.by_openid(str(each.get("openid", ""))) for each in wanted]
    if any(person is None for person in found):
        raise Failed(40003)
    return {"user_info_list": [_about(world, person) for person in found if person]}


def user_get(world: World, query: dict[str, str], _body: Answer) -> Answer:
    """GET /cgi-bin/user/get: the openids of those who follow, 10,000 at a time."""
    _check_token(world, query)
    all_of_them = [each.openid(world.account.app_id) for each in world.people if each.followed_at]
    first = all_of_them.index(query["next_openid"]) + 1 if query.get("next_openid") in all_of_them else 0
    page = all_of_them[first : first + 10_000]
    answer: Answer = {"total": len(all_of_them), "count": len(page), "next_openid": page[-1] if page else ""}
    return answer | ({"data": {"openid": page}} if page else {})


def template_send(world: World, query: dict[str, str], body: Answer) -> Answer:
    """POST /cgi-bin/message/template/send: to followers; the same client_msg_id within ten minutes is sent once."""
    person = _receiver(world, query, body)
    if not person.followed_at:
        raise Failed(43004)
    key = str(body.get("client_msg_id", ""))
    known = world.sent_keys.get((person.openid(world.account.app_id), key))
    if key and known and known[0] > time.time() - CLIENT_ID_LASTS:
        world.repeated[key] += 1
        return {"errcode": 0, "errmsg": "ok", "msgid": known[1]}
    message = _deliver(world, person, body, kind="template", key=key)
    if key:
        world.sent_keys[person.openid(world.account.app_id), key] = (time.time(), message.msgid)
    return {"errcode": 0, "errmsg": "ok", "msgid": message.msgid}


def subscribe_send(world: World, query: dict[str, str], body: Answer) -> Answer:
    """POST /cgi-bin/message/subscribe/bizsend: has no client_msg_id; refused by whoever did not allow it."""
    person = _receiver(world, query, body)
    if person.refuses or not person.followed_at:
        raise Failed(43101)
    _deliver(world, person, body, kind="subscribe", key="")
    return {"errcode": 0, "errmsg": "ok"}


Endpoint = Callable[[World, dict[str, str], Answer], Answer]
ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/sns/oauth2/access_token"): access_token,
    ("GET", "/sns/userinfo"): userinfo,
    ("POST", "/cgi-bin/stable_token"): stable_token,
    ("GET", "/cgi-bin/user/info"): user_info,
    ("POST", "/cgi-bin/user/info/batchget"): user_info_batch,
    ("GET", "/cgi-bin/user/get"): user_get,
    ("POST", "/cgi-bin/message/template/send"): template_send,
    ("POST", "/cgi-bin/message/subscribe/bizsend"): subscribe_send,
}


def call(world: World, method: str, path: str, query: dict[str, str], content: bytes) -> Answer | None:
    """What the endpoint answers; None where there is none. The caller holds the lock."""
    endpoint = ENDPOINTS.get((method, path))
    if endpoint is None:
        return None
    world.calls[path] += 1
    try:
        if path.startswith("/cgi-bin/") and world.over_limit():
            raise Failed(45011)
        body: Answer = {}
        if method == "POST":
            if not content:
                raise Failed(44002)
            try:
                body = json.loads(content)
            except ValueError:
                raise Failed(47001) from None
        return endpoint(world, query, body)
    except Failed as failed:
        return failed.body


def _app(world: World, app_id: str, secret: str) -> App:
    app = next((each for each in (world.website, world.account) if each.app_id == app_id), None)
    if app is None:
        raise Failed(40013)
    if app.secret != secret:
        raise Failed(40125)
    return app


def _known(world: World, number: int) -> Person:
    person = world.person(number)
    if person is None:
        raise Failed(40029)
    return person


def _check_token(world: World, query: dict[str, str]) -> None:
    token = query.get("access_token", "")
    if not token:
        raise Failed(41001)
    if token != world.token:
        raise Failed(40001)
    if world.token_until < time.time():
        raise Failed(42001)


def _about(world: World, person: Person) -> Answer:
    openid = person.openid(world.account.app_id)
    if not person.followed_at:
        return {"subscribe": 0, "openid": openid, "tagid_list": []}
    answer: Answer = {
        "subscribe": 1,
        "openid": openid,
        "nickname": "",
        "sex": 0,
        "language": "zh_CN",
        "subscribe_time": person.followed_at,
        "remark": "",
        "groupid": 0,
        "tagid_list": [],
        "subscribe_scene": "ADD_SCENE_QR_CODE",
        "qr_scene": 0,
        "qr_scene_str": "",
    }
    return answer | ({"unionid": person.unionid} if person.unionid else {})


def _receiver(world: World, query: dict[str, str], body: Answer) -> Person:
    _check_token(world, query)
    if not body.get("template_id"):
        raise Failed(40037)
    person = world.by_openid(str(body.get("touser", "")))
    if person is None:
        raise Failed(40003)
    data = body.get("data")
    if not isinstance(data, dict) or not all(isinstance(each, dict) and "value" in each for each in data.values()):
        raise Failed(47003)
    for name, each in data.items():
        if name.startswith("time") and not TIME.fullmatch(str(each["value"])):
            raise Failed(47003, f"! argument {name}.DATA is invalid")
        # The documented lengths of the kinds of places: thing 20 characters, time and others 32.
        if len(str(each["value"])) > (20 if name.startswith("thing") else 32):
            raise Failed(47003, f"! argument {name}.DATA is invalid")
    return person


def _deliver(world: World, person: Person, body: Answer, *, kind: str, key: str) -> Received:
    message = Received(
        msgid=world.next_msgid,
        person=person.number,
        at=time.time(),
        kind=kind,
        template_id=str(body["template_id"]),
        url=str(body.get("url") or body.get("page") or ""),
        key=key,
        data={name: each["value"] for name, each in body["data"].items()},
    )
    world.next_msgid += 1
    world.received.append(message)
    return message
