"""Celery tasks of the registration app: call a service."""

from celery import shared_task

from exam_portal import clock
from registration.services import reminders


@shared_task
def remind_before_deadlines() -> None:
    """Remind whom one of the days before a deadline has come for."""
    reminders.remind_before_deadlines(at=clock.now())
