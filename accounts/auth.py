"""Signing in through django-allauth: by username or by ID number (R04)."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import identity
from accounts.models import User
from exam_portal.kit.crypto import keyed_digest


class IdentityBackend(AuthenticationBackend):
    """Finds the account by username, else by ID number of any type, however it is typed."""

    def _authenticate_by_username(self, username: str, password: str) -> Any:
        user = super()._authenticate_by_username(username.lower(), password)
        if user or self._did_check_password:
            return user
        for found in User.objects.filter(candidate__id_digest__in=identity.digests_of_any_type(username)):
            if user := self._check_password(found, password):
                return user
        return None


class AccountAdapter(DefaultAccountAdapter):
    """allauth's decisions, made ours."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("Username, ID number or password is not right."),
        "too_many_login_attempts": _("Too many attempts with this name. Wait 15 minutes and try again."),
        "username_taken": _("This username is taken. Choose another one."),
    }

    def clean_username(self, username: str, shallow: bool = False) -> str:
        username = username.strip().lower()
        identity.check_username(username)
        return super().clean_username(username, shallow=shallow)

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # One key per account however its name is typed, and no ID number in the cache.
        return keyed_digest("sign-in", identity.normalise_number(credentials.get("username", "")))
