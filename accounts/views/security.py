"""Where somebody is signed in; a candidate's e-mail address for recovery, and the password of staff."""

import re
from typing import Any, cast

from allauth.core.ratelimit import consume_or_429
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout, update_session_auth_hash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import queries
from accounts.access import actor_of, candidate_page, staff_page
from accounts.actors import Actor, acting
from accounts.auth import home_of
from accounts.forms import CodeForm, EmailForm, PresentPasswordForm
from accounts.models import Candidate, User
from accounts.services import recovery, sessions, staff
from accounts.staff_forms import ChangePasswordForm
from accounts.two_step import proof_required
from exam_portal import clock
from exam_portal.kit.errors import Refused
from exam_portal.kit.forms import carry_out, posted
from exam_portal.kit.kept import kept


@candidate_page
def security(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """Where the candidate is signed in; signing out one by one, everywhere else, or everywhere."""
    if "end" in request.POST:
        return _end_sessions(request, candidate.user, acting(candidate))
    context = {
        "sessions": queries.sessions_of(candidate.user, here=_here(request)),
        "address": candidate.user.email,
        "by_email": settings.PORTAL_EMAIL,
    }
    return render(request, "accounts/security.html", context)


@staff_page
def staff_security(request: HttpRequest) -> HttpResponse:
    """Where somebody of staff is signed in, as for candidates; and the ways to password and second step."""
    user = cast(User, request.user)
    if "end" in request.POST:
        try:
            return _end_sessions(request, user, actor_of(request))
        except Refused:  # the role has ended meanwhile: the middleware says so and signs out
            return redirect(request.path)
    context = {"sessions": queries.sessions_of(user, here=_here(request)), "home": home_of(user)}
    return render(request, "accounts/staff_security.html", context)


def _here(request: HttpRequest) -> str:
    return request.session.session_key or ""


def _end_sessions(request: HttpRequest, user: User, actor: Actor) -> HttpResponse:
    """Sign somebody out in one place, everywhere else, or everywhere; what it is not about changes nothing."""
    end = request.POST["end"]
    if end == "all":
        sessions.sign_out(user=user, actor=actor)
        logout(request)
        messages.success(request, _("You are signed out everywhere."))
        return redirect("account_login")
    if end == "others" or re.fullmatch(r"[0-9]{1,18}", end):
        only = None if end == "others" else int(end)
        ended = sessions.sign_out(user=user, actor=actor, keep=_here(request), only=only)
        text = ngettext("Signed out in %(count)d place.", "Signed out in %(count)d places.", ended)
        messages.success(request, text % {"count": ended})
    return redirect(request.path)


@staff_page
@proof_required
def staff_password(request: HttpRequest) -> HttpResponse:
    """A new password for somebody of staff who knows the present one; this session alone goes on."""
    user = cast(User, request.user)
    if too_often := consume_or_429(request, action="change_password", user=user):
        return too_often
    form = ChangePasswordForm(posted(request), user=user)

    def act(data: dict[str, str]) -> None:
        staff.change_password(
            user=user,
            actor=actor_of(request),
            present=data["password"],
            password=data["password1"],
            keep=_here(request),
            at=clock.arrival(request),
        )

    if carry_out(form, act, wrong_password="password"):  # noqa: S106 - the name of a field
        _go_on(request, user)
        messages.success(request, _("Your password is changed. Other places are signed out."))
        return redirect("accounts:staff_security")
    return render(request, "accounts/staff_password.html", {"form": form})


def _go_on(request: HttpRequest, user: User) -> None:
    """Let this session outlive the change of its password, under a new key, and stay in the list of sessions."""
    noted = UserSession.objects.filter(user=user, session_key=_here(request))
    update_session_auth_hash(request, user)
    noted.update(session_key=_here(request))


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
