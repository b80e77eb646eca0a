"""Redis stopped while many candidates act (`pytest -m faults`): all succeed, and every message goes out afterwards."""

import http.client
import re
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import BasicInformation, Candidate, Message
from registration.models import Application, Exam
from tests import factories
from tests.flooding import State, Tell, bind, done_meanwhile, keys, stage, states, wait_until
from tests.processes import web

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

AT_ONCE = 8
LONGEST = 6.0  # seconds: one wait for a Redis that hangs, and what a busy machine adds
WORKPLACE = "湖南省株洲市"


class Browser:
    """Somebody signed in, over HTTP; notes how long each form took."""

    def __init__(self, port: int, candidate: Candidate) -> None:
        client = Client()
        client.force_login(candidate.user)
        self.port, self.token, self.taken = port, secrets.token_hex(16), list[float]()
        self.session = client.cookies[settings.SESSION_COOKIE_NAME].value

    def ask(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        cookies = f"{settings.SESSION_COOKIE_NAME}={self.session}; {settings.CSRF_COOKIE_NAME}={self.token}"
        headers = {"Host": "localhost", "Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with closing(asked):
            asked.request(method, path, body=body, headers=headers)
            answer = asked.getresponse()
            return answer.status, answer.read().decode()

    def post(self, path: str, **fields: str) -> None:
        began = time.monotonic()
        status, page = self.ask("POST", path, urlencode({**fields, "csrfmiddlewaretoken": self.token}))
        self.taken.append(time.monotonic() - began)
        assert status == 302, page


def act(browser: Browser, *, submits: bool, withdraws: bool) -> list[float]:
    """Save basic information, submit, withdraw; how long each took."""
    browser.post("/account/basic-information/", **{**factories.BASIC, "workplace": WORKPLACE})
    if submits:
        _status, page = browser.ask("GET", "/exams/2024-health/check/")
        found = re.search(r'name="seen" value="(\w+)"', page)
        assert found, page
        browser.post("/exams/2024-health/submit/", seen=found[1])
    if withdraws:
        browser.post("/exams/2024-health/withdraw/")
    return browser.taken


def everybody(port: int, candidates: list[Candidate], submit: int, withdraw: int) -> Iterator[float]:
    """All of them act, some at a time; of the first `submit` submit, of those the first `withdraw` withdraw."""
    browsers = [Browser(port, candidate) for candidate in candidates]
    with ThreadPoolExecutor(AT_ONCE) as crowd:
        acts = [
            crowd.submit(act, browser, submits=number < submit, withdraws=number < withdraw)
            for number, browser in enumerate(browsers)
        ]
        for each in acts:
            yield from each.result()


@pytest.mark.parametrize(
    ("how", "people", "submit", "withdraw"),
    [("killed", 500, 300, 150), ("frozen", 40, 40, 20)],
    ids=["killed", "frozen"],
)
def test_redis_stopped_stops_nobody_and_loses_no_message(
    exam: Exam, tmp_path: Path, tell: Tell, how: str, people: int, submit: int, withdraw: int
) -> None:
    candidates = [factories.make_candidate() for _ in range(people)]
    for candidate in candidates[:submit]:
        factories.make_draft(candidate, exam)
    with stage(tmp_path, PORTAL_SENDS_PER_SECOND="500") as (redis, wechat, processes):
        bind(candidates, wechat.follow(people))
        processes.worker(2)
        processes.beat()
        with web(log=tmp_path / "web.log", **processes.settings) as port:
            if how == "killed":
                redis.kill()
            else:
                redis.freeze()
            taken = list(everybody(port, candidates, submit, withdraw))
        assert wechat.arrived().total() == 0
        written = Message.objects.count()
        if how == "killed":
            redis.start()
        else:
            redis.thaw()
        began = time.monotonic()
        processes.forget_bells()
        ended = {State.SENT, State.DEAD}
        wait_until(lambda: set(states()) <= ended, seconds=120, what=lambda: (states(), log(tmp_path)))
        arrived, done = wechat.arrived(), done_meanwhile()
        tell(
            f"Redis {how}: {people} candidates, {len(taken)} forms, median {median(taken) * 1000:.0f} ms, "
            f"slowest {max(taken) * 1000:.0f} ms; {written} messages, {len(keys())} for WeChat, "
            f"{len(arrived)} arrived, {arrived.total() - len(arrived)} came again, {len(done)} were done meanwhile, "
            f"{time.monotonic() - began:.0f} s after Redis was back"
        )
    assert BasicInformation.objects.filter(workplace=WORKPLACE).count() == people
    assert Application.objects.filter(state="submitted").count() == submit - withdraw
    assert Application.objects.filter(state="draft", last_transition="withdraw").count() == withdraw
    # Whoever withdrew has no form to bring any more; every other message arrived.
    assert len(done) == withdraw and len(arrived) >= people
    assert set(arrived) == keys() - done
    assert set(arrived.values()) == {1}
    assert median(taken) < 1 and max(taken) < LONGEST


def log(folder: Path) -> str:
    """The ends of what the processes said."""
    return "\n".join((folder / name).read_text()[-2000:] for name in ("worker.log", "beat.log"))
