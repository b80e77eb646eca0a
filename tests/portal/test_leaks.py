"""Nothing that the portal writes holds a full ID number, a password or a recovery answer.

A candidate's whole walk against real processes with all logs at their most talkative: sign-up with mistakes, sign-in,
recovery, a registration to the PDF, and errors provoked in the database under views and tasks. Then everything that was
written on the way is searched.
"""

import base64
import json
import re
import zlib
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from django.contrib.sessions.models import Session
from django.core import signing

from accounts.models import Candidate, Delivery, EmailCode, IdentityRequest, Photo, Point, User, WeChatUser
from tests import factories
from tests.portal.leaking import Portal, rows
from tests.portal.leaks import leaked
from tests.portal.watching import Browser, Page, breaking, until
from tests.staffing import staff_client
from tests.wechat import Sandbox

# Used nowhere else: other tests write into the same logs of PostgreSQL and Redis.
NUMBER = "33010619951231446X"
SPELT = "３３０１０６ 19951231-446x"
PASSWORD, NEW_PASSWORD, WRONG_PASSWORD = "lantern over the ferry", "copper kettle on ice", "a guess by a stranger"
ANSWER, WRONG_ANSWER = "凤凰山脚小学", "飞来峰下中学"
SECRETS = {
    "number": NUMBER,
    "number without its last character": NUMBER[:17],
    "password": PASSWORD,
    "new password": NEW_PASSWORD,
    "wrong password": WRONG_PASSWORD,
    "answer": ANSWER,
    "wrong answer": WRONG_ANSWER,
}
SIGN_UP = {
    "name": "林𫖯",
    "name_again": "林𫖯",
    "id_type": "resident_id",
    "id_number": SPELT,
    "id_number_again": NUMBER,
    "username": "quiet.ferry",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "recovery_question": "school",
    "recovery_answer": ANSWER,
}
BASIC = {
    "ethnicity": "汉族",
    "mobile": "13800000000",
    "address": "杭州市示例路1号",
    "employer": "杭州市示例医院",
    "employer_kind": "private_hospital",
    "workplace": "浙江省杭州市",
}
EDUCATION = {
    "qualification": "undergraduate",
    "degree": "bachelor",
    "school_kind": "regular",
    "school": "浙江中医药大学",
    "certificate_kind": "graduation",
    "major": "护理学",
    "graduated": "2018-07",
    "certificate_number": "100011201805000001",
}
CHANGE = {
    "name": "林复",
    "id_type": "resident_id",
    "id_number": SPELT,
    "telephone": "13800000000",
    "reason": "输错了",
    "point": "4301",
}
EXAM = "/exams/2024-health"


@pytest.mark.parametrize(
    "written",
    [
        NUMBER,
        NUMBER.lower(),
        SPELT,
        f"POST /?login={quote(SPELT)}&x=1",
        json.dumps({"login": SPELT}),
        "&#51;" + NUMBER[1:],
        repr(SPELT.encode()),
        base64.b64encode(json.dumps({"args": [SPELT]}).encode()).decode(),
        base64.urlsafe_b64encode(zlib.compress(f"session of {NUMBER}".encode())).decode(),
        signing.dumps({"number": NUMBER}, compress=True),
        "\\x" + NUMBER.encode().hex(),
        f"value={base64.b64encode(base64.b64encode(NUMBER.encode())).decode()}",
        NUMBER.encode(),
    ],
    ids=range(13),  # a signature differs from process to process
)
def test_a_number_is_found_however_it_is_written(written: str | bytes) -> None:
    assert leaked(written, {"number": NUMBER}) == {"number"}


@pytest.mark.parametrize(
    "written", [ANSWER, quote(ANSWER), json.dumps(ANSWER), repr(ANSWER.encode()), " ".join(ANSWER)]
)
def test_an_answer_is_found_however_it_is_written(written: str) -> None:
    assert leaked(f"… {written} …", SECRETS) == {"answer"}


def test_what_is_masked_is_not_found() -> None:
    assert leaked("3301**********446X 100011201805000001 lantern", SECRETS) == set()


def sign_up(browser: Browser) -> None:
    browser.form("/account/notice/", accept="on")
    browser.post("/account/signup/", **{**SIGN_UP, "id_number": "330106199512314461", "password2": WRONG_PASSWORD})
    browser.post("/account/signup/", **{**SIGN_UP, "username": NUMBER, "name": "林?"}, search="1", picker_query="zhe")
    browser.post("/account/signup/", **{**SIGN_UP, "username": NUMBER, "recovery_answer": "\0"})
    with breaking("accounts_ledgerevent", "NEW.action = 'account.registered'"):
        browser.post("/account/signup/", **SIGN_UP)
        assert browser.status == 500
    browser.form("/account/signup/", **SIGN_UP)
    assert (browser.status, browser.address) == (200, "/dashboard/")


def sign_in(browser: Browser) -> None:
    browser.form("/account/logout/")
    for login, password in ((SPELT, WRONG_PASSWORD), (PASSWORD, NUMBER), (NUMBER, "x" * 200)):
        browser.form("/account/login/", login=login, password=password)
        assert browser.status == 200
    with breaking("accounts_user", "NEW.last_login IS NOT NULL"):
        browser.form("/account/login/", login=SPELT, password=PASSWORD)
        assert browser.status == 500
    browser.form("/account/login/", login=SPELT, password=PASSWORD)
    assert browser.address == "/dashboard/"


def recover(browser: Browser) -> None:
    stranger = Browser(browser.port, pages=browser.pages)
    stranger.form("/account/recovery/", login=SPELT)
    stranger.post("/account/recovery/question/", answer=WRONG_ANSWER)
    with breaking("accounts_recoveryattempts", "true"):
        stranger.form("/account/recovery/question/", answer=ANSWER)
        assert stranger.status == 500
    stranger.form("/account/recovery/code/", send="1")
    stranger.form("/account/recovery/code/", code=NUMBER[:12])
    stranger.form("/account/recovery/question/", answer=ANSWER)
    assert stranger.address == "/account/recovery/password/"
    stranger.post("/account/recovery/password/", password1=NUMBER, password2=NEW_PASSWORD)
    with breaking("accounts_ledgerevent", "NEW.action = 'password.recovered'"):
        stranger.post("/account/recovery/password/", password1=NEW_PASSWORD, password2=NEW_PASSWORD)
        assert stranger.status == 500
    stranger.form("/account/recovery/password/", password1=NEW_PASSWORD, password2=NEW_PASSWORD)
    assert stranger.address == "/account/login/"
    browser.form("/account/login/", login=NUMBER, password=NEW_PASSWORD)
    assert browser.address == "/dashboard/"
    assert {where for where, row in rows() if leaked(row, SECRETS)} == set()  # among them the session begun so


def verify_email(browser: Browser, worker_log: Path) -> None:
    browser.form("/account/security/email/", address="lin@example.org", password=NEW_PASSWORD)
    code = until(lambda: EmailCode.objects.filter(purpose="verify", sent_at__isnull=False).first()).code
    with breaking("accounts_delivery", "NEW.state = 'sending'"):  # under the task that sends the message
        browser.post("/account/security/email/code/", code=code)
        until(lambda: "provoked by a test" in worker_log.read_text())
    assert Delivery.objects.get(message__kind="email_changed").state == "queued"
    assert User.objects.get(username="quiet.ferry").email == "lin@example.org"


def complete_account(browser: Browser) -> None:
    with breaking("accounts_ledgerevent", "NEW.action = 'basic_information.saved'"):
        browser.form("/account/basic-information/", **BASIC)
        assert browser.status == 500
    # The session ends while somebody types a number and an answer where they do not belong.
    browser.get("/account/basic-information/")
    Session.objects.all().delete()
    browser.post("/account/basic-information/", **{**BASIC, "mobile": SPELT, "employer": ANSWER, "ethnicity": "x" * 30})
    browser.post("/account/login/", login="quiet.ferry", password=NEW_PASSWORD, next="/account/basic-information/")
    browser.post("/account/basic-information/", **BASIC)
    factories.give_photo(Candidate.objects.get(user__username="quiet.ferry"))
    browser.form("/account/education/", **EDUCATION)
    browser.form("/account/credentials/", kind="nurse_registration", since="2018-09")
    # An application for a change of identity, and one without an account, with the number in each (R07).
    browser.form("/account/identity/change/43/", **{**CHANGE, "reason": ANSWER})
    browser.get(re.findall(r'href="([^"]+[.]pdf)"', browser.pages[-1].body)[0])
    stranger = Browser(browser.port, pages=browser.pages)
    stranger.form("/account/identity/taken/43/", **{**CHANGE, "id_number": NUMBER[:17] + "0"})
    stranger.post("/account/identity/taken/43/", **CHANGE)
    assert IdentityRequest.objects.count() == 2


def bind_wechat(browser: Browser, wechat: Sandbox) -> None:
    browser.form("/account/wechat/", password=WRONG_PASSWORD)
    browser.form("/account/wechat/", password=NEW_PASSWORD)
    back = urlsplit(wechat.allow(browser.sent_to, 2))
    browser.get(f"{back.path}?{back.query}")
    assert (browser.status, browser.address) == (200, "/account/wechat/")
    wechat.do("/sandbox/people/2", {"act": "follow"})
    until(lambda: WeChatUser.objects.filter(candidate__isnull=False, following=True).exists())


def register(browser: Browser) -> None:
    browser.form("/exams/")
    browser.get("/exams/")
    browser.post(f"{EXAM}/start/")
    for step, answers in (
        ("pledge", {"accept": "on"}),
        ("region", {"region": "43"}),
        ("point", {"place": "4301"}),
        ("specialty", {"specialty": "203", "subjects": "1"}),
        ("photo", {"digest": Photo.objects.get().digest}),
    ):
        browser.form(f"{EXAM}/{step}/", **answers)
    browser.get(f"{EXAM}/check/")
    with breaking("registration_submission", "true"):
        browser.post(f"{EXAM}/submit/")
        assert browser.status == 500
    browser.get(f"{EXAM}/check/")
    browser.post(f"{EXAM}/submit/")
    assert "%PDF" in browser.get(f"{EXAM}/form.pdf")
    until(lambda: Delivery.objects.filter(message__kind="application_submitted", state="sent").first())
    browser.get("/account/inbox/")
    browser.get(f"/nowhere/?code={'x' * 20}")


def work_as_staff(port: int) -> Browser:
    """Somebody of the exam point finds the candidate, reveals the number, and looks at what the candidate sees."""
    signed_in = staff_client(factories.make_staff(Point.objects.get(code="4301")))
    browser = Browser(port, cookies={name: cookie.value for name, cookie in signed_in.cookies.items()})
    candidates, candidate = "/staff/accounts/candidate", Candidate.objects.get()
    browser.get(f"{candidates}/")
    browser.post(f"{candidates}/search/", typed=NUMBER[:17] + "0")
    assert browser.status == 200
    browser.post(f"{candidates}/search/", typed=SPELT)
    assert browser.address == f"{candidates}/{candidate.pk}/change/"
    reveal = f"{candidates}/{candidate.pk}/reveal/"
    with breaking("accounts_ledgerevent", "NEW.action = 'id_number.revealed'"):
        browser.form(reveal, reason="核对原件")
        assert browser.status == 500
    browser.form(reveal, reason=f"核对{NUMBER}的原件")
    assert NUMBER in browser.pages[-1].body
    browser.get(f"{candidates}/{candidate.pk}/change/")
    browser.post(f"{candidates}/{candidate.pk}/look/", reason="考生来电")
    assert browser.address == "/dashboard/"
    for page in ("/account/basic-information/", "/account/education/", f"{EXAM}/", f"{EXAM}/form.pdf"):
        browser.get(page)
    browser.post("/account/basic-information/", **BASIC)
    assert browser.status == 405
    browser.get("/dashboard/")
    browser.post(f"{candidates}/looking/end/")
    assert browser.address == f"{candidates}/{candidate.pk}/change/"
    return browser


def may_show(page: Page) -> set[str]:
    """What a page gives back to the person who typed it: with a mistake, or after the session had ended."""
    if page.address.endswith("/reveal/") and page.sent and page.status == 200:
        return {"number", "number without its last character"}
    if "刚才填写的内容已恢复" in page.body:
        return {"number", "number without its last character", "answer"}
    return leaked(page.sent, SECRETS) if page.status == 200 else set()


def test_a_whole_walk_leaves_no_number_password_or_answer_anywhere(portal: Portal) -> None:
    factories.make_exam()
    browser = Browser(portal.port)
    sign_up(browser)
    sign_in(browser)
    recover(browser)
    verify_email(browser, portal.folder / "worker.log")
    complete_account(browser)
    bind_wechat(browser, portal.wechat)
    register(browser)
    assert Candidate.objects.get().id_number == NUMBER
    browser.pages += work_as_staff(portal.port).pages

    written = list(portal.written(browser.pages))
    assert {where: found for where, text in written if (found := leaked(text, SECRETS))} == {}
    shown = [(page.address, page.status, leaked(page.body, SECRETS) - may_show(page)) for page in browser.pages]
    assert [page for page in shown if page[2]] == []

    # The search had something to look at: each of these was written, and errors were provoked in views and in a task.
    text = dict(written)
    log = {name: (portal.folder / f"{name}.log").read_text() for name in ("web", "worker")}
    assert "POST /account/signup/" in log["web"]
    assert log["web"].count("Traceback (most recent call last)") >= 5
    assert "accounts.tasks.deliver_message" in log["worker"] and "provoked by a test" in log["worker"]
    assert "DEBUG" in log["web"] + log["worker"]
    assert "accounts.tasks" in text["told to Redis"] and "per-address" not in text["told to Redis"]
    assert [file for file in (portal.folder / "mail").iterdir() if "lin@example.org" in file.read_text()]
    assert {page.status for page in browser.pages} == {200, 302, 403, 404, 405, 500}
    assert "quiet.ferry" in str([row for where, row in written if where == "table accounts_user"])
    if postgres := text.get("postgres.log"):  # not there when the tests were given a server
        assert "provoked by a test" in postgres
