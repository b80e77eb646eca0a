"""What all tests stand on: real PostgreSQL and Redis, a shifted clock, candidates, a small exam."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pgtrigger
import pytest
from django.conf import settings
from django.test import Client, TransactionTestCase
from django.utils import translation

from accounts.models import Candidate
from exam_portal import clock
from exam_portal.kit import bell
from registration.models import Application, Exam
from tests import factories
from tests.wechat import Sandbox, reachable, sandbox

_flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]


def _flush_past_the_guards(self: TransactionTestCase) -> None:
    """Tests that commit empty the tables afterwards, which the ledger's own triggers would refuse."""
    with pgtrigger.ignore():
        _flush(self)


TransactionTestCase._fixture_teardown = _flush_past_the_guards  # type: ignore[attr-defined]

OPEN = datetime(2023, 12, 5, 9, tzinfo=clock.BEIJING)
OPENS = datetime(2023, 12, 1, tzinfo=clock.BEIJING)
CLOSES = datetime(2023, 12, 15, tzinfo=clock.BEIJING)
TICK = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def portal_time() -> Iterator[None]:
    """Every test begins inside the window of the 2024 exam; `at_time` shifts it on."""
    with clock.shifted_to(OPEN):
        yield


@pytest.fixture
def arriving(monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], None]:
    """`arriving(moment)`: every request from now on reaches the server at exactly this moment."""

    def arrive(moment: datetime) -> None:
        monkeypatch.setattr(clock, "note_arrival", lambda request: setattr(request, "arrived_at", moment))

    return arrive


@pytest.fixture
def at_time() -> Iterator[Callable[[datetime], None]]:
    """`at_time(moment)`: let the portal's clock go on from there."""
    stack: list[Any] = []

    def shift(moment: datetime) -> None:
        shifted = clock.shifted_to(moment)
        shifted.__enter__()
        stack.append(shifted)

    yield shift
    for shifted in reversed(stack):
        shifted.__exit__(None, None, None)


@pytest.fixture(autouse=True)
def _fresh_cache(request: pytest.FixtureRequest) -> None:
    """Rate limits of one test do not reach the next."""
    if request.node.get_closest_marker("django_db") or "db" in request.fixturenames:
        from django.core.cache import cache

        cache.clear()


@pytest.fixture(autouse=True)
def _own_language() -> None:
    """The language in which one test read a page is not the next one's."""
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True)
def _heard_bell() -> None:
    """A broker that hung in one test is asked again in the next."""
    bell._silent_until = 0.0


@pytest.fixture
def exam(db: None) -> Exam:
    """A small exam like the 2024 one: regions 11 (automatic), 12 (online), 43, two points each."""
    return factories.make_exam()


@pytest.fixture
def candidate(db: None) -> Candidate:
    """A candidate whose account is complete: basic information, education, WeChat bound and followed."""
    return factories.make_candidate()


@pytest.fixture
def phone(settings: Any, candidate: Candidate) -> Iterator[Sandbox]:
    """The WeChat of `candidate`, who follows."""
    with sandbox() as running:
        reachable(running, settings)
        running.do("/sandbox/people/1", {"act": "follow"})
        candidate.wechat.openid = running.openid(1)
        candidate.wechat.save()
        yield running


@pytest.fixture
def newcomer(db: None) -> Candidate:
    """A candidate who has only registered."""
    return factories.CandidateFactory()


@pytest.fixture
def signed_in(client: Client, candidate: Candidate) -> Client:
    """A browser in which `candidate` is signed in."""
    client.force_login(candidate.user)
    return client


@pytest.fixture
def draft(exam: Exam, candidate: Candidate) -> Application:
    """A complete draft of `candidate` in `exam`, ready to submit."""
    return factories.make_draft(candidate, exam)
