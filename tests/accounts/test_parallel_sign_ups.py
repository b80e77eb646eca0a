"""Many sign-ups with one ID number at once, over HTTP, against a gunicorn of several processes."""

import contextlib
import http.client
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import reverse

from accounts.models import Candidate, LedgerEvent, User
from accounts.services.registering import NOTICE_VERSION
from accounts.views.registering import ACCEPTED
from tests.accounts.test_registering import FORM
from tests.processes import web

pytestmark = pytest.mark.django_db(transaction=True)

CROWD = 100  # threads that ask at the same time


@pytest.fixture
def gunicorn(transactional_db: None, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """Port and log of a web server of four processes on the database and cache of this test."""
    log = tmp_path / "web.log"
    more = ("--workers=4", "--timeout=120", "--backlog=2048")
    with web(*more, log=log, PORTAL_SIGN_UPS_PER_ADDRESS="100000") as port:
        yield port, log


def who_accepted_the_notice() -> str:
    """The cookies of somebody who has accepted the special notice."""
    store = Session.get_session_store_class()()
    store[ACCEPTED] = NOTICE_VERSION
    store.create()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"


def sign_up(port: int, session: str, fields: dict[str, str]) -> tuple[int, str]:
    """Status, and the sentence beside the ID number or where the answer leads."""
    token = secrets.token_hex(16)
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    with contextlib.closing(asked):
        asked.request(
            "POST",
            reverse("account_signup"),
            body=urlencode({**fields, "csrfmiddlewaretoken": token}),
            headers={
                "Host": "localhost",
                "Content-Type": "application/x-www-form-urlencoded",
                "Cookie": f"{session}; {settings.CSRF_COOKIE_NAME}={token}; django_language=en",
            },
        )
        answer = asked.getresponse()
        page = answer.read().decode()
    if answer.status == 302:
        return 302, answer.headers["Location"]
    told = re.findall(r"This ID number is already registered\.[^<]*", page)
    return answer.status, told[0].strip() if told else page


def form(number: int) -> dict[str, str]:
    """The same person's form in another spelling of the number, with another username."""
    one = FORM["id_number"]
    spelt = (one, one.lower(), f"{one[:6]} {one[6:14]} {one[14:]}", f"{one[:6]}-{one[6:]}")[number % 4]
    return {**FORM, "id_number": spelt, "id_number_again": spelt, "username": f"somebody.{number:04d}"}


@pytest.mark.rule("R04")
@pytest.mark.parametrize("many", [100, pytest.param(1000, marks=pytest.mark.faults)])
def test_of_many_sign_ups_with_one_number_exactly_one_becomes_an_account(gunicorn: tuple[int, Path], many: int) -> None:
    port, log = gunicorn
    forms = [form(number) for number in range(many)]
    sessions = [who_accepted_the_notice() for _ in forms]
    with ThreadPoolExecutor(CROWD) as crowd:
        answers = Counter(crowd.map(lambda one: sign_up(port, *one), zip(sessions, forms, strict=True)))
    assert answers.pop((302, reverse("portal:dashboard"))) == 1
    assert len(answers) == 1, answers  # all others read the same
    ((status, told),) = answers
    assert (status, answers.total()) == (200, many - 1)
    assert told.startswith("This ID number is already registered.")
    assert (Candidate.objects.count(), User.objects.count()) == (1, 1)
    assert LedgerEvent.objects.filter(action="account.registered").count() == 1
    assert FORM["id_number"] not in log.read_text()
