"""Registering an account."""

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import perform_login
from allauth.account.models import Login
from allauth.account.views import SignupView
from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts import identity, rare_characters
from accounts.auth import accounts_called
from accounts.forms import NoticeForm
from accounts.limits import per_address
from accounts.models import User
from accounts.services.registering import NOTICE_VERSION, IdTaken
from accounts.views.picker import RARE_CHARACTERS, characters_shown, with_character
from exam_portal.kit.errors import Refused
from exam_portal.kit.forms import posted

ACCEPTED = "accepted_notice"


def notice(request: HttpRequest) -> HttpResponse:
    """特别提示 (R05): accepted here, remembered until the account is made."""
    form = NoticeForm(posted(request))
    if form.is_valid():
        request.session[ACCEPTED] = NOTICE_VERSION
        return redirect("account_signup")
    return render(request, "accounts/notice.html", {"form": form})


def _accepted(request: HttpRequest) -> bool:
    """Whether the notice was accepted in this session, or in the one in which the form now sent was opened."""
    try:
        told = signing.loads(request.POST.get(ACCEPTED, ""), salt=ACCEPTED)
    except signing.BadSignature:
        told = None
    return NOTICE_VERSION in {request.session.get(ACCEPTED), told}


@method_decorator([never_cache, per_address("PORTAL_SIGN_UPS_PER_ADDRESS")], name="dispatch")
class SignUpView(SignupView):
    """The form of a new account; open only to who accepted the notice.

    `unsent` shows a form that was sent as it was typed, and does nothing with it. So does a form that is sent while
    somebody is signed in, and says so: without the passwords, since that may be somebody else.
    """

    unsent = False

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        user = request.user
        if user.is_authenticated:
            own = identity.normalise_username(request.POST.get("username", "")) == user.get_username()
            if request.method == "POST" and not own:  # else it was pressed again after it was done
                text = _(
                    "You are not signed up yet: %(username)s is signed in in this browser now. To sign up with what "
                    "stands here, sign out in another window, then type the passwords again and send it."
                )
                messages.warning(request, text % {"username": user.get_username()})
                return self._as_typed({**with_character(request.POST), "password1": "", "password2": ""})
        elif not _accepted(request):
            messages.info(request, _("Read and accept the special notice first."))
            return redirect("accounts:notice")
        elif self.unsent:
            text = _("You are not signed up yet: this page had been open too long. Look it through and send it again.")
            messages.warning(request, text)
        return super().dispatch(request, *args, **kwargs)

    def _as_typed(self, typed: dict[str, Any]) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=self.get_form_class()(initial=typed)))

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        return kwargs | {"data": posted(self.request)}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.unsent or RARE_CHARACTERS.asked(request.POST):
            return self._as_typed(with_character(request.POST))
        return super().post(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        name = identity.normalise_name(context["form"]["name"].value() or "")[:50]
        return {
            **context,
            "accepted_field": ACCEPTED,
            "accepted": signing.dumps(NOTICE_VERSION, salt=ACCEPTED),
            "picker": characters_shown(self.request.POST),
            "print_hint": rare_characters.print_hint(name),
        }

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)
        except Refused as refused:
            field = {"id_taken": "id_number", "username_taken": "username"}.get(refused.code)
            form.add_error(field, str(refused))
            form.id_taken = isinstance(refused, IdTaken)
            return self.form_invalid(form)

    def form_invalid(self, form: Any) -> HttpResponse:
        """The form again; but pressed twice it leads to the account that the first press made."""
        if set(form.errors) <= {"username", "id_number"} and (user := self._made_already(form)):
            return perform_login(self.request, Login(user=user, redirect_url=reverse("portal:dashboard")))
        return super().form_invalid(form)

    def _made_already(self, form: Any) -> User | None:
        """The account with this ID number, username and password; a wrong password counts as one at signing in."""
        username = identity.normalise_username(form.data.get("username", ""))
        called = accounts_called(form.data.get("id_number", ""))
        if username not in {user.username for user in called}:
            return None
        try:
            user = get_adapter(self.request).authenticate(
                self.request, username=username, password=form.data.get("password1", "")
            )
        except ValidationError:  # too many wrong ones
            return None
        return user if user in called else None
