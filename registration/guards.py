"""What applying for exams says to changes of the account, and to whom a candidate belongs (hooks of accounts)."""

from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.actors import Actor
from accounts.models import Candidate
from accounts.territory import visible_to
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


def applies_there(*, actor: Actor) -> Q:
    """Candidates with an application that this member of staff sees (R28)."""
    return Q(pk__in=visible_to(actor, Application).values("candidate"))
