"""Showing the portal to staff as a candidate sees it: to read, and so that nothing can be written (decision 18)."""

from collections.abc import Callable

from django.contrib import messages
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import ResolverMatch
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import looking
from accounts.access import actor_of, page_of
from accounts.actors import Actor
from accounts.looking import Looking
from accounts.models import Candidate
from accounts.territory import visible_to
from registration.models import Application

# What is shown as the candidate sees it. Every other page is one's own: the staff site, signing in and out, language.
SHOWN = {
    "portal:home",
    "portal:dashboard",
    "accounts:basic_information",
    "accounts:photo",
    "accounts:photo_choose",
    "accounts:photo_move",
    "accounts:photo_take_back",
    "accounts:photo_picture",
    "accounts:education",
    "accounts:education_correct",
    "accounts:credentials",
    "accounts:credential",
    "accounts:wechat",
    "accounts:wechat_unbind",
    "accounts:inbox",
    "accounts:identity_notice",
    "accounts:identity_applications",
    "accounts:identity_regions",
    "accounts:identity_apply",
    "registration:regions",
    "registration:region_notice",
    "registration:exams",
    "registration:start",
    "registration:overview",
    "registration:pledge",
    "registration:region",
    "registration:point",
    "registration:specialty",
    "registration:photo",
    "registration:check",
    "registration:submit",
    "registration:withdraw",
}
_FULL_NUMBER = gettext_lazy("This paper holds the full ID number. Whoever must know it reveals it on the staff site.")
_SECRET = gettext_lazy("How the candidate signs in and recovers the account is shown to nobody else.")
WITHHELD = {
    "registration:form_pdf": _FULL_NUMBER,
    "accounts:identity_form": _FULL_NUMBER,
    "accounts:security": _SECRET,
    "accounts:email": _SECRET,
    "accounts:email_code": _SECRET,
    "accounts:calendar": gettext_lazy("Whoever has the private link reads the deadlines. It is shown to nobody else."),
}


class LookingMiddleware:
    """Answers with the candidate's pages while somebody of staff looks at them; `request.looking` says so.

    The last of all: whatever stands around it goes on to see the member of staff, whose role, pause and second step
    were looked at before (accounts.middleware).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.looking = None  # type: ignore[attr-defined]
        if looking.KEY not in request.session:
            return self.get_response(request)
        page = page_of(request)
        candidates_page = page is not None and page.view_name in {*SHOWN, *WITHHELD}
        found = looking.current(request)
        if found is None:
            after = looking.end(request)
            messages.info(request, _("Looking at the portal as the candidate sees it has ended."))
            return redirect(after) if candidates_page else self.get_response(request)
        request.looking = found  # type: ignore[attr-defined]
        if page is None or not candidates_page:
            return self.get_response(request)
        return self._as_candidate(request, page, found)

    def _as_candidate(self, request: HttpRequest, page: ResolverMatch, found: Looking) -> HttpResponse:
        actor, staff = actor_of(request), request.user
        user = found.candidate.user
        user.candidate = found.candidate
        request.user = user
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION READ ONLY")
                response = _refused(request, page, found.candidate, actor) or self.get_response(request)
                # Nothing can have been written; and what failed for wanting to is not committed either.
                transaction.set_rollback(True)
        finally:
            request.user = staff
        return response


def _refused(request: HttpRequest, page: ResolverMatch, candidate: Candidate, actor: Actor) -> HttpResponse | None:
    """The page that says why something is not shown or not done here, or None."""
    if request.method not in {"GET", "HEAD"}:
        status, why = 405, _("You only look: nothing can be changed here, and nothing was.")
    elif page.view_name in WITHHELD:
        status, why = 403, str(WITHHELD[page.view_name])
    elif page.namespace == "registration" and _lies_elsewhere(candidate, page.kwargs.get("code", ""), actor):
        status, why = 403, _("This registration belongs to another exam point or region.")
    else:
        return None
    response = render(request, "staff/not_shown.html", {"why": why}, status=status)
    if status == 405:
        response["Allow"] = "GET, HEAD"
    return response


def _lies_elsewhere(candidate: Candidate, exam: str, actor: Actor) -> bool:
    """Whether the candidate's application for this exam belongs to another institution than the actor's (R28).

    One that has chosen no exam point yet belongs to its region, and one without a region to nobody.
    """
    if not actor.region:
        return False
    own = Application.objects.filter(candidate=candidate, exam__code=exam)
    placed = own.exclude(point=None) | own.exclude(exam_region=None).exclude(exam_region__region=actor.region)
    return placed.exclude(pk__in=visible_to(actor, Application)).exists()
