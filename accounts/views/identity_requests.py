"""《考生申请修改/删除注册信息须知》 and applying for it (R07): by a candidate, or by somebody without an account."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache

from accounts import queries, rare_characters
from accounts.access import candidate_page
from accounts.actors import VISITOR, acting
from accounts.identity_forms import ChangeForm, IdentityForm, PaperForm
from accounts.limits import per_address
from accounts.models import Candidate, IdentityRequest, Region
from accounts.services import identity_form, identity_requests
from accounts.views.picker import RARE_CHARACTERS, characters_shown, with_character
from exam_portal import clock
from exam_portal.kit.forms import carry_out, posted
from exam_portal.kit.kept import kept

# The numbers of the applications made here by nobody signed in, who finds them by nothing else. Whoever signs in at the
# same browser does not see them.
MADE_HERE = "identity_requests"

Kind = IdentityRequest.Kind


def notice(request: HttpRequest) -> HttpResponse:
    """What can be changed or deleted, how, and what to bring."""
    return render(request, "accounts/identity_notice.html", {"days": identity_requests.LAPSES.days})


def regions(request: HttpRequest, kind: str) -> HttpResponse:
    """The exam region in which the form will be brought to an exam point."""
    context = {"kind": kind, "title": _title(kind), "regions": list(queries.regions())}
    return render(request, "accounts/identity_regions.html", context)


def _title(kind: str) -> str:
    if kind not in Kind.values:
        raise Http404
    return str(Kind(kind).label)


@candidate_page
def _own(request: HttpRequest, kind: str, region: Region, *, candidate: Candidate) -> HttpResponse:
    """A candidate applies for a change, or for the deletion of the own account."""
    form_class, more = (ChangeForm, {"candidate": candidate}) if kind == Kind.CHANGE else (PaperForm, {})
    points, actor, at = queries.points_of(region), acting(candidate), clock.arrival(request)
    if kind == Kind.CHANGE and RARE_CHARACTERS.asked(request.POST):
        form: Any = form_class(initial=with_character(request.POST), points=list(points), **more)
        return _form(request, kind, region, form)
    form = form_class(posted(request), initial=kept(request), points=list(points), **more)

    def apply(_data: dict[str, Any]) -> None:
        how: dict[str, Any] = {"candidate": candidate, "actor": actor, "paper": form.paper(), "at": at}
        if kind == Kind.CHANGE:
            identity_requests.apply_for_change(wanted=form.identity(), **how)
        else:
            identity_requests.apply_for_deletion(**how)

    if carry_out(form, apply, id_taken="id_number"):
        return redirect("accounts:identity_applications")
    return _form(request, kind, region, form)


def _taken(request: HttpRequest, region: Region, *, unsent: bool = False) -> HttpResponse:
    """Somebody whose number another account uses applies for its deletion.

    `unsent` shows a form that was sent as it was typed, and does nothing with it.
    """
    points, at = list(queries.points_of(region)), clock.arrival(request)
    if unsent or RARE_CHARACTERS.asked(request.POST):
        return _form(request, Kind.TAKEN, region, IdentityForm(initial=with_character(request.POST), points=points))
    form = IdentityForm(posted(request), points=points)

    def report(_data: dict[str, Any]) -> None:
        # The cookie against forged requests tells browsers apart, also before there is a session.
        browser = request.COOKIES.get(settings.CSRF_COOKIE_NAME, "")
        made = identity_requests.report_taken(
            person=form.identity(), actor=VISITOR, paper=form.paper(), browser=browser, at=at
        )
        earlier = request.session.get(_mine(request), [])
        request.session[_mine(request)] = list(dict.fromkeys([made.number, *earlier]))[:5]

    if carry_out(form, report):
        return redirect("accounts:identity_applications")
    return _form(request, Kind.TAKEN, region, form)


@never_cache
@per_address("PORTAL_SIGN_UPS_PER_ADDRESS")
def apply(request: HttpRequest, kind: str, region_code: str) -> HttpResponse:
    """Fill in an application."""
    _title(kind)
    region = get_object_or_404(Region, code=region_code)
    return _taken(request, region) if kind == Kind.TAKEN else _own(request, kind, region)


@never_cache
@per_address("PORTAL_SIGN_UPS_PER_ADDRESS")
def taken_unsent(request: HttpRequest, kind: str, region_code: str) -> HttpResponse:
    """What somebody without an account sent with an old security token: as it was typed, to be sent again."""
    text = _("Nothing was sent yet: this page had been open too long. Look it through and send it again.")
    if request.user.is_authenticated:
        text = _(
            "Nothing was sent yet: %(username)s is signed in in this browser now. If you send it again, it stands "
            "among the applications that are seen here while %(username)s is signed in. If that is not you, sign out "
            "in another window first."
        ) % {"username": request.user.get_username()}
    messages.warning(request, text)
    return _taken(request, get_object_or_404(Region, code=region_code), unsent=True)


def _form(request: HttpRequest, kind: str, region: Region, form: PaperForm) -> HttpResponse:
    name = form["name"].value() or "" if "name" in form.fields else ""
    context = {
        "form": form,
        "kind": kind,
        "title": _title(kind),
        "region": region,
        "picker": characters_shown(request.POST) if "name" in form.fields else None,
        "print_hint": rare_characters.print_hint(name[:50]),
    }
    return render(request, "accounts/identity_apply.html", context)


def _mine(request: HttpRequest) -> str:
    """Where the session keeps what was made here by whoever is signed in now, or by nobody signed in."""
    return f"{MADE_HERE}:{request.user.pk or ''}"


def _visible(request: HttpRequest) -> Any:
    """The applications that the candidate made, and those without an account that were made here."""
    candidate = queries.candidate_of(request.user) if request.user.is_authenticated else None
    return queries.identity_requests_of(candidate, made_here=request.session.get(_mine(request), []))


@never_cache
def applications(request: HttpRequest) -> HttpResponse:
    """The applications made: what to do with each, and where it stands. Those made here can be forgotten here."""
    if request.method == "POST":
        request.session.pop(_mine(request), None)
        return redirect("accounts:identity_notice")
    made = list(_visible(request))
    if not made and not request.user.is_authenticated:
        return redirect("accounts:identity_notice")
    context = {
        "made": made,
        "days": identity_requests.LAPSES.days,
        "here": bool(request.session.get(_mine(request))),
    }
    return render(request, "accounts/identity_applications.html", context)


@never_cache
def form_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The application on paper."""
    made = _visible(request).filter(number=number).first()
    if made is None:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        raise Http404
    response = HttpResponse(identity_form.render(made), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{made.number}.pdf"'
    return response
