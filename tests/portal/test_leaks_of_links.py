"""No link or address that opens something stands anywhere but on the page of whoever it is for."""

import re

from django.db.models import TextField, Value
from django.db.models.functions import Cast
from django.test import Client

from accounts.actors import SYSTEM
from accounts.models import CalendarLink
from accounts.services import staff, two_step
from exam_portal import clock
from tests import factories
from tests.portal.leaking import Portal, rows
from tests.portal.leaks import leaked
from tests.portal.test_leaks import PASSWORD, WRONG_PASSWORD
from tests.portal.watching import Browser, breaking


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
    browser = Browser(portal.port)
    secrets = {"link": code, "password": PASSWORD, "secret": first_sign_in_of_staff(browser, code)}
    written = list(portal.written(browser.pages))
    assert {where: found for where, text in written if (found := leaked(text, secrets))} == {}
    assert (portal.folder / "web.log").read_text().count("provoked by a test") >= 2
    told = {(page.address, name) for page in browser.pages for name in leaked(page.body, secrets)}
    assert told == {("/account/two-step/app/", "secret"), ("/account/welcome/", "link")}  # to whoever it is for


def test_the_address_of_a_calendar_stands_nowhere_but_on_its_page(portal: Portal) -> None:
    factories.make_exam()
    candidate, client = factories.make_candidate(), Client()
    client.force_login(candidate.user)
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

    written = list(portal.written(browser.pages))
    assert {where for where, text in written if leaked(text, {"link": link.token})} == set()
    assert {page.address for page in browser.pages if link.token in page.body} == {"/account/calendar/"}
    log = (portal.folder / "web.log").read_text()
    assert log.count("GET /calendar/….ics HTTP/1.1") == len(feed.pages)
    assert "Too Many Requests: /calendar/….ics" in log and "Internal Server Error: /calendar/….ics" in log
    assert [row for where, row in rows() if where == "table accounts_calendarlink" and link.digest in row]
