"""All URLs. allauth's views keep allauth's names; only those that the portal uses are routed."""

from allauth.account import views as allauth_views
from django.contrib import admin
from django.urls import include, path
from django.views.i18n import set_language

from accounts.views import two_step, wechat, wechat_events
from accounts.views.calendar import calendar_feed
from accounts.views.registering import SignUpView

urlpatterns = [
    path("", include("exam_portal.portal.urls")),
    path("", include("registration.urls")),
    path("account/", include("accounts.urls")),
    path("account/signup/", SignUpView.as_view(), name="account_signup"),
    path("account/login/", wechat.sign_in_page, name="account_login"),
    path("account/login/second-step/", two_step.sign_in_step, name="mfa_authenticate"),
    path("account/confirm/", two_step.prove_by_password, name="account_reauthenticate"),
    path("account/confirm/code/", two_step.prove_by_code, name="mfa_reauthenticate"),
    path("account/confirm/passkey/", two_step.prove_by_passkey, name="mfa_reauthenticate_webauthn"),
    path("account/wechat/website/", wechat.website_callback, name="wechat_website_callback"),
    path("account/wechat/account/", wechat.account_callback, name="wechat_account_callback"),
    path("account/logout/", allauth_views.logout, name="account_logout"),
    path("account/inactive/", allauth_views.account_inactive, name="account_inactive"),
    path("wechat/events/", wechat_events.take, name="wechat_events"),
    path("calendar/<slug:token>.ics", calendar_feed, name="calendar_feed"),
    path("staff/", admin.site.urls),
    path("language/", set_language, name="set_language"),
]
