"""A small exam's exam point, its staff and its region's, and private files of one test."""

from typing import Any

import pytest

from accounts.actors import Actor
from accounts.models import Point
from registration.models import Exam
from tests import factories


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
