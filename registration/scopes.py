"""Which rows of this app somebody of staff sees (accounts.territory)."""

from django.db.models import Q

from accounts.actors import Actor
from accounts.models import Point, Site
from accounts.territory import EVERYTHING, scope, visible_to, within
from registration.models import Application, Exam, ExamRegion, ExamYearChange


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


@scope(ExamYearChange)
def _exam_year_changes(actor: Actor) -> Q:
    """Those of the exams, and of what is the region's; at a point, of what is its own."""
    exams = Q(kind=ExamYearChange.Kind.EXAM)
    if not actor.point:
        return exams | Q(region=actor.region)
    points, sites = (visible_to(actor, model).values("pk") for model in (Point, Site))
    return exams | Q(kind=ExamYearChange.Kind.POINT, key__in=points) | Q(kind=ExamYearChange.Kind.SITE, key__in=sites)
