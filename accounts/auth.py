"""Signing in through django-allauth: by username or by ID number (R04)."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import identity, limits, queries, two_step
from accounts.models import User
from accounts.services import staff
from exam_portal import clock
from exam_portal.kit.errors import Refused


def called(login: str, *, user: str = "") -> Q:
    """Rows whose account a sign-in name may mean: by username, and by ID number of any type, however it is typed.

    `user` is the way from the row to its account, as `candidate__user__`.
    """
    digests = identity.digests_of_any_type(login)
    return (
        Q(**{f"{user}sign_in_name": identity.normalise_number(login)})
        # In both columns: while the look-up key rotates, rows before and after the switch stand side by side.
        | Q(**{f"{user}candidate__id_digest__in": digests})
        | Q(**{f"{user}candidate__id_digest_next__in": digests})
    )


def accounts_called(login: str) -> list[User]:
    """The accounts that a sign-in name may mean."""
    return list(User.objects.filter(called(login)).order_by("pk"))


def home_of(user: User) -> str:
    """Where somebody goes after signing in."""
    return resolve_url(settings.STAFF_HOME if user.kind == User.Kind.STAFF else settings.LOGIN_REDIRECT_URL)


class IdentityBackend(AuthenticationBackend):
    """Finds the account by username, else by ID number of any type, however it is typed."""

    def _authenticate_by_username(self, username: str, password: str) -> Any:
        # All that it may mean are tried: nobody's username keeps somebody else from signing in by ID number.
        return next((user for user in accounts_called(username) if self._check_password(user, password)), None)


class AccountAdapter(DefaultAccountAdapter):
    """allauth's decisions, made ours."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("Username, ID number or password is not right."),
        "too_many_login_attempts": _("Too many attempts with this name. Wait 15 minutes and try again."),
        "username_taken": _("This username is taken. Choose another one."),
    }

    def clean_username(self, username: str, shallow: bool = False) -> str:
        username = identity.normalise_username(username)
        identity.check_username(username)
        if not shallow and User.objects.filter(sign_in_name=identity.normalise_number(username)).exists():
            raise self.validation_error("username_taken")
        return super().clean_username(username, shallow=shallow)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        return limits.failed_sign_ins_key(credentials.get("username", ""))

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        assert isinstance(request.user, User)
        return home_of(request.user)

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        return not two_step.recently_proved(self.request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        for user in accounts_called(credentials.get("username", "")):
            if user.kind == User.Kind.STAFF:
                staff.sign_in_failed(user=user, why="password", at=clock.arrival(request))

    def pre_login(self, request: HttpRequest, user: User, **how: Any) -> HttpResponse | None:
        """Tell somebody of staff without a role so, after the right password; that tells strangers nothing."""
        refused = super().pre_login(request, user, **how)
        if refused or user.kind != User.Kind.STAFF or queries.assignment_of(user, at=clock.arrival(request)):
            return refused
        return _without_role(request, user)

    def post_login(self, request: HttpRequest, user: User, **how: Any) -> HttpResponse:
        response = super().post_login(request, user, **how)
        if user.kind != User.Kind.STAFF:
            return response
        try:
            ended = staff.signed_in(user=user, by=two_step.passed(request), at=clock.arrival(request))
        except Refused:  # the role ended between password and second step, or at this moment
            return _without_role(request, user)
        if ended:
            text = ngettext(
                "You were signed out in %(count)d other place: there may be no more at once.",
                "You were signed out in %(count)d other places: there may be no more at once.",
                ended,
            )
            messages.info(request, text % {"count": ended})
        return response


def _without_role(request: HttpRequest, user: User) -> HttpResponse:
    """The answer to the right password of somebody of staff without a role, who is not signed in, or no longer."""
    staff.sign_in_failed(user=user, why="no_role", at=clock.arrival(request))
    logout(request)
    list(messages.get_messages(request))  # said neither here nor on the next page: that signing in succeeded
    return render(request, "accounts/no_role.html", {"messages": []}, status=403)
