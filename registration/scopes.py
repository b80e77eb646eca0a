"""Which rows of this app somebody of staff sees (accounts.territory)."""

from django.db.models import Q

from accounts.actors import Actor
from accounts.territory import EVERYTHING, scope, within
from registration.models import Application, Exam, ExamRegion


@scope(Exam)
def _exams(actor: Actor) -> Q:
    """Exams are the same for all."""
    return EVERYTHING


@scope(ExamRegion)
def _exam_regions(actor: Actor) -> Q:
    return Q(region=actor.region)


@scope(Application)
def _applications(actor: Actor) -> Q:
    """On site at any site of the point, online at the site that was chosen (R28)."""
    here = within(actor, region="exam_region__region", point="point")
    return here & (Q(exam_region__online=False) | Q(site=actor.site)) if actor.site else here
