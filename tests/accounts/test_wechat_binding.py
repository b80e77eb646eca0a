"""Binding a WeChat through WeChat's own pages, unbinding it, and signing in by it (R08)."""

from collections.abc import Iterator
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from accounts.models import Candidate, LedgerEvent, Message, User, WeChatUser
from exam_portal import clock
from exam_portal.local.wechat import api
from tests import factories
from tests.wechat import Sandbox, reachable, sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R08")]
PAGE, UNBIND = "/account/wechat/", "/account/wechat/unbind/"
PASSWORD = "moon over ward seven"
INSIDE = {"User-Agent": "Mozilla/5.0 (Linux; Android 8.1) Mobile MicroMessenger/8.0.49"}
PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 8.1) Chrome/96 Mobile Safari/537.36"}


@pytest.fixture
def running(settings: Any) -> Iterator[Sandbox]:
    with sandbox() as found:
        reachable(found, settings)
        yield found


def enter(client: Client, candidate: Candidate) -> None:
    """Sign in a candidate, who has a password."""
    candidate.user.set_password(PASSWORD)
    candidate.user.save()
    client.force_login(candidate.user)


def begin(client: Client, candidate: Candidate, **how: Any) -> str:
    """Press the button with the right password; the address to which the browser is sent."""
    enter(client, candidate)
    answer = client.post(PAGE, {"password": PASSWORD}, **how)
    assert answer.status_code == 302, answer.content.decode()
    return answer.headers["Location"]


def scan(client: Client, running: Sandbox, address: str, number: int) -> str:
    """Let somebody allow it; what the portal then says on the page to which it leads."""
    answer = client.get(running.allow(address, number))
    assert answer.status_code == 302
    return client.get(answer.headers["Location"]).content.decode()


def test_scanning_the_qr_code_binds(client: Client, newcomer: Candidate, running: Sandbox) -> None:
    address = begin(client, newcomer)
    assert (
        address.startswith(f"{running.base}/connect/qrconnect?appid=wx0000000sandbox02&") and "snsapi_login" in address
    )
    said = scan(client, running, address, 4)
    bound = WeChatUser.objects.get(candidate=newcomer)
    assert (bound.unionid, bound.openid, bound.following) == (running.world.people[3].unionid, None, False)
    assert bound.nickname == "😀护士小陈" and "😀护士小陈" in said and "微信已绑定" in said
    assert "data-waiting" in said and 'src="data:image/png' in said, "next: follow, by another code"
    assert not SocialAccount.objects.exists()


def test_the_page_that_waits_for_following_asks_for_next_to_nothing(signed_in: Client, candidate: Candidate) -> None:
    for following, status in ((False, 204), (True, 200)):
        candidate.wechat.following = following
        candidate.wechat.save()
        answer = signed_in.get(f"{PAGE}?waiting")
        assert (answer.status_code, answer.content) == (status, b"")


def test_inside_wechat_consent_binds_and_the_openid_for_messages_is_known(
    client: Client, newcomer: Candidate, running: Sandbox, django_capture_on_commit_callbacks: Any
) -> None:
    address = begin(client, newcomer, headers=INSIDE)
    assert "/connect/oauth2/authorize?appid=wx0000000sandbox01&" in address and "snsapi_userinfo" in address
    scan(client, running, address, 6)
    bound = WeChatUser.objects.get(candidate=newcomer)
    assert (bound.openid, bound.nickname) == (running.openid(6), "张\u0301伟")


def test_both_ways_lead_to_one_wechat(client: Client, newcomer: Candidate, running: Sandbox) -> None:
    scan(client, running, begin(client, newcomer), 2)
    other = factories.CandidateFactory()
    second = Client()
    said = scan(second, running, begin(second, other, headers=INSIDE), 2)
    assert "notice-error" in said
    assert newcomer.name not in said and newcomer.user.username not in said
    assert WeChatUser.objects.get().candidate == newcomer


def test_a_wrong_password_binds_nothing_and_asks_nobody(client: Client, newcomer: Candidate, running: Sandbox) -> None:
    enter(client, newcomer)
    answer = client.post(PAGE, {"password": "not the one at all"})
    assert answer.status_code == 200 and "aria-invalid" in answer.content.decode()
    assert not running.world.calls


def test_without_a_unionid_nothing_is_bound(client: Client, newcomer: Candidate, running: Sandbox) -> None:
    running.do("/sandbox/people/2", {"act": "hide_unionid"})
    said = scan(client, running, begin(client, newcomer), 2)
    assert "notice-error" in said and not WeChatUser.objects.exists()


def test_refusing_in_wechat_changes_nothing(client: Client, newcomer: Candidate, running: Sandbox) -> None:
    said = scan(client, running, begin(client, newcomer), 0)
    assert "notice-error" in said and not WeChatUser.objects.exists()


@pytest.mark.parametrize(
    "fault",
    [
        {"path": "/sns/oauth2/", "errcode": 40029},
        {"path": "/sns/oauth2/", "errcode": -1},
        {"path": "/sns/userinfo", "errcode": 48001},
        {"path": "/sns/", "status": 502},
    ],
)
def test_what_wechat_answers_wrongly_binds_nothing(
    client: Client, newcomer: Candidate, running: Sandbox, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    address = begin(client, newcomer)
    running.fail(fault)
    said = scan(client, running, address, 2)
    assert "notice-error" in said and not WeChatUser.objects.exists()
    assert "sandbox-secret" not in caplog.text + said
    running.fail()
    scan(client, running, begin(client, newcomer), 2)
    assert WeChatUser.objects.get().candidate == newcomer


def test_wechat_that_cannot_be_reached_is_said(
    client: Client, newcomer: Candidate, running: Sandbox, settings: Any
) -> None:
    address = begin(client, newcomer)
    back = running.allow(address, 2)
    settings.WECHAT_API = "http://127.0.0.1:9"
    said = client.get(client.get(back).headers["Location"]).content.decode()
    assert "notice-error" in said and not WeChatUser.objects.exists()


def test_a_way_back_counts_once_and_only_in_its_own_session(
    client: Client, newcomer: Candidate, running: Sandbox
) -> None:
    back = running.allow(begin(client, newcomer), 2)
    thief = Client()
    other = factories.CandidateFactory()
    thief.force_login(other.user)
    assert thief.get(back).headers["Location"] == PAGE
    assert not WeChatUser.objects.exists(), "another browser cannot use it"
    client.get(back)
    client.get(back)
    assert WeChatUser.objects.get().candidate == newcomer
    assert LedgerEvent.objects.filter(action="wechat.bound").count() == 1


def test_who_signed_in_as_somebody_else_meanwhile_binds_nothing(
    client: Client, newcomer: Candidate, running: Sandbox
) -> None:
    back = running.allow(begin(client, newcomer), 2)
    session = client.session
    states = session["socialaccount_states"]
    client.logout()
    assert client.get(back).headers["Location"].startswith("/account/login/")
    other = factories.CandidateFactory()
    client.force_login(other.user)
    session = client.session
    session["socialaccount_states"] = states
    session.save()
    assert client.get(back).headers["Location"] == PAGE
    assert not WeChatUser.objects.exists()


def test_binding_tells_the_account_that_it_happened(client: Client, newcomer: Candidate, running: Sandbox) -> None:
    scan(client, running, begin(client, newcomer), 2)
    assert Message.objects.filter(candidate=newcomer, kind="wechat_bound").count() == 1


def test_without_settings_nothing_can_be_bound(client: Client, newcomer: Candidate) -> None:
    client.force_login(newcomer.user)
    answer = client.get(PAGE)
    assert "<form" not in answer.content.decode().partition("<main")[2].partition("</main>")[0]
    assert client.post(PAGE, {"password": PASSWORD}).status_code == 200
    assert "wechat" not in Client().get("/account/login/").content.decode().partition("<main")[2]


def test_outside_wechat_a_telephone_is_told_to_open_the_page_there(
    client: Client, newcomer: Candidate, running: Sandbox
) -> None:
    client.force_login(newcomer.user)
    assert f'value="http://testserver{PAGE}"' in client.get(PAGE, headers=PHONE).content.decode()
    assert f'value="http://testserver{PAGE}"' not in client.get(PAGE, headers=INSIDE).content.decode()


def test_what_wechat_says_of_somebody_is_taken_as_text_and_no_longer_than_it_can_be(
    client: Client, newcomer: Candidate, running: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = api.call
    more: dict[str, Any] = {"nickname": "小陈\0", "expires_in": "soon"}
    monkeypatch.setattr(api, "call", lambda *asked: (told(*asked) or {}) | more)
    scan(client, running, begin(client, newcomer), 2)
    assert WeChatUser.objects.get().nickname == "小陈"
    more["unionid"] = "o" * 200
    other = factories.CandidateFactory()
    said = scan(client, running, begin(client, other), 4)
    assert "notice-error" in said and not WeChatUser.objects.filter(candidate=other).exists()


def test_a_scan_is_no_password(client: Client, newcomer: Candidate, running: Sandbox) -> None:
    scan(client, running, begin(client, newcomer), 2)
    other = Client()
    sign_in(other, running, 2)
    assert client.post(UNBIND, {"password": PASSWORD}).status_code == 302
    assert other.get("/dashboard/").status_code == 302, "who signed in by it is out"
    assert client.get("/dashboard/").status_code == 200
    client.force_login(newcomer.user)
    answer = client.post(PAGE)
    assert answer.status_code == 200 and not WeChatUser.objects.exclude(candidate=None).exists()


# --- Following ------------------------------------------------------------------------------------
def test_looking_again_asks_wechat_but_not_at_once_again(
    client: Client, candidate: Candidate, running: Sandbox, django_capture_on_commit_callbacks: Any, monkeypatch: Any
) -> None:
    from accounts.services import wechat

    asked: list[int] = []
    monkeypatch.setattr(wechat, "_ring", asked.append)
    WeChatUser.objects.update(openid=running.openid(2), following=False)
    client.force_login(candidate.user)
    client.post(PAGE, {"look": "1"})
    assert asked == [candidate.wechat.pk]
    WeChatUser.objects.update(checked_at=clock.now())
    client.post(PAGE, {"look": "1"})
    WeChatUser.objects.update(checked_at=None, following=True)
    client.post(PAGE, {"look": "1"})
    assert len(asked) == 1


# --- Unbinding ------------------------------------------------------------------------------------
def test_unbinding_warns_and_asks_for_the_password(client: Client, candidate: Candidate) -> None:
    enter(client, candidate)
    assert "解除绑定则无法进行网上报名" in client.get(UNBIND).content.decode()
    assert client.post(UNBIND, {"password": "not the one at all"}).status_code == 200
    assert WeChatUser.objects.filter(candidate=candidate).exists()
    assert client.post(UNBIND, {"password": PASSWORD}).headers["Location"] == PAGE
    assert not WeChatUser.objects.filter(candidate=candidate).exists()
    assert client.get(UNBIND).headers["Location"] == PAGE, "nothing is bound any more"
    assert Message.objects.filter(candidate=candidate, kind="wechat_unbound").count() == 1


def test_passwords_cannot_be_guessed_there(client: Client, candidate: Candidate) -> None:
    enter(client, candidate)
    for _ in range(20):
        client.post(UNBIND, {"password": "not the one at all"})
    client.post(UNBIND, {"password": PASSWORD})
    assert WeChatUser.objects.filter(candidate=candidate).exists(), "not even the right one, after so many"


def test_the_right_password_does_not_use_up_tries(client: Client, newcomer: Candidate, running: Sandbox) -> None:
    for _ in range(20):
        begin(client, newcomer)
        client.logout()


# --- Signing in -----------------------------------------------------------------------------------
def sign_in(client: Client, running: Sandbox, number: int, **more: Any) -> Any:
    answer = client.post("/account/login/wechat/", more)
    return client.get(running.allow(answer.headers["Location"], number))


def test_a_bound_candidate_signs_in_by_scanning(client: Client, newcomer: Candidate, running: Sandbox) -> None:
    scan(client, running, begin(client, newcomer), 2)
    visitor = Client()
    assert "微信" in visitor.get("/account/login/").content.decode().partition("<main")[2]
    assert sign_in(visitor, running, 2).headers["Location"] == "/dashboard/"
    assert visitor.get("/dashboard/").context["user"] == newcomer.user
    assert LedgerEvent.objects.filter(stream_id=str(newcomer.pk), action="wechat.signed_in").count() == 1
    again = Client()
    assert sign_in(again, running, 2, next="/account/inbox/").headers["Location"] == "/account/inbox/"
    away = Client()
    assert sign_in(away, running, 2, next="https://evil.example/").headers["Location"] == "/dashboard/"


def test_a_wechat_that_nobody_has_bound_signs_nobody_in_and_makes_nobody(running: Sandbox, db: None) -> None:
    visitor = Client()
    answer = sign_in(visitor, running, 2)
    assert answer.headers["Location"] == "/account/login/"
    assert "notice-error" in visitor.get("/account/login/").content.decode()
    assert not User.objects.exists() and not WeChatUser.objects.exists()


def test_unbound_again_it_no_longer_signs_in(client: Client, newcomer: Candidate, running: Sandbox) -> None:
    scan(client, running, begin(client, newcomer), 2)
    client.post(UNBIND, {"password": PASSWORD})
    assert sign_in(Client(), running, 2).headers["Location"] == "/account/login/"


def test_signing_in_by_get_is_not_there(client: Client, running: Sandbox) -> None:
    assert client.get("/account/login/wechat/").status_code == 405


def test_scanning_with_a_wechat_of_nobody_leaves_who_is_signed_in(
    client: Client, newcomer: Candidate, running: Sandbox
) -> None:
    enter(client, newcomer)
    assert sign_in(client, running, 2).headers["Location"] == PAGE
    assert client.get("/dashboard/").status_code == 200


def test_on_a_telephone_nobody_scans_the_own_screen(running: Sandbox, db: None) -> None:
    assert "login/wechat/" not in Client().get("/account/login/", headers=PHONE).content.decode()
    assert "login/wechat/" in Client().get("/account/login/", headers=INSIDE).content.decode()
