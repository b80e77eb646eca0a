"""What holds at every request of somebody of staff: a role, a second step, and no long pause."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts import queries, two_step
from accounts.access import page_of
from accounts.models import User
from exam_portal import clock

SEEN = "staff_seen"
SELDOM = 60  # seconds between two notes of when somebody was seen
ALWAYS = {"account_logout", "set_language", "portal:healthz"}
SETTING_UP = {
    two_step.SET_UP,
    "accounts:two_step_app",
    "accounts:two_step_passkey",
    "account_reauthenticate",
}


class StaffMiddleware:
    """Signs out whose role has ended or who paused too long; leads whoever has no second step to set one up.

    Asked before anything inside, so that it holds also while somebody looks at the portal as a candidate. Views find
    the role of now in `request.staff_assignment`; it is looked up once.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return _stopped(request) or self.get_response(request)


def _stopped(request: HttpRequest) -> HttpResponse | None:
    """The answer to a request of staff that goes no further, or None."""
    user = request.user
    if not isinstance(user, User) or user.kind != User.Kind.STAFF:
        return None
    page = page_of(request)
    name = page.view_name if page else ""
    if name in ALWAYS:
        return None
    assignment = queries.assignment_of(user, at=clock.arrival(request))
    if assignment is None:
        return _out(request, _("You have no role at this time, so you were signed out."))
    if _paused(request):
        return _out(request, _("You were signed out because nothing was done for a while. Please sign in again."))
    if not two_step.passed(request):
        if two_step.is_set_up(user):  # in another session: this one was begun by the password alone
            return _out(request, _("Two-step verification is set up now. Please sign in with it."))
        if name not in SETTING_UP:
            return redirect(two_step.SET_UP)
    request.staff_assignment = assignment  # type: ignore[attr-defined]
    return None


def _paused(request: HttpRequest) -> bool:
    """Whether the pause since the last request was too long; by real time, as sessions are."""
    now, seen = int(time.time()), request.session.get(SEEN)
    if seen is not None and now - seen >= settings.PORTAL_STAFF_IDLE_MINUTES * 60:
        return True
    if seen is None or now - seen >= SELDOM:
        request.session[SEEN] = now
    return False


def _out(request: HttpRequest, why: str) -> HttpResponse:
    """Sign out, say why, and come back to the page after signing in."""
    logout(request)
    messages.info(request, why)
    return redirect_to_login(request.get_full_path() if request.method == "GET" else "")
