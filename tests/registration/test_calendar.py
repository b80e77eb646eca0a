"""A candidate's own deadlines in a calendar, by a private link that can be revoked (R17)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from icalendar import Calendar, Component

from accounts.actors import acting
from accounts.models import CalendarLink, Candidate, LedgerEvent
from accounts.services import calendar
from exam_portal import clock
from exam_portal.kit.errors import Refused
from registration.models import Application, Exam
from tests import factories
from tests.conftest import CLOSES
from tests.registration.reminding import beijing, submit, withdraw

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R17")]
PAGE = "/account/calendar/"


def make(candidate: Candidate, language: str = "en") -> str:
    """The path that a new link opens."""
    link = calendar.make_link(candidate=candidate, actor=acting(candidate), language=language, at=clock.now())
    return reverse("calendar_feed", args=[link.token])


def events(path: str) -> list[Component]:
    response = Client().get(path)
    assert response.status_code == 200
    read = Calendar.from_ical(response.content)
    return list(read.walk("VEVENT"))


# --- What it says -----------------------------------------------------------------------------------
def test_each_own_deadline_is_an_event_that_ends_with_it(draft: Application, candidate: Candidate) -> None:
    (event,) = events(make(candidate))
    assert (event.start, event.end) == (CLOSES - timedelta(hours=1), CLOSES)
    assert event["SUMMARY"] == "Finish your registration and submit it"
    assert str(event["UID"]).startswith(f"{candidate.pk}-submit-{draft.number}/1@")
    assert draft.exam.title in event["DESCRIPTION"]
    assert event["URL"].endswith(reverse("registration:check", args=[draft.exam.code]))
    (alarm,) = event.walk("VALARM")
    assert (alarm["ACTION"], alarm["TRIGGER"].dt) == ("DISPLAY", timedelta(days=-1))
    submit(draft)
    (event,) = events(reverse("calendar_feed", args=[CalendarLink.objects.get().token]))
    assert event.end == beijing("2023-12-20T17:00")
    assert "湖南第01考点" in event["LOCATION"]


def test_it_holds_nothing_of_the_person_and_what_the_account_lacks_stands_once(exam: Exam, newcomer: Candidate) -> None:
    path = make(newcomer)
    text = Client().get(path).content.decode()
    assert newcomer.name not in text and newcomer.id_number not in text and newcomer.user.username not in text
    (event,) = events(path)
    assert (event["SUMMARY"], event.end) == ("Choose an exam", CLOSES)


def test_a_moved_deadline_is_the_same_event_at_another_time(exam: Exam, candidate: Candidate) -> None:
    path = make(candidate)
    (before,) = events(path)
    exam.closes_at += timedelta(days=3)
    exam.save()
    (after,) = events(path)
    assert (after["UID"], after.end) == (before["UID"], before.end + timedelta(days=3))


@pytest.mark.rule("R09")
def test_withdrawn_and_a_second_exam_are_events_of_their_own_and_over_is_none(
    draft: Application, candidate: Candidate, at_time: Callable[[datetime], None]
) -> None:
    submit(draft)
    withdraw(draft)
    factories.begin(candidate, factories.make_exam("sooner", prefix="24H", day=10))
    path = make(candidate)
    assert [event["SUMMARY"] for event in events(path)] == ["Finish your registration and submit it", "Submit again"]
    at_time(CLOSES)
    assert events(path) == []


def test_it_speaks_the_language_in_which_the_link_was_made(draft: Application, candidate: Candidate) -> None:
    client = Client()
    client.force_login(candidate.user)
    client.post(PAGE)
    assert CalendarLink.objects.get().language == "zh-hans"
    client.cookies["django_language"] = "en"
    client.post(PAGE)
    assert CalendarLink.objects.get().language == "en"


# --- The link ---------------------------------------------------------------------------------------
def test_a_link_is_made_shown_made_anew_and_taken_away(signed_in: Client, exam: Exam, candidate: Candidate) -> None:
    assert signed_in.get(PAGE).context["link"] is None
    signed_in.post(PAGE)
    first = signed_in.get(PAGE).context["address"]
    assert first in signed_in.get(PAGE).content.decode()
    opened = first.partition("://")[2].partition("/")[2]
    assert Client().get(f"/{opened}").status_code == 200
    signed_in.post(PAGE)
    second = signed_in.get(PAGE).context["address"]
    assert second != first
    assert Client().get(f"/{opened}").status_code == 404
    signed_in.post(PAGE, {"revoke": "1"})
    signed_in.post(PAGE, {"revoke": "1"})
    assert not CalendarLink.objects.exists()
    told = LedgerEvent.objects.filter(action__startswith="calendar.").order_by("pk").values_list("action", flat=True)
    assert list(told) == ["calendar.made", "calendar.made", "calendar.revoked"]


def test_the_table_gives_no_link_away(candidate: Candidate) -> None:
    make(candidate)
    token = CalendarLink.objects.get().token
    with connection.cursor() as cursor:
        cursor.execute("SELECT token, digest FROM accounts_calendarlink")
        ((stored, digest),) = cursor.fetchall()
    assert token not in {stored, digest} and len(token) >= 43


def test_what_the_link_opens_is_private_and_sets_no_cookie(signed_in: Client, exam: Exam, candidate: Candidate) -> None:
    path = make(candidate)
    for client in (Client(), signed_in):
        response = client.get(path)
        assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
        assert "private" in response.headers["Cache-Control"]
        assert "Set-Cookie" not in response.headers and not response.cookies
    assert Client().post(path).status_code == 405
    unknown = Client().get(reverse("calendar_feed", args=["x" * 43]))
    assert (unknown.status_code, bool(unknown.cookies)) == (404, False)


def test_one_address_asks_so_often_and_no_more(candidate: Candidate, settings: Any) -> None:
    settings.PORTAL_CALENDARS_PER_ADDRESS = 2
    path = make(candidate)
    assert [Client().get(path).status_code for _again in range(3)] == [200, 200, 429]


def test_nobody_makes_or_revokes_the_link_of_another(candidate: Candidate, newcomer: Candidate) -> None:
    for act in (calendar.revoke_link, lambda **how: calendar.make_link(**how, language="en")):
        with pytest.raises(Refused) as refused:
            act(candidate=candidate, actor=acting(newcomer), at=clock.now())
        assert refused.value.code == "forbidden"
    assert not CalendarLink.objects.exists()


@pytest.mark.parametrize("exams", [1, 3])
def test_queries_of_a_calendar(exam: Exam, candidate: Candidate, exams: int, django_assert_num_queries: Any) -> None:
    factories.begin(candidate, exam)
    for number in range(1, exams):
        factories.begin(candidate, factories.make_exam(f"other-{number}", prefix=f"X{number}"))
    path = make(candidate)
    with django_assert_num_queries(4):
        assert len(events(path)) == exams
