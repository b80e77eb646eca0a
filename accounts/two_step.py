"""Two-step verification as requests meet it: who has set it up, and who has lately proved who they are.

For pages of staff:

- `SET_UP` is the name of the page where it is set up; whoever has not is led there by `accounts.middleware`.
- `is_set_up(user)` asks the database; `passed(request)` asks the session, and costs nothing.
- `proof_required` decorates views about the own account: password, second steps, recovery codes. Views of the staff
  site that reveal something, or open somebody else's account, ask `recently_proved(request)` themselves, once they have
  looked whether it is this person's to do, and answer with `ask_for_proof(request)`.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode, urlsplit

import segno
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.services import two_step
from exam_portal.kit import crypto

SET_UP = "accounts:two_step"
View = Callable[..., HttpResponseBase]


def is_set_up(user: User) -> bool:
    """Whether somebody has an authenticator app or a passkey; one query."""
    return two_step.steps_of(user).exists()


# Seconds for which a form is taken after it was shown to who had proved who they are.
FORM_LASTS = 30 * 60


def _records(request: HttpRequest) -> list[dict[str, Any]]:
    return get_authentication_records(request, request.user)


def passed(request: HttpRequest) -> str:
    """The type of the second step by which this session was begun or went on, or "" when there was none yet.

    What was set up elsewhere meanwhile does not count: the password alone began this session.
    """
    return next((record["type"] for record in _records(request) if record["method"] == "mfa"), "")


def note_passed(request: HttpRequest, type_: str) -> None:
    """Note that a second step of this type has just been proved in this session, by setting it up."""
    record_authentication(request, request.user, "mfa", type=type_)


def recently_proved(request: HttpRequest) -> bool:
    """Whether the person has signed in, or given the password or a code again, within the last five minutes."""
    return _since_proof(request) < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT


def proved_for(request: HttpRequest) -> bool:
    """Whether a form may be shown, or taken, that cannot be undone.

    Shown only to who has lately proved who they are; and taken from them for half an hour, so that nobody who compares
    papers in between loses what they typed.
    """
    return recently_proved(request) or (request.method == "POST" and _since_proof(request) < FORM_LASTS)


def _since_proof(request: HttpRequest) -> float:
    """Seconds since the person has last proved who they are in this session."""
    return time.time() - max((record["at"] for record in _records(request)), default=0.0)


def ask_for_proof(request: HttpRequest) -> HttpResponse:
    """To the page that asks for password or second step, and from there back.

    What was sent is not kept, since it may hold personal data: after a POST one comes back to the page with the form.
    """
    back = request.get_full_path()
    if request.method == "POST":
        messages.info(request, _("First confirm that it is you. Then do it again."))
        form = request.headers.get("Referer", "")
        if url_has_allowed_host_and_scheme(form, allowed_hosts={request.get_host()}):
            back = urlsplit(form)._replace(scheme="", netloc="").geturl()
    return redirect(proof_address(back))


def proof_address(back: str) -> str:
    """Where password or second step are asked for again; from there one comes to the address `back`."""
    return f"{reverse('account_reauthenticate')}?{urlencode({REDIRECT_FIELD_NAME: back})}"


def proof_required(view: View) -> View:
    """A view for who has lately proved who they are; others are asked first (`ask_for_proof`)."""

    @wraps(view)
    def proved(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs) if recently_proved(request) else ask_for_proof(request)

    return proved


def passkey_host() -> str:
    """The host to which passkeys are bound: the portal's own, however a request calls it."""
    return urlsplit(settings.PORTAL_ORIGIN).hostname or ""


class TwoStepAdapter(DefaultMFAAdapter):
    """allauth's decisions about second steps, made ours."""

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return _("Exam registration: staff")

    def build_totp_svg(self, url: str) -> str:
        """The QR code as an address for `<img>`."""
        return segno.make(url, error="m", micro=False).svg_data_uri(scale=5, border=4, light="#fff", dark="#000")

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": passkey_host(), "name": self.get_totp_issuer()}
