"""The candidate's WeChat: binding it, following, unbinding; and signing in by it (R08)."""

from collections.abc import Callable
from typing import Any

import segno
from allauth.account.utils import get_next_redirect_url
from allauth.account.views import LoginView
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import provider
from accounts.access import candidate_page
from accounts.actors import acting
from accounts.forms import PresentPasswordForm
from accounts.limits import per_address
from accounts.models import Candidate
from accounts.services import recovery
from accounts.services import wechat as services
from exam_portal import clock
from exam_portal.kit.forms import carry_out, posted

BESIDE = {"wrong_password": "password"}  # the error, and the field beside which it is told


@candidate_page
def wechat(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """What is bound and whether it follows; binding one, looking again whether it follows.

    A WeChat that is bound signs in: whoever gets at a session for a minute must not be able to bind theirs. So the
    password is asked for, always.
    """
    binding = getattr(candidate, "wechat", None)
    if "waiting" in request.GET:  # static/js/waiting.js: whether there is something new to see
        return HttpResponse(status=204 if binding and not binding.following else 200)
    if "look" in request.POST:
        if binding and not binding.following:
            services.look_again(candidate=candidate, at=clock.arrival(request))
            messages.info(request, _("WeChat is asked. It takes a moment; look at this page again."))
        return redirect("accounts:wechat")
    way = provider.way_of(request)
    form = PresentPasswordForm(posted(request))
    if way and not binding and _proved(form, candidate):
        return way.redirect(request, AuthProcess.CONNECT, data=candidate.pk)
    context: dict[str, Any] = {
        "binding": binding,
        "form": form,
        "available": way is not None,
        "place": _place(request),
        "address": request.build_absolute_uri(request.path),
        "account_name": settings.WECHAT_ACCOUNT_NAME,
        "follow_url": settings.WECHAT_FOLLOW_URL,
    }
    if binding and not binding.following and settings.WECHAT_FOLLOW_URL:
        # A picture of points: inside WeChat one holds a finger on it, which does not work with SVG.
        context["follow_code"] = segno.make(settings.WECHAT_FOLLOW_URL, micro=False).png_data_uri(scale=6, border=4)
    return render(request, "accounts/wechat.html", context)


def _proved(form: PresentPasswordForm, candidate: Candidate) -> bool:
    """Whether the form was sent, and the password in it is right."""
    own: dict[str, Any] = {"candidate": candidate, "actor": acting(candidate)}
    return carry_out(form, lambda data: recovery.check_password_again(**own, **data), **BESIDE)


def _place(request: HttpRequest) -> str:
    """Where the page is opened: `inside` WeChat, on a `telephone` outside it, or on a `pc`."""
    if provider.inside_wechat(request):
        return "inside"
    return "telephone" if "Mobile" in request.headers.get("User-Agent", "") else "pc"


@candidate_page
def unbind(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """Unbinding, after what it means and the password."""
    if not hasattr(candidate, "wechat"):
        return redirect("accounts:wechat")
    form = PresentPasswordForm(posted(request))
    own: dict[str, Any] = {
        "candidate": candidate,
        "actor": acting(candidate),
        "keep": request.session.session_key,
        "at": clock.arrival(request),
    }
    if carry_out(form, lambda data: services.unbind(**own, **data), **BESIDE):
        messages.success(request, _("Your WeChat is unbound. You were signed out everywhere else."))
        return redirect("accounts:wechat")
    return render(request, "accounts/wechat_unbind.html", {"form": form})


class _SignInView(LoginView):
    """allauth's page, with the way by WeChat where there is one: nobody scans the screen that they hold."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        offered = provider.way_of(self.request) is not None and _place(self.request) != "telephone"
        return {**super().get_context_data(**kwargs), "wechat": offered}


sign_in_page = per_address("PORTAL_SIGN_INS_PER_ADDRESS")(_SignInView.as_view())


@require_POST
@per_address("PORTAL_SIGN_INS_PER_ADDRESS")
def sign_in(request: HttpRequest) -> HttpResponse:
    """To WeChat, and signed in from there by the one that is bound."""
    way = provider.way_of(request)
    if way is None:
        return redirect("account_login")
    return way.redirect(request, AuthProcess.LOGIN, next_url=get_next_redirect_url(request))


def _callback(adapter: type[provider.Adapter]) -> Callable[..., HttpResponse]:
    """The address to which one comes back from WeChat, of the app by which one went."""
    view = OAuth2CallbackView.adapter_view(adapter)

    @require_GET
    def back(request: HttpRequest) -> HttpResponse:
        if adapter.provider_id not in provider.apps():
            raise Http404
        return view(request)

    return back


website_callback = _callback(provider.WebsiteAdapter)
account_callback = _callback(provider.AccountAdapter)
