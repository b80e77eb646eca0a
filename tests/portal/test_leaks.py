"""Nothing that the portal writes holds a full ID number, a password or a recovery answer.

A candidate's whole walk against real processes with all logs at their most talkative: sign-up with mistakes, sign-in,
recovery, a registration to the PDF, and errors provoked in the database under views and tasks. Then everything that was
written on the way is searched.
"""

import base64
import contextlib
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
import redis
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import signing
from django.db import connection
from django.db.models import TextField, Value
from django.db.models.functions import Cast
from django.test import Client

from accounts.actors import SYSTEM
from accounts.models import CalendarLink, Candidate, Delivery, EmailCode, IdentityRequest, Point, User, WeChatUser
from accounts.services import staff, two_step
from exam_portal import clock
from exam_portal.local.demo import ALONE, celery
from exam_portal.local.wechat import settings_of
from tests import factories
from tests.portal.leaks import leaked
from tests.portal.watching import Browser, Listener, Page, breaking, until
from tests.processes import running, web
from tests.staffing import staff_client
from tests.wechat import Sandbox, sandbox

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


@dataclass
class Portal:
    """The running processes and where they write."""

    port: int
    folder: Path
    told_to_redis: Listener
    wechat: Sandbox


@pytest.fixture
def portal(transactional_db: None, tmp_path: Path) -> Iterator[Portal]:
    talkative = {"PORTAL_LOG_LEVEL": "DEBUG", "PORTAL_EMAIL_URL": f"filemail:///{tmp_path / 'mail'}"}
    talkative |= {"PORTAL_CALENDARS_PER_ADDRESS": "2"}
    worker = [*celery("worker", "--concurrency=2", *ALONE), "--loglevel=DEBUG"]
    with sandbox() as wechat, Listener() as listener, contextlib.ExitStack() as processes:
        talkative |= settings_of(wechat.server.server_address[1])
        processes.enter_context(running(worker, log=tmp_path / "worker.log", **talkative))
        port = processes.enter_context(web("--log-level=debug", log=tmp_path / "web.log", **talkative))
        wechat.server.pusher.url = f"http://localhost:{port}/wechat/events/"
        yield Portal(port, tmp_path, listener, wechat)


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
        ("photo", {}),
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


def rows() -> Iterator[tuple[str, str]]:
    """Every row of every table, as JSON; sessions also as they are read."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')  # noqa: S608
            for (row,) in cursor.fetchall():
                yield f"table {table}", row
    for session in Session.objects.all():
        yield "session", json.dumps(session.get_decoded())


def keys_of_redis() -> Iterator[tuple[str, str]]:
    """Every key of this test's Redis, with all that stands in it."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    for key in client.scan_iter():
        kind = client.type(key).decode()
        read = {"string": client.get, "hash": client.hgetall, "set": client.smembers}
        read |= {"list": lambda key: client.lrange(key, 0, -1), "zset": lambda key: client.zrange(key, 0, -1)}
        yield f"Redis {key!r}", f"{key!r} {read[kind](key)!r}"


def written_since(file: Path, began: int) -> str:
    with file.open("rb") as log:
        log.seek(began)
        return log.read().decode("utf-8", "replace")


def may_show(page: Page) -> set[str]:
    """What a page gives back to the person who typed it: with a mistake, or after the session had ended."""
    if page.address.endswith("/reveal/") and page.sent and page.status == 200:
        return {"number", "number without its last character"}
    if "刚才填写的内容已恢复" in page.body:
        return {"number", "number without its last character", "answer"}
    return leaked(page.sent, SECRETS) if page.status == 200 else set()


def test_a_whole_walk_leaves_no_number_password_or_answer_anywhere(portal: Portal) -> None:
    factories.make_exam()
    servers = {file: file.stat().st_size for file in Path(settings.PORTAL_STATE, "log").glob("*.log")}
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

    written: list[tuple[str, str]] = [*rows(), *keys_of_redis()]
    written += [("told to WeChat", json.dumps(portal.wechat.ask("/sandbox/state"), ensure_ascii=False))]
    written += [("told to Redis", "\n".join(portal.told_to_redis.heard))]
    written += [(str(file), file.read_text()) for file in portal.folder.rglob("*") if file.is_file()]
    written += [(file.name, written_since(file, began)) for file, began in servers.items()]
    written += [("an address and headers", f"{page.address}\n{page.headers}") for page in browser.pages]
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


def first_sign_in_of_staff(browser: Browser, code: str) -> str:
    """By link, password and app, with mistakes and errors on the way; returns the secret that the app keeps."""
    browser.form("/account/welcome/", code=code, password1="short", password2="short")
    with breaking("accounts_ledgerevent", "NEW.action = 'password.set'"):
        browser.post("/account/welcome/", code=code, password1=PASSWORD, password2=PASSWORD)
        assert browser.status == 500
    browser.form("/account/welcome/", code=code, password1=PASSWORD, password2=PASSWORD)
    browser.form("/account/login/", login="wangfang", password=WRONG_PASSWORD)
    browser.post("/account/login/", login="wangfang", password=PASSWORD)
    assert browser.address == "/account/two-step/"
    shown = re.search(r'id="secret">([A-Z2-7 ]+)<', browser.get("/account/two-step/app/"))
    assert shown
    secret = shown[1].replace(" ", "")
    with breaking("mfa_authenticator", "NEW.type = 'totp'"):
        browser.post("/account/two-step/app/", code=two_step.code_now(secret) or "")
        assert browser.status == 500
    shown = re.search(r'id="secret">([A-Z2-7 ]+)<', browser.get("/account/two-step/app/"))
    assert shown
    secret = shown[1].replace(" ", "")
    browser.post("/account/two-step/app/", code=two_step.code_now(secret) or "")
    recovery = re.findall(r"<code>(\d{8})</code>", browser.pages[-1].body)[0]
    browser.post("/account/logout/")
    browser.form("/account/login/", login="wangfang", password=PASSWORD)
    browser.post("/account/login/second-step/", code="000000")
    browser.post("/account/login/second-step/", code=recovery)
    assert browser.address == "/staff/"
    return secret


def test_a_first_sign_in_of_staff_leaves_no_link_password_or_secret_anywhere(portal: Portal) -> None:
    factories.make_exam()
    made = staff.add(actor=SYSTEM, username="wangfang", name="王芳", role="site_clerk", code="430101", at=clock.now())
    code = staff.make_link(actor=SYSTEM, user=made.user, at=clock.now()).partition("#")[2]
    servers = {file: file.stat().st_size for file in Path(settings.PORTAL_STATE, "log").glob("*.log")}
    browser = Browser(portal.port)
    secrets = {"link": code, "password": PASSWORD, "secret": first_sign_in_of_staff(browser, code)}
    written = [*rows(), *keys_of_redis(), ("told to Redis", "\n".join(portal.told_to_redis.heard))]
    written += [(str(file), file.read_text()) for file in portal.folder.rglob("*") if file.is_file()]
    written += [(file.name, written_since(file, began)) for file, began in servers.items()]
    written += [("an address and headers", f"{page.address}\n{page.headers}") for page in browser.pages]
    assert {where: found for where, text in written if (found := leaked(text, secrets))} == {}
    assert (portal.folder / "web.log").read_text().count("provoked by a test") >= 2
    told = {(page.address, name) for page in browser.pages for name in leaked(page.body, secrets)}
    assert told == {("/account/two-step/app/", "secret"), ("/account/welcome/", "link")}  # to whoever it is for


def test_the_address_of_a_calendar_stands_nowhere_but_on_its_page(portal: Portal) -> None:
    factories.make_exam()
    candidate, client = factories.make_candidate(), Client()
    client.force_login(candidate.user)
    servers = {file: file.stat().st_size for file in Path(settings.PORTAL_STATE, "log").glob("*.log")}
    browser = Browser(portal.port, cookies={name: cookie.value for name, cookie in client.cookies.items()})
    browser.form("/account/calendar/")
    link = CalendarLink.objects.get()
    feed = Browser(portal.port)  # whoever has the address
    feed.get(f"/calendar/{link.token}.ics")
    encrypted = CalendarLink.objects.values_list(Cast("token", TextField()), flat=True).get()
    CalendarLink.objects.update(token=Value("broken"))
    feed.get(f"/calendar/{link.token}.ics")
    CalendarLink.objects.update(token=Value(encrypted))
    for _again in range(3):  # a minute may have begun between
        feed.get(f"/calendar/{link.token}.ics")
    assert {page.status for page in feed.pages} >= {200, 500, 429}

    written = [*rows(), *keys_of_redis(), ("told to Redis", "\n".join(portal.told_to_redis.heard))]
    written += [(str(file), file.read_text()) for file in portal.folder.rglob("*") if file.is_file()]
    written += [(file.name, written_since(file, began)) for file, began in servers.items()]
    written += [("an address and headers", f"{page.address}\n{page.headers}") for page in browser.pages]
    assert {where for where, text in written if leaked(text, {"link": link.token})} == set()
    assert {page.address for page in browser.pages if link.token in page.body} == {"/account/calendar/"}
    log = (portal.folder / "web.log").read_text()
    assert log.count("GET /calendar/….ics HTTP/1.1") == len(feed.pages)
    assert "Too Many Requests: /calendar/….ics" in log and "Internal Server Error: /calendar/….ics" in log
    assert [row for where, row in rows() if where == "table accounts_calendarlink" and link.digest in row]
