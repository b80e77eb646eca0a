"""A candidate's own deadlines as iCalendar (RFC 5545), for the calendar of a telephone or an office."""

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event

from accounts.models import Candidate
from accounts.next_steps import own_deadlines
from exam_portal.kit import moments
from exam_portal.kit.next_steps import NextStep

# Before the deadline, so that one at midnight stands on the day that people mean by it.
LASTS = timedelta(hours=1)
ALARM = timedelta(days=-1)
ASKED_AGAIN = timedelta(hours=6)


def feed(*, candidate: Candidate, at: datetime) -> bytes:
    """The deadlines of now, in the language of the moment; no name and no number of an ID stands in it.

    A thing to do keeps its UID while its deadline moves. There is no SEQUENCE: what is subscribed to is replaced whole
    at each asking, and no earlier state is kept to count from.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//exam-portal//deadlines//ZH")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", _("Exam registration: my deadlines"))
    calendar.add("refresh-interval", ASKED_AGAIN, parameters={"value": "DURATION"})
    for step in own_deadlines(candidate=candidate, at=at):
        calendar.add_component(_event(candidate, step, at))
    return calendar.to_ical()


def _event(candidate: Candidate, step: NextStep, at: datetime) -> Event:
    assert step.todo is not None and step.deadline is not None
    address = settings.PORTAL_ORIGIN + step.url
    event, alarm = Event(), Alarm()
    event.add("uid", f"{candidate.pk}-{step.todo.key}-{step.about}@{urlsplit(settings.PORTAL_ORIGIN).hostname}")
    event.add("dtstamp", at)
    event.add("dtstart", step.deadline - LASTS)
    event.add("dtend", step.deadline)
    event.add("summary", step.todo.title)
    until = _("Until %(end)s (Beijing time).") % {"end": moments.end(step.deadline)}
    event.add("description", f"{step.exam}\n{step.todo.text}\n{until}\n{address}")
    event.add("url", address)
    event.add("transp", "TRANSPARENT")
    if step.place:
        event.add("location", step.place)
    alarm.add("action", "DISPLAY")
    alarm.add("description", step.todo.title)
    alarm.add("trigger", ALARM)
    event.add_component(alarm)
    return event
