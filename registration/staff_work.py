"""The deadlines of an exam year that the home page of staff shows: of the exam, and of one's own region."""

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.territory import visible_to
from exam_portal.kit.staff_work import Deadline, Work
from registration.models import ExamRegion


def work(*, actor: Actor, at: datetime) -> list[Work]:
    """When registering and confirming open and end, in exams that are not over, for staff of a region."""
    if not actor.region:
        return []
    found: list[Work] = []
    for row in visible_to(actor, ExamRegion).filter(confirmation_closes_at__gt=at).select_related("exam"):
        moments = (
            (_("%(exam)s: registering opens"), row.exam.opens_at),
            (_("%(exam)s: registering ends"), row.exam.closes_at),
            (_("%(exam)s: confirming opens"), row.confirmation_opens_at),
            (_("%(exam)s: confirming ends"), row.confirmation_closes_at),
        )
        found += [Deadline(label % {"exam": row.exam.title}, moment) for label, moment in moments if moment > at]
    return found
