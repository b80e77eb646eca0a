"""What an hour of reminding costs: when all are reminded, and when all know. The floor is counting them."""

from collections.abc import Callable
from time import perf_counter

import pytest
from django.db import connection

from exam_portal import clock
from registration.models import Application
from registration.services.reminders import remind_before_deadlines
from tests import factories
from tests.registration.reminding import beijing

pytestmark = pytest.mark.django_db(transaction=True)
DRAFTS = 10_000
MOST = 0.1  # of an hour in which all are reminded


def test_an_hour_in_which_all_know_costs_little(measure: Callable[..., float], tell: Callable[[str], None]) -> None:
    exam = factories.make_exam()
    # More than the factory has numbers for.
    people = [factories.CandidateFactory(id_digest=f"{number:064x}") for number in range(DRAFTS)]
    Application.objects.bulk_create(
        Application(candidate=person, exam=exam, number=f"24W{person.pk:011}", channel="web") for person in people
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with clock.shifted_to(beijing("2023-12-13T08:05")):
        floor = measure(lambda: Application.objects.filter(state="draft").count())
        began = perf_counter()
        assert remind_before_deadlines(at=clock.now()) == DRAFTS
        all_reminded = perf_counter() - began
        idle = measure(lambda: remind_before_deadlines(at=clock.now()), 5)
    tell(f"{DRAFTS} drafts: counting them 1 ({floor * 1000:.1f} ms)")
    tell(f"all reminded {all_reminded / floor:.0f} ({all_reminded:.1f} s), all know {idle / floor:.0f} ({idle:.2f} s)")
    assert idle < MOST * all_reminded
