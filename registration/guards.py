"""What applying for exams says to changes of the account, and to whom a candidate belongs (hooks of accounts)."""

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Candidate
from registration import queries
from registration.models import Application


def no_live_application(*, candidate: Candidate, at: datetime) -> str | None:
    """No identity changes, and no account goes, under an application that is still on its way (R07)."""
    live = queries.live_applications(candidate, at=at)
    if not live:
        return None
    return _(
        "There is a live registration: %(exams)s. The candidate withdraws it while that is possible; else the exam "
        "region closes it first."
    ) % {"exams": "、".join(application.exam.title for application in live)}


def applies_there(*, region: str, point: str, site: str) -> Q:
    """Candidates with an application here (R28): on site at any site of the point, online at the site they chose."""
    here = Q(exam_region__region=region)
    if point:
        here &= Q(point=point)
    if site:
        here &= Q(exam_region__online=False) | Q(site=site)
    return Q(pk__in=Application.objects.filter(here).values("candidate"))
