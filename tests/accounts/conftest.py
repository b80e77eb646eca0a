"""What the tests of accounts stand on: somebody with a password, an exam point with its staff and its region's."""

from typing import Any

import pytest

from accounts import limits
from accounts.actors import Actor
from accounts.models import Candidate, Point
from registration.models import Exam
from tests import factories
from tests.accounts.recovering import make_somebody


@pytest.fixture
def somebody(db: None) -> Candidate:
    """A candidate with a password, a question whose answer is 实验小学, and a verified address."""
    return make_somebody()


@pytest.fixture(autouse=True)
def private_files(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def point(exam: Exam) -> Point:
    return Point.objects.get(code="4301")


@pytest.fixture
def clerk(point: Point) -> Actor:
    return factories.staff_of(point)


@pytest.fixture
def region(exam: Exam) -> Actor:
    return factories.staff_of(None, "43")


@pytest.fixture
def one_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """No minute of the limits per address ends meanwhile."""
    monkeypatch.setattr(limits.time, "time", lambda: 1_000_000.0)
