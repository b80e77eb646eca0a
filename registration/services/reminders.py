"""Reminding of deadlines days before they end: whom, and of what (R09, R17)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Candidate
from accounts.next_steps import account_lacks
from accounts.services.reminders import KNOWN, Asked, day_of, remind_again
from exam_portal import clock
from registration import queries
from registration.lifecycle import State
from registration.models import Application, Exam, ExamRegion
from registration.next_steps import choosing, of_application

BATCH = 500


def remind_before_deadlines(*, at: datetime) -> int:
    """Write the reminders whose day has come, those first who withdrew and did not submit again. Returns how many.

    In batches, each a transaction of its own; run again after it was stopped, it goes on with whom it has not told.
    """
    mine = _with_a_deadline(at)
    withdrawn = Q(state=State.DRAFT, version__gt=0)
    written = _in_batches(mine.filter(withdrawn), _of_application, at)
    written += _in_batches(mine.exclude(withdrawn), _of_application, at)
    # As on the dashboard: of several exams the one that closes first.
    exam = min(queries.open_exams(at), key=lambda exam: exam.closes_at, default=None)
    if exam is not None and day_of(exam.closes_at, exam.reminder_days, at):
        written += _in_batches(_without_application(exam, at), partial(_of_account, exam), at)
    return written


def _in_batches(rows: QuerySet[Any], ask: Callable[[Any, datetime], Asked | None], at: datetime) -> int:
    written, last = 0, 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = batch[-1].pk
        written += remind_again(asked=[asked for row in batch if (asked := ask(row, at))], at=at)
    return written


def _with_a_deadline(at: datetime) -> QuerySet[Application]:
    """Applications with a deadline of which to remind by now, with what is needed for saying so."""
    exams = [e for e in queries.open_exams(at) if day_of(e.closes_at, e.reminder_days, at)]
    confirming = ExamRegion.objects.filter(confirmation_closes_at__gt=at).select_related("exam")
    regions = [r for r in confirming if day_of(r.confirmation_closes_at, r.exam.reminder_days, at)]
    on_site = [region for region in regions if not region.online]
    mine = Application.objects.filter(
        Q(state=State.DRAFT, exam__in=exams)
        | Q(state=State.SUBMITTED, exam_region__in=on_site)
        | Q(state=State.CONFIRMATION_FAILED, exam_region__in=regions),
        candidate__deleted_at=None,
    )
    # Without the number, which would be decrypted for nothing.
    person = [f"candidate__{name}" for name in KNOWN]
    return mine.select_related("exam", "exam_region", "point", *person).defer("candidate__id_number")


def _of_application(application: Application, at: datetime) -> Asked | None:
    step = of_application(application, at=at)
    return Asked(application.candidate, step, application.exam.reminder_days) if step.todo else None


def _without_application(exam: Exam, at: datetime) -> QuerySet[Candidate]:
    """Who signed in since the window of an exam opened, and has applied for no exam that is not over."""
    coming = [other.pk for other in queries.exams() if max(other.days) >= at.date()]
    applied = Application.objects.filter(candidate=OuterRef("pk"), exam__in=coming)
    signed_in = Candidate.objects.filter(
        ~Exists(applied), deleted_at=None, user__last_login__gte=clock.as_real(exam.opens_at)
    )
    return signed_in.select_related(*KNOWN).prefetch_related("education").defer("id_number")


def _of_account(exam: Exam, candidate: Candidate, at: datetime) -> Asked:
    step = choosing(exam, at)
    if lacking := account_lacks(candidate, at):
        step = replace(lacking, deadline=exam.closes_at)
    return Asked(candidate, step, exam.reminder_days)
