"""Forms by which staff set a password and a second step, and sign in by it; the rules are in the services."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm, ReauthenticateWebAuthnForm
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.forms import PasswordTwiceForm, PresentPasswordForm
from accounts.models import User
from accounts.services import staff, two_step
from exam_portal import clock
from exam_portal.kit.errors import Refused
from exam_portal.kit.forms import DigitsField

_DIGITS = {"inputmode": "numeric", "autocomplete": "one-time-code"}


def _or_error(act: Callable[[], Any]) -> Any:
    """What a service returns; its refusal as an error of the field being cleaned."""
    try:
        return act()
    except Refused as refused:
        raise forms.ValidationError(str(refused)) from None


class _NewPasswordForm(PasswordTwiceForm):
    """A new password of `user`; nobody's as long as the link is wrong."""

    user: User | None = None

    def clean_password1(self) -> str:
        password = self.cleaned_data["password1"]
        validate_password(password, self.user)
        return password


class WelcomeForm(_NewPasswordForm):
    """The first password of somebody of staff, or a new one; `code` is the part of the link behind the `#`."""

    code = forms.CharField(
        label=_("Code of the link"),
        help_text=_("What stands in the link behind the sign “#”."),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    field_order = ["code", "password1", "password2"]

    def clean_code(self) -> str:
        code = self.cleaned_data["code"].strip().rpartition("#")[2]
        self.user = _or_error(lambda: staff.invited(code, at=clock.now()))
        return code


class ChangePasswordForm(PresentPasswordForm, _NewPasswordForm):
    """The present password of `user`, and a new one."""

    field_order = ["password", "password1", "password2"]

    def __init__(self, data: QueryDict | None, *, user: User) -> None:
        super().__init__(data)
        self.user = user


class AppForm(forms.Form):
    """The code by which somebody proves that the app shows the right ones."""

    code = DigitsField(
        label=_("Code shown by the app"),
        help_text=_("6 digits; a new one every half minute."),
        max_length=12,
        widget=forms.TextInput(attrs=_DIGITS),
    )


class NewPasskeyForm(forms.Form):
    """A passkey just made by the browser, and what its owner calls it."""

    name = forms.CharField(
        label=_("Name of the passkey"),
        help_text=_("By which you will know it again, for example “办公室电脑”."),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    credential = forms.JSONField(widget=forms.HiddenInput)


class _Code(forms.Form):
    """A code of the app, or a recovery code."""

    user: User
    authenticator: Authenticator
    code = DigitsField(
        label=_("Code of the app, or recovery code"),
        help_text=_("6 digits from the authenticator app, or a recovery code of 8 digits."),
        max_length=16,
        widget=forms.TextInput(attrs=_DIGITS),
    )

    def clean_code(self) -> str:
        typed: str = self.cleaned_data["code"]
        self.authenticator = _or_error(lambda: two_step.use_code(user=self.user, typed=typed))
        return typed


class CodeForm(_Code, AuthenticateForm):
    """The second step of signing in."""


class CodeAgainForm(_Code, ReauthenticateForm):
    """A code, once more, of somebody signed in."""


class _Passkey(forms.Form):
    user: User

    def clean_credential(self) -> Authenticator:
        credential = self.cleaned_data["credential"]
        return _or_error(lambda: two_step.use_passkey(user=self.user, credential=credential))


class PasskeyForm(_Passkey, AuthenticateWebAuthnForm):
    """A passkey as the second step of signing in."""


class PasskeyAgainForm(_Passkey, ReauthenticateWebAuthnForm):
    """A passkey, once more, of somebody signed in."""
