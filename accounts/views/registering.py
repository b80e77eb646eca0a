"""Registering an account."""

from typing import Any

from allauth.account.views import SignupView
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _

from accounts.forms import NoticeForm
from accounts.limits import per_address
from accounts.services.registering import NOTICE_VERSION
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


@method_decorator(per_address("PORTAL_SIGN_UPS_PER_ADDRESS"), name="dispatch")
class SignUpView(SignupView):
    """The form of a new account; open only to who accepted the notice."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated and request.session.get(ACCEPTED) != NOTICE_VERSION:
            messages.info(request, _("Read and accept the special notice first."))
            return redirect("accounts:notice")
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)
        except Refused as refused:
            field = {"id_taken": "id_number", "username_taken": "username"}.get(refused.code)
            form.add_error(field, str(refused))
            return self.form_invalid(form)
