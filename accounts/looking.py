"""Looking at the portal as a candidate sees it, for a while: kept in the session of the member of staff who looks.

`accounts.services.helping.look` records its beginning; `exam_portal.staff.looking` shows the pages, to read only.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from accounts.access import actor_of
from accounts.models import Candidate
from accounts.roles import Right
from accounts.territory import visible_to
from exam_portal import clock

KEY = "looking"
LASTS = timedelta(minutes=15)


@dataclass(frozen=True)
class Looking:
    """At whom somebody of staff looks, and until when by the portal's clock."""

    candidate: Candidate
    until: datetime


def begin(request: HttpRequest, candidate: Candidate) -> None:
    """Look at this candidate's portal from the next request on."""
    until = time.time() + LASTS.total_seconds()  # sessions stay on real time
    request.session[KEY] = {"candidate": candidate.pk, "by": request.user.pk, "until": until}


def end(request: HttpRequest) -> str:
    """Look no more. Returns where to go on: to the page of the candidate who was looked at, as long as one sees it."""
    state = request.session.pop(KEY, None)
    if state is None or not _seen(request, Right.SEE_CANDIDATES).filter(pk=state["candidate"]).exists():
        return reverse("admin:index")
    return reverse("admin:accounts_candidate_change", args=[state["candidate"]])


def current(request: HttpRequest) -> Looking | None:
    """What is looked at now; None when it was never begun, took too long, or is no longer the actor's to see (R28)."""
    state = request.session.get(KEY)
    if state is None or state["by"] != request.user.pk or time.time() >= state["until"]:
        return None
    candidates = _seen(request, Right.HELP_ACCOUNTS).filter(pk=state["candidate"], deleted_at=None)
    related = candidates.select_related("user", "basic_information", "wechat").prefetch_related("photos")
    candidate = related.first()
    if candidate is None:
        return None
    return Looking(candidate=candidate, until=clock.as_shown(datetime.fromtimestamp(state["until"], UTC)))


def _seen(request: HttpRequest, right: Right) -> QuerySet[Candidate]:
    """The candidates whom one sees, by this right; nobody without a role now."""
    try:
        actor = actor_of(request)
    except PermissionDenied:
        return Candidate.objects.none()
    return visible_to(actor, Candidate) if actor.may(right) else Candidate.objects.none()
