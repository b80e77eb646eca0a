"""The candidate's deadlines in a calendar: the page of the private link, and what the link opens."""

import segno
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts import queries
from accounts.access import candidate_page
from accounts.actors import acting
from accounts.calendar_feed import feed
from accounts.limits import per_address
from accounts.models import Candidate
from accounts.services import calendar as calendar_service
from exam_portal import clock


@candidate_page
def calendar(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """The link: made, shown, made anew, taken away."""
    if request.method == "POST":
        actor, at = acting(candidate), clock.arrival(request)
        if "revoke" in request.POST:
            calendar_service.revoke_link(candidate=candidate, actor=actor, at=at)
            messages.success(request, _("The link was taken away. It no longer opens anything."))
        else:
            language = translation.get_language()
            calendar_service.make_link(candidate=candidate, actor=actor, language=language, at=at)
            messages.success(request, _("The link has been made."))
        return redirect("accounts:calendar")
    link = queries.calendar_link_of(candidate)
    context: dict[str, object] = {"link": link}
    if link:
        page = reverse("calendar_feed", args=[link.token])
        # webcal: by which telephones subscribe, rather than take the deadlines over once.
        subscribing = f"webcal://{settings.PORTAL_ORIGIN.partition('://')[2]}{page}"
        context |= {
            "address": settings.PORTAL_ORIGIN + page,
            "subscribing": subscribing,
            "picture": segno.make(subscribing, error="m", micro=False).svg_data_uri(
                scale=4, border=2, light="#fff", dark="#000"
            ),
        }
    return render(request, "accounts/calendar.html", context)


@require_safe
@per_address("PORTAL_CALENDARS_PER_ADDRESS", counting={"GET", "HEAD"})
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    """What the link opens, for whoever has it; needs no account and sets no cookie."""
    link = queries.calendar_link(calendar_service.digest_of(token))
    if link is None:
        return HttpResponseNotFound(content_type="text/plain")  # no page, which would set a cookie
    with translation.override(link.language):
        content = feed(candidate=link.candidate, at=clock.arrival(request))
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Cache-Control"] = "private, no-cache"
    response["Content-Disposition"] = 'inline; filename="deadlines.ics"'
    return response
