"""Where a candidate is signed in, and the e-mail address by which the account is recovered."""

import re
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import queries
from accounts.access import candidate_page
from accounts.actors import acting
from accounts.forms import CodeForm, EmailForm, PresentPasswordForm
from accounts.models import Candidate
from accounts.services import recovery, sessions
from exam_portal.kit.forms import carry_out, posted
from exam_portal.kit.kept import kept


@candidate_page
def security(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """Where the candidate is signed in; signing out one by one, everywhere else, or everywhere."""
    here, actor = request.session.session_key or "", acting(candidate)
    end = request.POST.get("end", "")
    if end == "all":
        sessions.sign_out(candidate=candidate, actor=actor)
        logout(request)
        messages.success(request, _("You are signed out everywhere."))
        return redirect("account_login")
    if end == "others" or re.fullmatch(r"[0-9]{1,18}", end):
        only = None if end == "others" else int(end)
        ended = sessions.sign_out(candidate=candidate, actor=actor, keep=here, only=only)
        text = ngettext("Signed out in %(count)d place.", "Signed out in %(count)d places.", ended)
        messages.success(request, text % {"count": ended})
        return redirect("accounts:security")
    context = {
        "sessions": queries.sessions_of(candidate.user, here=here),
        "address": candidate.user.email,
        "by_email": settings.PORTAL_EMAIL,
    }
    return render(request, "accounts/security.html", context)


@candidate_page
def email(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """The address to recover the account by: given, changed or taken away."""
    if not settings.PORTAL_EMAIL:
        raise Http404
    removing = "remove" in request.POST
    own: dict[str, Any] = {"candidate": candidate, "actor": acting(candidate)}
    beside = {"wrong_password": "password"}
    removal = PresentPasswordForm(posted(request) if removing else None, auto_id="removal_%s")
    if removing and carry_out(removal, lambda data: recovery.remove_email(**own, **data), **beside):
        messages.success(request, _("The e-mail address is removed."))
        return redirect("accounts:security")
    form = EmailForm(None if removing else posted(request), initial=kept(request))
    if carry_out(form, lambda data: recovery.begin_email(**own, **data), **beside):
        return redirect("accounts:email_code")
    context = {"form": form, "removal": removal, "address": candidate.user.email}
    return render(request, "accounts/email.html", context)


@candidate_page
def email_code(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """The code that proves that the address is the candidate's."""
    code_id = queries.code_for_an_address(candidate)
    if not code_id:
        return redirect("accounts:email")
    form = CodeForm(posted(request), initial=kept(request))
    if carry_out(
        form,
        lambda data: recovery.verify_email(
            candidate=candidate, actor=acting(candidate), code_id=code_id, typed=data["code"]
        ),
        wrong_code="code",
    ):
        messages.success(request, _("The e-mail address is verified. You can recover your account by it."))
        return redirect("accounts:security")
    return render(request, "accounts/email_code.html", {"form": form})
