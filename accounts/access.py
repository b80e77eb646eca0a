"""Who may open a page: candidates theirs, and staff theirs."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, ResolverMatch, resolve

from accounts.actors import Actor, working_as
from accounts.limits import per_address
from accounts.models import StaffAssignment, User
from accounts.queries import assignment_of, candidate_of
from exam_portal import clock
from exam_portal.kit import kept

View = Callable[..., HttpResponse]


def candidate_page(view: View) -> View:
    """A page for a signed-in candidate, who is given to the view as `candidate`.

    Others are sent to sign in and come back, with what they typed, which is kept until the page is saved; staff have
    no candidate's pages (R32).
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        if not user.is_authenticated:
            if request.method == "POST":
                kept.keep(request)
            return redirect_to_login(request.get_full_path())
        assert isinstance(user, User)
        candidate = candidate_of(user)
        if candidate is None:
            raise PermissionDenied
        response = view(request, *args, candidate=candidate, **kwargs)
        if request.method == "POST" and response.status_code == 302:  # what is not saved is shown again
            kept.forget(request)
        return response

    return guarded


def staff_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A page of somebody of staff about their own account, limited for each address; candidates have none (R32)."""

    @per_address("PORTAL_SIGN_INS_PER_ADDRESS")
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if not user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        if not isinstance(user, User) or user.kind != User.Kind.STAFF:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded


def page_of(request: HttpRequest) -> ResolverMatch | None:
    """The page that a request asks for, for a middleware, which comes before Django has resolved it; None for none."""
    try:
        return resolve(request.path_info)
    except Resolver404:
        return None


def actor_of(request: HttpRequest) -> Actor:
    """The member of staff who sent a request, in the role that is in force; looked up once.

    Raises:
        PermissionDenied: not of staff, or without a role now.
    """
    if not hasattr(request, "staff_assignment"):
        user = request.user
        of_staff = isinstance(user, User) and user.kind == User.Kind.STAFF
        found = assignment_of(cast(User, user), at=clock.arrival(request)) if of_staff else None
        request.staff_assignment = found  # type: ignore[attr-defined]
    assignment: StaffAssignment | None = request.staff_assignment  # type: ignore[attr-defined]
    if assignment is None:
        raise PermissionDenied
    return working_as(assignment)


def is_looked_at(request: HttpRequest) -> bool:
    """Whether it is not the candidate who sees this page, but somebody of staff who looks at it (accounts.looking)."""
    return getattr(request, "looking", None) is not None
