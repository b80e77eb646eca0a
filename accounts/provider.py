"""WeChat as django-allauth's social accounts know it: two apps of one person, known by the unionid (R08).

On a PC the website's app shows a QR code to scan; inside WeChat the official account's asks for consent. What they
lead to, binding or signing in, is decided in accounts.wechat.adapter. django-allauth finds this module by its name.
"""

from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.base import ProviderException
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.provider import OAuth2Provider
from allauth.socialaccount.providers.weixin.client import WeixinOAuth2Client
from allauth.socialaccount.providers.weixin.provider import WeixinProvider
from allauth.socialaccount.providers.weixin.views import WeixinOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest

from accounts.wechat import web
from accounts.wechat.client import WeChatFailed


class NoUnionid(ProviderException):
    """WeChat told who it is at this app alone, by which nobody is known at the other one."""


class Client(WeixinOAuth2Client):
    """Speaks with WeChat through our own client, which looks at the `errcode` inside HTTP 200."""

    def get_redirect_url(self, authorization_url: str, scope: list[str], extra_params: dict[str, Any]) -> str:
        # Without the fragment some versions of WeChat show an empty page.
        return f"{super().get_redirect_url(authorization_url, scope, extra_params)}#wechat_redirect"

    def get_access_token(self, code: str, pkce_code_verifier: str | None = None) -> dict[str, Any]:
        try:
            return web.token_of(app_id=self.consumer_key, secret=self.consumer_secret, code=code)
        except WeChatFailed as failed:
            raise OAuth2Error(str(failed)) from None


class Adapter(WeixinOAuth2Adapter):
    """The way to WeChat and back, at the addresses that the settings name."""

    client_class = Client
    page: str

    @property
    def authorize_url(self) -> str:
        return settings.WECHAT_OPEN.rstrip("/") + self.page

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        answer = kwargs["response"]
        try:
            found = web.person_of(token=token.token, openid=str(answer.get("openid", "")))
        except WeChatFailed as failed:
            raise OAuth2Error(str(failed)) from None
        return self.get_provider().sociallogin_from_response(request, found)


class WebsiteAdapter(Adapter):
    provider_id = "wechat_website"
    page = "/connect/qrconnect"


class AccountAdapter(Adapter):
    provider_id = "wechat_account"
    page = "/connect/oauth2/authorize"


class Provider(WeixinProvider):
    """Somebody's WeChat at one of the two apps."""

    name = "WeChat"

    def extract_uid(self, data: dict[str, str]) -> str:
        if not data["unionid"]:
            raise NoUnionid
        return data["unionid"]

    def extract_common_fields(self, data: dict[str, str]) -> dict[str, str]:
        return {}  # no account is ever made from a WeChat


class Website(Provider):
    """By a QR code, scanned from a PC's screen."""

    id = WebsiteAdapter.provider_id
    oauth2_adapter_class = WebsiteAdapter

    def get_default_scope(self) -> list[str]:
        return ["snsapi_login"]


class Account(Provider):
    """Inside WeChat; tells the openid to which messages go."""

    id = AccountAdapter.provider_id
    oauth2_adapter_class = AccountAdapter

    def get_default_scope(self) -> list[str]:
        return ["snsapi_userinfo"]


provider_classes = [Website, Account]


def apps() -> dict[str, tuple[str, str]]:
    """AppID and AppSecret of each app that the settings name."""
    found = {
        Website.id: (settings.WECHAT_WEBSITE_APP_ID, settings.WECHAT_WEBSITE_SECRET),
        Account.id: (settings.WECHAT_ACCOUNT_APP_ID, settings.WECHAT_ACCOUNT_SECRET),
    }
    return {name: app for name, app in found.items() if all(app)}


def inside_wechat(request: HttpRequest) -> bool:
    """Whether the page is opened inside WeChat."""
    return "MicroMessenger" in request.headers.get("User-Agent", "")


def way_of(request: HttpRequest) -> OAuth2Provider | None:
    """The app by which this browser comes to WeChat; None where the settings name none."""
    name = Account.id if inside_wechat(request) else Website.id
    return get_adapter(request).get_provider(request, name) if name in apps() else None
