"""Who may open a page of the candidates' side."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.queries import candidate_of

View = Callable[..., HttpResponse]


def candidate_page(view: View) -> View:
    """A page for a signed-in candidate, who is given to the view as `candidate`.

    Others are sent to sign in and come back; staff have no candidate's pages (R32).
    """

    @login_required
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = request.user
        assert isinstance(user, User)
        candidate = candidate_of(user)
        if candidate is None:
            raise PermissionDenied
        return view(request, *args, candidate=candidate, **kwargs)

    return guarded
