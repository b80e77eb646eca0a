"""What applying for exams says to changes of the account, and to whom a candidate belongs (hooks of accounts)."""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import Candidate
from registration import queries


def no_live_application(*, candidate: Candidate, at: datetime) -> str | None:
    """No identity changes, and no account goes, under an application that is still on its way (R07)."""
    live = queries.live_applications(candidate, at=at)
    if not live:
        return None
    return _(
        "There is a live registration: %(exams)s. The candidate withdraws it while that is possible; else the exam "
        "region closes it first."
    ) % {"exams": "、".join(application.exam.title for application in live)}


def applies_there(*, candidate: Candidate, region: str, point: str) -> bool:
    """Whether the candidate has an application for an exam at this exam point, or without one in this region (R28)."""
    here = {"point": point} if point else {"exam_region__region": region}
    return candidate.applications.filter(**here).exists()
