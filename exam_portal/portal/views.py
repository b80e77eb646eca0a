"""The home page, the dashboard, and pages that belong to no app."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts import rare_characters
from accounts.access import candidate_page
from accounts.models import Candidate, IdentityRequest
from accounts.next_steps import next_step
from accounts.views.identity_requests import taken_unsent
from accounts.views.registering import SignUpView
from exam_portal import clock
from exam_portal.kit import kept
from registration import queries, steps


def home(request: HttpRequest) -> HttpResponse:
    """What is open and when, and the ways in. The same for everybody."""
    at = clock.arrival(request)
    rows = [{"exam": exam, "open": exam.is_open(at), "early": at < exam.opens_at} for exam in queries.exams()]
    return render(request, "portal/home.html", {"rows": rows})


@candidate_page
def dashboard(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """What the candidate must do next, the account, and every application with its process bar."""
    at = clock.arrival(request)
    applications = [
        {
            "application": application,
            "status": application.status_at(at),
            "nodes": steps.nodes(application, at=at),
        }
        for application in queries.applications_of(candidate)
    ]
    education = list(candidate.education.standing())
    account = {
        "basic": getattr(candidate, "basic_information", None),
        "education": education,
        "educated": education and all(record.complete for record in education),
        "credentials": list(candidate.credentials.all()),
        "wechat": getattr(candidate, "wechat", None),
    }
    context = {
        "candidate": candidate,
        "next_step": next_step(candidate=candidate, at=at),
        "applications": applications,
        "account": account,
        "print_hint": rare_characters.print_hint(candidate.name),
    }
    return render(request, "portal/dashboard.html", context)


def healthz(request: HttpRequest) -> HttpResponse:
    """200 when the web server answers and reaches the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """A form that was open too long, or came from elsewhere; one's own comes back with what was typed, not carried out.

    The security token changes when somebody signs in: on a shared computer also under a form that somebody without an
    account is typing.
    """
    from_here = reason.startswith("CSRF ")  # else another site sent it: what that has filled in is shown to nobody
    if from_here and (page := _as_typed(request)):
        return page
    if request.user.is_authenticated and kept.keep(request):
        return kept.send_back(request)
    return render(request, "403_csrf.html", status=403)


def _as_typed(request: HttpRequest) -> HttpResponseBase | None:
    """The page of a form that needs no account, as it was typed; None for other forms."""
    match = request.resolver_match
    assert match is not None  # the token is checked once it is known whose view it is
    if match.view_name == "account_signup":
        return SignUpView.as_view(unsent=True)(request)
    if match.view_name == "accounts:identity_apply" and match.kwargs["kind"] == IdentityRequest.Kind.TAKEN:
        return taken_unsent(request, **match.kwargs)
    return None
