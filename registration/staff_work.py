"""What the home page of staff shows of exam years: changes to be approved, and deadlines of one's own region."""

from datetime import datetime

from django.db.models import Min
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.roles import Right
from accounts.territory import visible_to
from exam_portal.kit.keyset import about
from exam_portal.kit.staff_work import Deadline, Queue, Work
from registration.models import ExamRegion, ExamYearChange
from registration.queries import waiting_for


def work(*, actor: Actor, at: datetime) -> list[Work]:
    """Changes of the exam year that somebody else proposed; for a region also when its windows open and end."""
    found: list[Work] = []
    if actor.may(Right.APPROVE_EXAM_YEAR):
        found.append(_changes(actor))
    if not actor.region:
        return found
    for row in visible_to(actor, ExamRegion).filter(confirmation_closes_at__gt=at).select_related("exam"):
        moments = (
            (_("%(exam)s: registering opens"), row.exam.opens_at),
            (_("%(exam)s: registering ends"), row.exam.closes_at),
            (_("%(exam)s: confirming opens"), row.confirmation_opens_at),
            (_("%(exam)s: confirming ends"), row.confirmation_closes_at),
        )
        found += [Deadline(label % {"exam": row.exam.title}, moment) for label, moment in moments if moment > at]
    return found


def _changes(actor: Actor) -> Queue:
    rows = waiting_for(actor, visible_to(actor, ExamYearChange))
    count, exact = about(rows)
    return Queue(
        label=_("Changes of the exam year: to be approved here"),
        url=f"{reverse('admin:registration_examyearchange_changelist')}?waits=me",
        count=count,
        exact=exact,
        oldest=rows.aggregate(oldest=Min("proposed_at"))["oldest"],
    )
