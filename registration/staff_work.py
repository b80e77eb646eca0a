"""What the home page of staff shows of exam years: changes to be approved, and deadlines of one's own region."""

from datetime import datetime

from django.db.models import Min
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.roles import Right
from accounts.territory import visible_to
from exam_portal.kit.counts import about
from exam_portal.kit.staff_work import Deadline, Queue, Work
from registration.models import Exam, ExamRegion, ExamYearChange
from registration.queries import waiting_for


def work(*, actor: Actor, at: datetime) -> list[Work]:
    """Changes of the exam year that somebody else proposed, and when windows open and end: a region's own ones too."""
    found: list[Work] = []
    if actor.may(Right.APPROVE_EXAM_YEAR):
        found.append(_changes(actor))
    if not actor.region:
        for exam in visible_to(actor, Exam).filter(closes_at__gt=at):
            found += _deadlines(exam, reverse("admin:registration_exam_change", args=[exam.pk]), at)
        return found
    for row in visible_to(actor, ExamRegion).filter(confirmation_closes_at__gt=at).select_related("exam"):
        own = (
            (_("%(exam)s: confirming opens"), row.confirmation_opens_at),
            (_("%(exam)s: confirming ends"), row.confirmation_closes_at),
        )
        found += _deadlines(row.exam, reverse("admin:registration_examregion_change", args=[row.pk]), at, *own)
    return found


def _deadlines(exam: Exam, url: str, at: datetime, *own: tuple[Promise | str, datetime]) -> list[Work]:
    """What is still to come of the exam's window, and of a region's `own`."""
    moments = (
        (_("%(exam)s: registering opens"), exam.opens_at),
        (_("%(exam)s: registering ends"), exam.closes_at),
        *own,
    )
    return [Deadline(str(label) % {"exam": exam.title}, moment, url) for label, moment in moments if moment > at]


def _changes(actor: Actor) -> Queue:
    rows = waiting_for(actor, visible_to(actor, ExamYearChange))
    return Queue(
        label=_("Changes of the exam year: to be approved here"),
        url=f"{reverse('admin:registration_examyearchange_changelist')}?waits=me",
        count=about(rows),
        oldest=rows.aggregate(oldest=Min("proposed_at"))["oldest"],
    )
