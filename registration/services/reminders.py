"""Reminding of deadlines days before they end: whom, and of what (R09, R17)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from accounts.models import Candidate, Photo
from accounts.next_steps import account_lacks
from accounts.services.reminders import KNOWN, Asked, day_of, known, known_of_account, remind_again
from exam_portal import clock
from registration import queries
from registration.lifecycle import State
from registration.models import Application, Exam, ExamRegion
from registration.next_steps import (
    CONFIRM_ON_SITE,
    MEND_CONFIRMATION,
    SUBMIT,
    SUBMIT_AGAIN,
    SUBMIT_WITH_ANOTHER_PHOTO,
    choosing,
    of_application,
)

BATCH = 500


def remind_before_deadlines(*, at: datetime) -> int:
    """Write the reminders whose day has come, those first who withdrew and did not submit again. Returns how many.

    In batches, each a transaction of its own; run again after it was stopped, it goes on with whom it has not told.
    """
    written = sum(_in_batches(rows, _of_application, at) for rows in _with_a_deadline(at))
    # As on the dashboard: of several exams the one that closes first.
    exam = min(queries.open_exams(at), key=lambda exam: exam.closes_at, default=None)
    if exam is not None and (days := day_of(exam.closes_at, exam.reminder_days, at)):
        written += _in_batches(_without_application(exam, days, at), partial(_of_account, exam), at)
    return written


def _in_batches(rows: QuerySet[Any], ask: Callable[[Any, datetime], Asked | None], at: datetime) -> int:
    written, last = 0, 0
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        last = batch[-1].pk
        written += remind_again(asked=[asked for row in batch if (asked := ask(row, at))], at=at)
    return written


def _with_a_deadline(at: datetime) -> Iterator[QuerySet[Application]]:
    """Applications with a deadline of which to remind by now and was not yet, with what is needed for saying so.

    By what is to be done and until when, for of these it depends who knows.
    """
    regions = ExamRegion.objects.filter(confirmation_closes_at__gt=at).select_related("exam").order_by("pk")
    ends = [(exam.closes_at, exam, Q(exam=exam)) for exam in queries.open_exams(at)]
    confirmed = [(each.confirmation_closes_at, each.exam, Q(exam_region=each)) for each in regions]
    on_site = [end for end, region in zip(confirmed, regions, strict=True) if not region.online]
    # Without the number, which would be decrypted for nothing.
    mine = Application.objects.filter(candidate__deleted_at=None).defer("candidate__id_number")
    mine = mine.select_related("exam", "exam_region", "point", *(f"candidate__{name}" for name in KNOWN))
    mine = mine.prefetch_related("candidate__photos")
    as_submitted = Q(state__in=Photo.USABLE, digest=OuterRef("photo_digest"))
    refused = Exists(Photo.objects.standing().filter(candidate=OuterRef("candidate")).exclude(as_submitted))
    standing, coming = OuterRef("version"), OuterRef("version") + 1
    for todo, state, version, among in (
        (SUBMIT_AGAIN, Q(state=State.DRAFT, version__gt=0), coming, ends),
        (SUBMIT, Q(state=State.DRAFT, version=0), coming, ends),
        (SUBMIT_WITH_ANOTHER_PHOTO, Q(state=State.SUBMITTED) & refused, standing, ends),
        (CONFIRM_ON_SITE, Q(state=State.SUBMITTED), standing, on_site),
        (MEND_CONFIRMATION, Q(state=State.CONFIRMATION_FAILED), standing, confirmed),
    ):
        about = Concat(OuterRef("number"), Value("/"), Cast(version, CharField()))
        for deadline, exam, those in among:
            if days := day_of(deadline, exam.reminder_days, at):
                yield mine.filter(state & those, ~known(todo, about, deadline=deadline, days=days))


def _of_application(application: Application, at: datetime) -> Asked | None:
    step = of_application(application, at=at)
    return Asked(application.candidate, step, application.exam.reminder_days) if step.todo else None


def _without_application(exam: Exam, days: int, at: datetime) -> QuerySet[Candidate]:
    """Who signed in since the window of an exam opened, has applied for no exam that is not over, and was not told."""
    coming = [other.pk for other in queries.exams() if max(other.days) >= at.date()]
    applied = Application.objects.filter(candidate=OuterRef("pk"), exam__in=coming)
    signed_in = Candidate.objects.filter(
        ~Exists(applied),
        ~known_of_account("pk", deadline=exam.closes_at, days=days),
        deleted_at=None,
        user__last_login__gte=clock.as_real(exam.opens_at),
    )
    return signed_in.select_related(*KNOWN).prefetch_related("education", "photos").defer("id_number")


def _of_account(exam: Exam, candidate: Candidate, at: datetime) -> Asked:
    step = choosing(exam, at)
    if lacking := account_lacks(candidate, at):
        step = replace(lacking, deadline=exam.closes_at)
    return Asked(candidate, step, exam.reminder_days)
