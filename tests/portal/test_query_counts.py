"""How many queries a page takes: few, and the same for one row or many."""

import pytest
from django.test import Client
from django.urls import reverse

from registration.models import Exam
from tests import factories

pytestmark = pytest.mark.django_db

# Session, user, candidate and unread messages are four on every page of a candidate.
STEPS = {"overview": 6, "pledge": 5, "region": 6, "point": 7, "specialty": 8, "photo": 5, "check": 8}


def test_home_for_anybody(client: Client, exam: Exam, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(1):  # type: ignore[operator]
        client.get(reverse("portal:home"))
    for number in range(2):
        factories.make_exam(f"other-{number}", prefix=f"X{number}")
    with django_assert_num_queries(1):  # type: ignore[operator]
        client.get(reverse("portal:home"))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("records", [1, 3])
def test_each_step(client: Client, exam: Exam, step: str, records: int, django_assert_num_queries: object) -> None:
    candidate = factories.make_candidate(records=records)
    factories.make_draft(candidate, exam)
    client.force_login(candidate.user)
    page = reverse(f"registration:{step}", args=[exam.code])
    client.get(page)
    with django_assert_num_queries(STEPS[step]):  # type: ignore[operator]
        assert client.get(page).status_code == 200
