"""Who may open a page of an application, and what must be done before it (R03)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access import candidate_page
from accounts.models import Candidate
from accounts.next_steps import account_lacks
from exam_portal import clock
from exam_portal.kit.errors import Refused
from registration import queries, steps
from registration.lifecycle import State
from registration.models import Application, Exam

View = Callable[..., HttpResponse]


def application_page(view: View) -> View:
    """A page of the candidate's own application for the exam in the URL, given to the view as `application`."""

    @candidate_page
    @wraps(view)
    def own(request: HttpRequest, code: str, *, candidate: Candidate) -> HttpResponse:
        application = queries.applications_of(candidate).filter(exam__code=code).first()
        if application is None:
            exam = get_object_or_404(Exam, code=code)
            first = {"title": _("Choose an exam"), "url": reverse("registration:exams")}
            return blocked(request, title=exam.title, missing=[first])
        application.candidate = candidate
        return view(request, application=application)

    return own


def blocked(request: HttpRequest, *, title: Any, missing: list[Any]) -> HttpResponse:
    """The page that says which step comes first and links to it; `missing` holds things with `title` and `url`."""
    return render(request, "registration/blocked.html", {"title": title, "missing": missing}, status=409)


def step_page(name: str) -> Callable[[View], View]:
    """The page of a step: opens only on a draft, inside the window, when the steps it needs are done (R01, R03).

    Before the last step the account must be complete too (R08). What a service refuses all the same, because somebody
    else was faster, is said on the overview.
    """
    step = steps.BY_NAME[name]

    def decorate(view: View) -> View:
        @application_page
        @wraps(view)
        def gated(request: HttpRequest, *, application: Application) -> HttpResponse:
            at = clock.arrival(request)
            overview = redirect("registration:overview", application.exam.code)
            if application.state != State.DRAFT or not application.exam.is_open(at):
                if request.method == "POST":
                    messages.error(request, _("Nothing was saved: this registration can no longer be changed here."))
                return overview
            missing: list[Any] = [
                {"title": other.title, "url": other.url(application)}
                for other in steps.missing_before(application, step)
            ]
            if not missing and name == "check" and (lacking := account_lacks(application.candidate, at)):
                missing = [lacking]
            if missing:
                return blocked(request, title=step.title, missing=missing)
            try:
                return view(request, application=application)
            except Refused as refused:
                messages.error(request, str(refused))
                return overview

        return gated

    return decorate
