"""Signing in through django-allauth: by username or by ID number (R04)."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import identity
from accounts.models import User
from exam_portal.kit.crypto import keyed_digest


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
        # The same whether or not somebody is called so, however it is typed; and no ID number in the cache.
        return keyed_digest("sign-in", identity.normalise_number(credentials.get("username", "")))

    def forget_failed_sign_ins(self, request: HttpRequest, user: User) -> None:
        """Let somebody with a new password sign in at once, however often the forgotten one was tried."""
        for name in (user.username, user.candidate.id_number):
            self._delete_login_attempts_cached_email(request, username=name)
