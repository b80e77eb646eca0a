"""Registering an account."""

from typing import Any

from allauth.account.views import SignupView
from django.contrib import messages
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.forms import NoticeForm
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


def _accepted(request: HttpRequest) -> bool:
    """Whether the notice was accepted in this session, or in the one in which the form now sent was opened."""
    try:
        told = signing.loads(request.POST.get(ACCEPTED, ""), salt=ACCEPTED)
    except signing.BadSignature:
        told = None
    return NOTICE_VERSION in {request.session.get(ACCEPTED), told}


class SignUpView(SignupView):
    """The form of a new account; open only to who accepted the notice."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated and not _accepted(request):
            messages.info(request, _("Read and accept the special notice first."))
            return redirect("accounts:notice")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        mark = signing.dumps(NOTICE_VERSION, salt=ACCEPTED)
        return {**super().get_context_data(**kwargs), "accepted_field": ACCEPTED, "accepted": mark}

    def form_valid(self, form: Any) -> HttpResponse:
        try:
            return super().form_valid(form)
        except Refused as refused:
            field = {"id_taken": "id_number", "username_taken": "username"}.get(refused.code)
            form.add_error(field, str(refused))
            return self.form_invalid(form)
