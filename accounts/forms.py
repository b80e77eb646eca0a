"""Forms of the accounts app: they clean what is typed; the rules are in `identity` and the services."""

from typing import Any

from allauth.account.forms import LoginForm, ReauthenticateForm, SignupForm
from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts import identity
from accounts.models import Channel, Question, User
from accounts.services.registering import check_answer, check_password, register_candidate
from exam_portal import clock
from exam_portal.kit.forms import DigitsField

LONGEST_PASSWORD = 128


class NoticeForm(forms.Form):
    """特别提示, to be read and accepted before registering (R05)."""

    accept = forms.BooleanField(
        label=_("I have read the special notice and accept it"),
        error_messages={"required": _("Tick the box once you have read the notice.")},
    )


def _limit_length(password: forms.Field) -> None:
    """No longer than anybody types."""
    password.validators.append(MaxLengthValidator(LONGEST_PASSWORD))


class SignInForm(LoginForm):
    """Username or ID number, and password (R04)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.CharField(
            label=_("Username or ID number"),
            max_length=64,
            widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
        )
        self.fields["password"].label = _("Password")
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs.pop("placeholder", None)
        _limit_length(self.fields["password"])
        self.order_fields(["login", "password"])

    def login(self, request: HttpRequest, redirect_url: str | None = None) -> HttpResponse:
        # allauth keeps in the session by which name somebody signed in: not by the ID number.
        assert self.user is not None
        self.cleaned_data["login"] = self.user.username
        return super().login(request, redirect_url)


class PasswordAgainForm(ReauthenticateForm):
    """The password, once more, of somebody signed in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].label = _("Password")
        self.fields["password"].help_text = ""
        self.fields["password"].widget.attrs.pop("placeholder", None)
        _limit_length(self.fields["password"])


class SignUpForm(SignupForm):
    """A new account. Name and number are typed twice: they cannot be changed afterwards (R07)."""

    name = forms.CharField(
        label=_("Name"),
        help_text=_("Exactly as on the ID document. It cannot be changed after registering."),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "name", "spellcheck": "false"}),
    )
    name_again = forms.CharField(
        label=_("Name, once more"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    id_type = forms.ChoiceField(label=_("ID type"), choices=identity.choices())
    id_number = forms.CharField(
        label=_("ID number"),
        help_text=_(
            "One ID number registers once. It cannot be changed after registering. Of a travel permit for Hong Kong "
            "and Macau residents the letter and 8 digits count; two more on an older card are left out."
        ),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    id_number_again = forms.CharField(
        label=_("ID number, once more"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )
    recovery_question = forms.ChoiceField(
        label=_("Recovery question"),
        help_text=_("Its answer proves that the account is yours, should you forget your password."),
        choices=Question,
    )
    recovery_answer = forms.CharField(
        label=_("Answer"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    field_order = [
        "name",
        "name_again",
        "id_type",
        "id_number",
        "id_number_again",
        "username",
        "password1",
        "password2",
        "recovery_question",
        "recovery_answer",
    ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        username, password1, password2 = (self.fields[key] for key in ("username", "password1", "password2"))
        username.label = _("Username")
        username.help_text = _(
            "4 to 30 letters and digits, beginning with a letter. You sign in with it or the ID number."
        )
        password1.label, password2.label = _("Password"), _("Password, once more")
        password1.help_text = _("At least 8 characters; a few words that only you would put together are best.")
        for field in (username, password1, password2):
            field.widget.attrs.pop("placeholder", None)
        for field in (password1, password2):
            _limit_length(field)
        # A mistake in another field must not cost the password just typed; the page is never cached.
        password1.widget.render_value = password2.widget.render_value = True

    def clean_name(self) -> str:
        name = identity.normalise_name(self.cleaned_data["name"])
        identity.check_name(name)
        return name

    def clean_name_again(self) -> str:
        return identity.normalise_name(self.cleaned_data["name_again"])

    def clean_id_number(self) -> str:
        number = identity.normalise_number(self.cleaned_data["id_number"])
        if id_type := self.cleaned_data.get("id_type"):
            identity.check_number(id_type=id_type, number=number)
        return number

    def clean_id_number_again(self) -> str:
        return identity.normalise_number(self.cleaned_data["id_number_again"])

    def clean_recovery_answer(self) -> str:
        answer = self.cleaned_data["recovery_answer"]
        check_answer(answer)
        return answer

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for field, message in (
            ("name", _("This is not the name typed above.")),
            ("id_number", _("This is not the number typed above.")),
        ):
            again = f"{field}_again"
            if field in cleaned and again in cleaned and cleaned[field] != cleaned[again]:
                self.add_error(again, message)
        if {"id_number", "password1"} <= cleaned.keys():
            try:
                check_password(cleaned["password1"], id_number=cleaned["id_number"])
            except forms.ValidationError as error:
                self.add_error("password1", error)
        return cleaned

    def save(self, request: HttpRequest) -> User:
        """Register; called by allauth's view.

        Raises:
            Refused: the ID number or the username is taken.
        """
        cleaned = self.cleaned_data
        return register_candidate(
            name=cleaned["name"],
            id_type=cleaned["id_type"],
            id_number=cleaned["id_number"],
            username=cleaned["username"],
            password=cleaned["password1"],
            question=Question(cleaned["recovery_question"]),
            answer=cleaned["recovery_answer"],
            channel=Channel.WEB,
            at=clock.arrival(request),
        )


class RecoveryForm(forms.Form):
    """Whose password was forgotten (R06)."""

    login = forms.CharField(
        label=_("Username or ID number"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}),
    )


class AnswerForm(forms.Form):
    """The answer to the recovery question."""

    answer = forms.CharField(
        label=_("Answer"),
        help_text=_("Capital or small letters and spaces make no difference."),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class CodeForm(forms.Form):
    """A code that came by e-mail."""

    code = DigitsField(
        label=_("Code"),
        help_text=_("6 digits, from the e-mail."),
        max_length=12,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "one-time-code"}),
    )


class PresentPasswordForm(forms.Form):
    """The present password, of whoever is signed in already."""

    password = forms.CharField(
        label=_("Your present password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _limit_length(self.fields["password"])


class EmailForm(PresentPasswordForm):
    """The address to recover the account by."""

    address = forms.EmailField(label=_("E-mail address"), max_length=254)
    field_order = ("address", "password")


class PasswordTwiceForm(forms.Form):
    """A new password, typed twice."""

    password1 = forms.CharField(
        label=_("New password"),
        help_text=_("At least 8 characters; a few words that only you would put together are best."),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    password2 = forms.CharField(
        label=_("New password, once more"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("password1", "password2"):
            _limit_length(self.fields[name])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "password1" in cleaned and "password2" in cleaned and cleaned["password1"] != cleaned["password2"]:
            self.add_error("password2", _("You must type the same password each time."))
        return cleaned


class NewPasswordForm(PasswordTwiceForm):
    """The new password of a candidate."""

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password1(self) -> str:
        password = self.cleaned_data["password1"]
        validate_password(password, self.user)
        check_password(password, id_number=self.user.candidate.id_number)
        return password


class RareCharacterForm(forms.Form):
    """What 生僻字输入 looks for; it stands in the form whose name is being typed."""

    picker_query = forms.CharField(
        label=_("Pinyin or code point of the character"),
        help_text=_("For example zhe, zhe2 (with the tone) or U+5586; v for ü."),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
