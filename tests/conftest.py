"""What all tests stand on: real PostgreSQL and Redis, a shifted clock, candidates, a small exam."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import Candidate
from exam_portal import clock
from registration.models import Application, Exam
from tests import factories

pytest_plugins = ["tests.rules"]

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
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        from django.core.cache import cache

        cache.clear()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Each worker of a parallel run has a database of its own; its Redis database is chosen in `pytest_configure`."""


def pytest_configure(config: pytest.Config) -> None:
    # A Redis database for each worker of a parallel run, before the settings are read.
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    if url := os.environ.get("REDIS_URL"):
        base, found, _number = url.partition("?db=")
        if found:
            os.environ["REDIS_URL"] = f"{base}?db={worker}"


@pytest.fixture
def exam(db: None) -> Exam:
    """A small exam like the 2024 one: regions 11 (automatic), 12 (online), 43, two points each."""
    return factories.make_exam()


@pytest.fixture
def candidate(db: None) -> Candidate:
    """A candidate whose account is complete: basic information, education, WeChat bound and followed."""
    return factories.make_candidate()


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
