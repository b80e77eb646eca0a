"""Staff before the staff site."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from accounts.actors import SYSTEM
from accounts.services import staff
from exam_portal import clock
from tests import factories
from tests.staffing import staff_client


@pytest.fixture
def staff_user_without_role(exam: object) -> Callable[[], Client]:
    """A browser in which somebody is signed in whose role ended."""

    def make() -> Client:
        assignment = factories.make_staff(region="43")
        staff.end(actor=SYSTEM, assignment=assignment, at=clock.now() - timedelta(hours=1))
        return staff_client(assignment)

    return make
