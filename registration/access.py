"""Who may open a page of an application, and what must be done before it (R03)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.access import candidate_page
from accounts.models import Candidate
from registration import queries, steps
from registration.lifecycle import State
from registration.models import Application

View = Callable[..., HttpResponse]


def application_page(view: View) -> View:
    """A page of the candidate's own application for the exam in the URL, given to the view as `application`."""

    @candidate_page
    @wraps(view)
    def own(request: HttpRequest, code: str, *, candidate: Candidate) -> HttpResponse:
        application = get_object_or_404(queries.applications_of(candidate), exam__code=code)
        application.candidate = candidate
        return view(request, application=application)

    return own


def blocked(request: HttpRequest, *, title: Any, missing: list[Any]) -> HttpResponse:
    """The page that says which step comes first and links to it; `missing` holds things with `title` and `url`."""
    return render(request, "registration/blocked.html", {"title": title, "missing": missing}, status=409)


def step_page(name: str) -> Callable[[View], View]:
    """The page of a step: opens only on a draft, and only when the steps it needs are done."""
    step = steps.BY_NAME[name]

    def decorate(view: View) -> View:
        @application_page
        @wraps(view)
        def gated(request: HttpRequest, *, application: Application) -> HttpResponse:
            if application.state != State.DRAFT:
                return redirect("registration:overview", application.exam.code)
            if missing := steps.missing_before(application, step):
                tasks = [{"title": m.title, "url": m.url(application)} for m in missing]
                return blocked(request, title=step.title, missing=tasks)
            return view(request, application=application)

        return gated

    return decorate
