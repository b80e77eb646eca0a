"""Two-step verification of staff: the second step of signing in, setting it up, and proving again who one is.

Signing in and proving again are django-allauth's own views, with our forms and templates.
"""

from typing import Any

from allauth.account.views import ReauthenticateView
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.base.views import ReauthenticateView as CodeReauthenticateView
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts import two_step
from accounts.access import staff_page
from accounts.actors import working_as
from accounts.auth import home_of
from accounts.limits import per_address
from accounts.services import two_step as services
from accounts.staff_forms import AppForm, CodeAgainForm, CodeForm, NewPasskeyForm, PasskeyAgainForm, PasskeyForm
from exam_portal.kit import crypto
from exam_portal.kit.errors import Refused
from exam_portal.kit.forms import carry_out, posted

SECRET = "two_step_secret"  # noqa: S105 - where in the session it is, encrypted, until a code has proved it


def _own(request: HttpRequest) -> dict[str, Any]:
    """Whose second step it is, and who acts: the same person."""
    return {"user": request.user, "actor": working_as(request.staff_assignment)}  # type: ignore[attr-defined]


# --- Signing in -----------------------------------------------------------------------------------
class _SignInStep(AuthenticateView):
    form_class = CodeForm
    webauthn_form_class = PasskeyForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        stage = getattr(self, "stage", None)
        if stage and not request.user.is_authenticated and not two_step.is_set_up(stage.login.user):
            return stage.abort()  # reset by an administrator meanwhile: begin again
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {**context, "options": context["js_data"]["request_options"]}


sign_in_step = per_address("PORTAL_SIGN_INS_PER_ADDRESS")(_SignInStep.as_view())


# --- Proving again --------------------------------------------------------------------------------
class _PasskeyAgain(ReauthenticateWebAuthnView):
    form_class = PasskeyAgainForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return {**context, "options": context["js_data"]["request_options"]}

    def form_invalid(self, form: PasskeyAgainForm) -> HttpResponse:
        for text in form.errors.get("credential", []):
            messages.error(self.request, str(text))
        return redirect(self.passthrough_next_url(self.request.path))


prove_by_password = staff_page(ReauthenticateView.as_view())
prove_by_code = staff_page(CodeReauthenticateView.as_view(form_class=CodeAgainForm))
prove_by_passkey = staff_page(_PasskeyAgain.as_view())


# --- Setting up -----------------------------------------------------------------------------------
@staff_page
def overview(request: HttpRequest) -> HttpResponseBase:
    """What is set up; removing it, and making new recovery codes."""
    if request.method == "POST":
        return _change(request)
    steps = list(services.steps_of(_own(request)["user"]))
    context = {
        "app": next((step for step in steps if step.type == services.Type.TOTP), None),
        "passkeys": [step for step in steps if step.type == services.Type.WEBAUTHN],
        "codes_left": services.recovery_codes_left(user=_own(request)["user"]) if steps else 0,
        "home": home_of(_own(request)["user"]),
    }
    return render(request, "mfa/index.html", context)


@two_step.proof_required
def _change(request: HttpRequest) -> HttpResponse:
    step = request.POST.get("remove", "")
    try:
        if "codes" in request.POST:
            services.new_recovery_codes(**_own(request))
            return redirect("accounts:two_step_codes")
        if step.isascii() and step.isdigit() and len(step) < 19:
            services.remove(**_own(request), step=int(step))
            messages.success(request, _("It is removed."))
    except Refused as refused:
        messages.error(request, str(refused))
    return redirect(two_step.SET_UP)


@staff_page
@two_step.proof_required
def app(request: HttpRequest) -> HttpResponseBase:
    """Setting up an authenticator app: its secret as QR code and to type, proved by a code."""
    if request.method != "POST" or SECRET not in request.session:
        request.session[SECRET] = crypto.encrypt(services.new_secret())
    secret = crypto.decrypt(request.session[SECRET])
    form = AppForm(posted(request))
    if carry_out(
        form,
        lambda data: services.set_up_totp(**_own(request), secret=secret, typed=data["code"]),
        wrong_code="code",
    ):
        del request.session[SECRET]
        return _set_up(request, services.Type.TOTP)
    adapter = get_adapter()
    context = {
        "form": form,
        "replaces": services.steps_of(_own(request)["user"]).filter(type=services.Type.TOTP).exists(),
        "secret": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "picture": adapter.build_totp_svg(adapter.build_totp_url(request.user, secret)),
    }
    return render(request, "mfa/totp/activate_form.html", context)


@staff_page
@two_step.proof_required
def passkey(request: HttpRequest) -> HttpResponseBase:
    """Setting up a passkey, made by the browser."""
    form = NewPasskeyForm(posted(request))
    if carry_out(form, lambda data: services.add_passkey(**_own(request), **data)):
        return _set_up(request, services.Type.WEBAUTHN)
    context = {"form": form, "options": services.passkey_options(user=_own(request)["user"])}
    return render(request, "mfa/webauthn/add_form.html", context)


def _set_up(request: HttpRequest, type_: str) -> HttpResponse:
    """Set up, and proved by it: on to the recovery codes, which whoever sets up the first step has not seen yet."""
    two_step.note_passed(request, type_)
    messages.success(request, _("It is set up. From now on you are asked for it when you sign in."))
    return redirect("accounts:two_step_codes")


@staff_page
@two_step.proof_required
def codes(request: HttpRequest) -> HttpResponseBase:
    """The recovery codes, shown once."""
    fresh = services.recovery_codes_once(user=_own(request)["user"])
    if not fresh:
        return redirect(two_step.SET_UP)
    return render(request, "mfa/recovery_codes/index.html", {"codes": fresh, "home": home_of(_own(request)["user"])})
