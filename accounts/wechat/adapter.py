"""Somebody comes back from WeChat: to bind it, or to sign in by it (R08)."""

from typing import Any, NoReturn

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from accounts import provider as providers
from accounts import queries
from accounts.actors import acting
from accounts.models import User
from accounts.services import wechat
from exam_portal import clock
from exam_portal.kit.errors import Refused


class WeChatAdapter(DefaultSocialAccountAdapter):
    """allauth's decisions about somebody's WeChat, made ours.

    allauth's own table of social accounts stays empty: whose a WeChat is stands in `WeChatUser`, beside who follows
    (decision 27). Nobody is registered by a WeChat.
    """

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        return [
            SocialApp(provider=name, name=name, client_id=app_id, secret=secret)
            for name, (app_id, secret) in providers.apps().items()
            if provider in {None, name} and client_id in {None, app_id}
        ]

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> NoReturn:
        """Bind the WeChat for who began to, or sign in whoever has bound it."""
        binding = sociallogin.state["process"] == AuthProcess.CONNECT
        raise ImmediateHttpResponse(_bind(request, sociallogin) if binding else _sign_in(request, sociallogin))

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, extra_context: Any = None
    ) -> NoReturn:
        """Say what went wrong, where it was begun; nothing has changed."""
        if isinstance(exception, providers.NoUnionid):
            text = _("WeChat did not say who you are. Try again in a while.")
        elif exception is not None:
            text = _("WeChat did not answer as it should. Nothing was changed. Try again in a while.")
        elif not (extra_context or {}).get("state"):
            text = _("This took too long, or was begun in another browser. Please begin again.")
        else:
            text = _("You did not allow it in WeChat. Nothing was changed.")
        messages.error(request, text)
        raise ImmediateHttpResponse(_back(request))


def _back(request: HttpRequest) -> HttpResponse:
    """Where it was begun: the page of the binding, or signing in."""
    return redirect("accounts:wechat" if request.user.is_authenticated else "account_login")


def _bind(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    user = request.user
    candidate = queries.candidate_of(user) if isinstance(user, User) else None
    if candidate is None or candidate.pk != sociallogin.state["data"]:
        messages.error(request, _("You were signed out meanwhile. Nothing was changed. Please begin again."))
        return _back(request)
    found = sociallogin.account
    # Of the two apps only the official account's openid is one to which messages go.
    openid = found.extra_data["openid"] if found.provider == providers.Account.id else ""
    try:
        wechat.bind(
            candidate=candidate,
            actor=acting(candidate),
            unionid=found.uid,
            openid=openid,
            nickname=found.extra_data["nickname"],
            at=clock.arrival(request),
        )
        messages.success(request, _("Your WeChat is bound."))
    except Refused as refused:
        messages.error(request, str(refused))
    return _back(request)


def _sign_in(request: HttpRequest, sociallogin: SocialLogin) -> HttpResponse:
    user = queries.user_of_wechat(sociallogin.account.uid)
    if user is None:
        text = _("This WeChat is not bound to an account. Sign in by username or ID number and password, then bind it.")
        messages.error(request, text)
        return _back(request)
    if request.user.is_authenticated and request.user != user:
        logout(request)
    record_authentication(request, user, "wechat")
    answer = perform_login(request, user, email_verification="none", redirect_url=sociallogin.state.get("next"))
    if request.user == user:
        wechat.signed_in(candidate=user.candidate, at=clock.arrival(request))
    return answer
