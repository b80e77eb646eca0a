"""Staff before the staff site."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from accounts.actors import SYSTEM
from accounts.models import Point, StaffAssignment
from accounts.services import staff
from exam_portal import clock
from tests import factories
from tests.staff.desks import of_region
from tests.staffing import staff_client


@pytest.fixture(autouse=True)
def private_files(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def point(exam: object) -> Point:
    return Point.objects.get(code="4301")


@pytest.fixture
def admin(exam: object) -> StaffAssignment:
    """An administrator of Hunan."""
    return of_region("43", "region_admin")


@pytest.fixture
def desk(admin: StaffAssignment) -> Client:
    """The administrator's browser."""
    return staff_client(admin)


@pytest.fixture
def staff_user_without_role(exam: object) -> Callable[[], Client]:
    """A browser in which somebody is signed in whose role ended."""

    def make() -> Client:
        assignment = factories.make_staff(region="43")
        staff.end(actor=SYSTEM, assignment=assignment, at=clock.now() - timedelta(hours=1))
        return staff_client(assignment)

    return make
