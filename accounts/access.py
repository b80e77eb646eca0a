"""Who may open a page of the candidates' side."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.queries import candidate_of
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
