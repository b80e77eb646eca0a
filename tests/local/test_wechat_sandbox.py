"""The sandbox answers as WeChat's public documentation says: errors in `errcode`, tokens that expire, limits."""

import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exam_portal.local.wechat import APP_ID, OF_THE_DEMO, SECRET, WEBSITE_ID, WEBSITE_SECRET
from exam_portal.local.wechat.server import make_server
from tests.wechat import Sandbox, sandbox

CREDENTIAL = {"grant_type": "client_credential", "appid": APP_ID, "secret": SECRET}


@pytest.fixture
def wechat() -> Iterator[Sandbox]:
    with sandbox() as running:
        yield running


def token(wechat: Sandbox, **more: Any) -> str:
    return str(wechat.ask("/cgi-bin/stable_token", {**CREDENTIAL, **more})["access_token"])


def message(wechat: Sandbox, number: int, **more: Any) -> dict[str, Any]:
    data = {"thing1": {"value": "请提交报名信息"}}
    return {"touser": wechat.openid(number), "template_id": "t", "client_msg_id": "m1", "data": data, **more}


def send(wechat: Sandbox, number: int = 1, **more: Any) -> dict[str, Any]:
    return wechat.ask(f"/cgi-bin/message/template/send?access_token={token(wechat)}", message(wechat, number, **more))


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_how: Any) -> None:
        return None


def scanned(wechat: Sandbox, path: str, **fields: str) -> dict[str, str]:
    """Where the browser is sent after somebody has scanned, or refused."""
    data = urllib.parse.urlencode(fields).encode()
    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.build_opener(Stay).open(f"{wechat.base}{path}", data=data, timeout=5)
    with answer.value as found:
        assert found.code == 302
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(found.headers["Location"]).query))


# --- Signing in -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "app_id", "secret"),
    [("/connect/qrconnect", WEBSITE_ID, WEBSITE_SECRET), ("/connect/oauth2/authorize", APP_ID, SECRET)],
)
def test_a_code_is_good_for_one_token_and_one_app(wechat: Sandbox, path: str, app_id: str, secret: str) -> None:
    back = scanned(wechat, path, appid=app_id, redirect_uri="http://localhost/back?x=1", state="s", person="2")
    assert (back["x"], back["state"]) == ("1", "s")
    how = f"/sns/oauth2/access_token?grant_type=authorization_code&code={back['code']}"
    assert wechat.ask(f"{how}&appid={app_id}&secret=wrong")["errcode"] == 40125
    other, others = (APP_ID, SECRET) if app_id == WEBSITE_ID else (WEBSITE_ID, WEBSITE_SECRET)
    assert wechat.ask(f"{how}&appid={other}&secret={others}")["errcode"] == 40029
    answer = wechat.ask(f"{how}&appid={app_id}&secret={secret}")
    person = wechat.world.person(2)
    assert person is not None
    assert (answer["unionid"], answer["openid"], answer["expires_in"]) == (person.unionid, person.openid(app_id), 7200)
    assert wechat.ask(f"{how}&appid={app_id}&secret={secret}")["errcode"] == 40163
    about = f"/sns/userinfo?access_token={answer['access_token']}&openid="
    assert wechat.ask(about + answer["openid"])["nickname"] == "王芳"
    assert wechat.ask(f"{about}somebody")["errcode"] == 40003


def test_who_refuses_is_sent_back_without_a_code(wechat: Sandbox) -> None:
    fields = {"appid": WEBSITE_ID, "redirect_uri": "http://localhost/back", "state": "s", "person": "0"}
    assert scanned(wechat, "/connect/qrconnect", **fields) == {"state": "s"}


def test_the_same_person_has_one_openid_an_app_and_one_unionid_unless_it_is_hidden(wechat: Sandbox) -> None:
    wechat.do("/sandbox/people/2", {"act": "hide_unionid"})
    back = scanned(wechat, "/connect/qrconnect", appid=WEBSITE_ID, redirect_uri="http://localhost/", person="2")
    how = f"/sns/oauth2/access_token?grant_type=authorization_code&code={back['code']}"
    assert "unionid" not in wechat.ask(f"{how}&appid={WEBSITE_ID}&secret={WEBSITE_SECRET}")


# --- The token ------------------------------------------------------------------------------------
def test_the_stable_token_stays_until_it_is_forced(wechat: Sandbox) -> None:
    first = token(wechat)
    assert token(wechat) == first
    assert token(wechat, force_refresh=True) != first
    assert wechat.ask(f"/cgi-bin/user/get?access_token={first}")["errcode"] == 40001
    assert wechat.ask("/cgi-bin/stable_token", {**CREDENTIAL, "secret": "x"})["errcode"] == 40125
    assert wechat.ask("/cgi-bin/stable_token", {**CREDENTIAL, "appid": "x"})["errcode"] == 40013


def test_a_token_expires(wechat: Sandbox) -> None:
    present = token(wechat)
    wechat.do("/sandbox/world", {"expire_token": True})
    assert wechat.ask(f"/cgi-bin/user/get?access_token={present}")["errcode"] == 42001


def test_calls_beyond_the_limit_of_a_minute_are_refused(wechat: Sandbox) -> None:
    wechat.do("/sandbox/world", {"a_minute": 2})
    answers = [wechat.ask("/cgi-bin/stable_token", CREDENTIAL).get("errcode", 0) for _ in range(4)]
    assert answers.count(45011) >= 1 and answers[0] == 0


# --- Followers and messages -----------------------------------------------------------------------
def test_only_followers_are_told_of_and_reached(wechat: Sandbox) -> None:
    about = f"/cgi-bin/user/info?access_token={token(wechat)}&openid={wechat.openid(1)}"
    assert wechat.ask(about) == {"subscribe": 0, "openid": wechat.openid(1), "tagid_list": []}
    assert send(wechat)["errcode"] == 43004
    wechat.do("/sandbox/people/1", {"act": "follow"})
    assert wechat.ask(about)["subscribe"] == 1 and wechat.ask(about)["unionid"]
    everybody = wechat.ask(f"/cgi-bin/user/get?access_token={token(wechat)}")
    assert (everybody["total"], everybody["data"]["openid"]) == (1, [wechat.openid(1)])
    assert send(wechat)["errcode"] == 0
    (arrived,) = wechat.received()
    assert (arrived["person"], arrived["key"], arrived["data"]) == (1, "m1", {"thing1": "请提交报名信息"})


def test_the_same_key_is_sent_once(wechat: Sandbox) -> None:
    wechat.do("/sandbox/people/1", {"act": "follow"})
    assert send(wechat)["msgid"] == send(wechat)["msgid"]
    assert send(wechat, client_msg_id="m2")["msgid"] != send(wechat)["msgid"]
    assert [each["key"] for each in wechat.received()] == ["m1", "m2"]


@pytest.mark.parametrize(
    ("more", "errcode"),
    [
        ({"touser": "nobody"}, 40003),
        ({"template_id": ""}, 40037),
        ({"data": {"thing1": "no value"}}, 47003),
        ({"data": {"thing1": {"value": "长" * 21}}}, 47003),
    ],
)
def test_a_message_that_is_not_as_it_must_be_is_refused(wechat: Sandbox, more: dict[str, Any], errcode: int) -> None:
    wechat.do("/sandbox/people/1", {"act": "follow"})
    assert send(wechat, **more)["errcode"] == errcode
    assert wechat.received() == []


def test_at_most_a_hundred_are_asked_about_at_once(wechat: Sandbox) -> None:
    path = f"/cgi-bin/user/info/batchget?access_token={token(wechat)}"
    one = [{"openid": wechat.openid(1)}]
    assert len(wechat.ask(path, {"user_list": one * 100})["user_info_list"]) == 100
    assert wechat.ask(path, {"user_list": one * 101})["errcode"] == 40032
    assert wechat.ask(path, {"user_list": []})["errcode"] == 40032


# --- Failing on purpose ---------------------------------------------------------------------------
def test_it_fails_as_often_as_it_is_told(wechat: Sandbox) -> None:
    present = token(wechat)
    wechat.fail({"path": "/cgi-bin/user", "errcode": -1, "times": 2})
    answers = [wechat.ask(f"/cgi-bin/user/get?access_token={present}").get("errcode", 0) for _ in range(3)]
    assert answers == [-1, -1, 0]
    wechat.fail({"path": "/", "status": 502})
    with pytest.raises(urllib.error.HTTPError) as answer:
        wechat.ask("/cgi-bin/user/get")
    with answer.value as found:
        assert found.code == 502


def test_it_is_as_slow_as_it_is_told(wechat: Sandbox) -> None:
    wechat.fail({"path": "/cgi-bin/stable_token", "delay": 0.3, "times": 1})
    began = time.monotonic()
    token(wechat)
    assert time.monotonic() - began >= 0.3


def test_a_restart_forgets_nobody_who_follows(tmp_path: Path) -> None:
    file = tmp_path / "wechat.json"
    first = make_server(port=0, file=file)
    assert {each.number for each in first.world.people if each.followed_at} == set(OF_THE_DEMO.values())
    for each in first.world.people:
        each.followed_at = int(each.number == 2)
    first.world.save()
    second = make_server(port=0, file=file)
    assert [each.number for each in second.world.people if each.followed_at] == [2]
    for server in (first, second):
        server.server_close()


def test_its_page_shows_people_faults_and_messages_and_no_markup_of_theirs(wechat: Sandbox) -> None:
    wechat.world.people[0].nickname = "<b>李建国"
    wechat.do("/sandbox/people/1", {"act": "follow"})
    send(wechat, data={"thing1": {"value": "<script>x"}})
    with urllib.request.urlopen(f"{wechat.base}/sandbox/", timeout=5) as answer:
        page = answer.read().decode()
    assert "&lt;b&gt;李建国" in page and "&lt;script&gt;x" in page and "<script>" not in page
    assert "已关注" in page and "收到的消息（1）" in page
