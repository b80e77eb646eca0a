"""Forgotten password (R06): by question, by e-mail, or with the help of the exam point."""

import json
from dataclasses import asdict

from allauth.account.utils import get_next_redirect_url
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts import queries
from accounts.forms import AnswerForm, CodeForm, NewPasswordForm, RecoveryForm
from accounts.limits import View, per_address
from accounts.models import Question, Region, User
from accounts.services import recovery
from exam_portal.kit.errors import Refused
from exam_portal.kit.forms import carry_out, posted

ASKED, CODE, BACK = "recovery_asked", "recovery_code", "recovery_back"
PROOF = "recovery_proof"


def _limited(view: View) -> View:
    """Never cached, and limited for each address; the limit for each name is the service's."""
    return never_cache(per_address("PORTAL_RECOVERIES_PER_ADDRESS")(view))


def _begin_again(request: HttpRequest) -> HttpResponse:
    """To the first page, because what was known is gone with the session; whoever sends something is told."""
    if request.method == "POST":
        messages.info(request, _("This took too long. Please begin again."))
    return redirect("accounts:recovery")


def _asked(request: HttpRequest) -> recovery.Asked | None:
    kept = request.session.get(ASKED)
    return recovery.Asked(**kept) if kept else None


def _proved(proof: recovery.Proof) -> HttpResponse:
    """On to the new password. The proof goes with the browser that gave it, in a cookie of its own.

    Not in the session: there it would need a new session key, against somebody who planted the old one, and whoever
    presses the button twice arrives with the old key.
    """
    response = redirect("accounts:recovery_password")
    response.set_signed_cookie(
        PROOF,
        json.dumps(asdict(proof)),
        salt=PROOF,
        max_age=recovery.PROOF_VALID,
        path=reverse("accounts:recovery"),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _proof(request: HttpRequest) -> recovery.Proof | None:
    kept = request.get_signed_cookie(PROOF, None, salt=PROOF, max_age=recovery.PROOF_VALID)
    return recovery.Proof(**json.loads(kept)) if kept else None


@_limited
def begin(request: HttpRequest) -> HttpResponse:
    """Whose password was forgotten; goes on for names that nobody has, too."""
    form = RecoveryForm(posted(request))
    if request.method == "GET" and (back := get_next_redirect_url(request)):
        request.session[BACK] = back
    if form.is_valid():
        request.session[ASKED] = asdict(recovery.ask(login=form.cleaned_data["login"]))
        request.session.pop(CODE, None)
        return redirect("accounts:recovery_question")
    return render(request, "accounts/recovery.html", {"form": form})


@_limited
def question(request: HttpRequest) -> HttpResponse:
    """The recovery question."""
    asked = _asked(request)
    if asked is None:
        return _begin_again(request)
    form = AnswerForm(posted(request))
    proofs: list[recovery.Proof] = []
    if carry_out(
        form,
        lambda data: proofs.append(recovery.answer(asked=asked, typed=data["answer"])),
        wrong_answer="answer",
    ):
        return _proved(proofs[0])
    context = {"form": form, "question": Question(asked.question).label, "by_email": settings.PORTAL_EMAIL}
    return render(request, "accounts/recovery_question.html", context)


@_limited
def code(request: HttpRequest) -> HttpResponse:
    """A code to the verified e-mail address; the page reads the same where there is none."""
    if not settings.PORTAL_EMAIL:
        raise Http404
    asked = _asked(request)
    if asked is None:
        return _begin_again(request)
    if "send" in request.POST:
        try:
            request.session[CODE] = recovery.send_code(asked=asked)
        except Refused as refused:
            messages.error(request, str(refused))
        return redirect("accounts:recovery_code")
    code_id = request.session.get(CODE, 0)
    form = CodeForm(posted(request) if code_id else None)
    proofs: list[recovery.Proof] = []
    if carry_out(
        form,
        lambda data: proofs.append(recovery.use_code(code_id=code_id, typed=data["code"])),
        wrong_code="code",
    ):
        return _proved(proofs[0])
    return render(request, "accounts/recovery_code.html", {"form": form, "sent": bool(code_id)})


@_limited
def password(request: HttpRequest) -> HttpResponse:
    """The new password of who has proved whose account it is; ends in signing in with it, and where one came from."""
    proof = _proof(request)
    if proof is None:
        return _begin_again(request)
    form = NewPasswordForm(posted(request), user=get_object_or_404(User, pk=proof.user))
    users: list[User] = []
    if carry_out(form, lambda data: users.append(recovery.set_password(proof=proof, password=data["password1"]))):
        back = request.session.get(BACK, "")
        if request.user.is_authenticated:
            request.session.flush()  # on a shared computer somebody else may be signed in here
        for key in (ASKED, CODE, BACK):
            request.session.pop(key, None)
        messages.success(request, _("Your password is changed. You were signed out everywhere; sign in anew."))
        response = redirect_to_login(back) if back else redirect("account_login")
        response.delete_cookie(PROOF, path=reverse("accounts:recovery"), samesite="Lax")
        return response
    return render(request, "accounts/recovery_password.html", {"form": form})


def exam_points(request: HttpRequest, region_code: str = "") -> HttpResponse:
    """The exam points of a region with address and telephone, for whoever cannot recover the account here."""
    region = get_object_or_404(Region, code=region_code) if region_code else None
    points = list(queries.points_of(region)) if region else []
    context = {"regions": list(queries.regions()), "region": region, "points": points}
    return render(request, "accounts/recovery_exam_points.html", context)
