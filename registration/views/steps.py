"""The pages on which an application is filled in, one a step."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.actors import acting
from accounts.queries import standing_photo
from exam_portal import clock
from exam_portal.kit.forms import carry_out, posted
from exam_portal.kit.kept import kept
from registration import queries, steps
from registration.access import step_page
from registration.forms import PlaceForm, PledgeForm, RegionForm, SpecialtyForm
from registration.models import Application
from registration.services import applications, snapshot


def _saved(request: HttpRequest, application: Application) -> HttpResponse:
    """Say so, and go on to the first step that is still open."""
    messages.success(request, _("Saved. Your registration is not submitted yet."))
    application = queries.applications_of(application.candidate).get(pk=application.pk)
    if step := steps.first_open(application):
        return redirect(step.url(application))
    return redirect("registration:overview", application.exam.code)


def _how(request: HttpRequest, application: Application) -> dict[str, Any]:
    """What every writing service wants to know."""
    return {
        "application": application,
        "actor": acting(application.candidate),
        "at": clock.arrival(request),
    }


def _page(request: HttpRequest, application: Application, name: str, **context: Any) -> HttpResponse:
    context |= {
        "application": application,
        "exam": application.exam,
        "step": steps.BY_NAME[name],
        "nodes": steps.nodes(application, at=clock.arrival(request)),
    }
    return render(request, f"registration/{name}.html", context)


@step_page("pledge")
def pledge(request: HttpRequest, *, application: Application) -> HttpResponse:
    """Declarations and integrity pledge."""
    form = PledgeForm(posted(request), initial={"accept": application.pledged_at is not None, **kept(request)})
    if carry_out(form, lambda _data: applications.accept_pledge(**_how(request, application))):
        return _saved(request, application)
    return _page(request, application, "pledge", form=form)


@step_page("region")
def region(request: HttpRequest, *, application: Application) -> HttpResponse:
    """The exam region; what a change would empty is listed and asked for (R25)."""
    regions = {r.region_id: r for r in queries.regions_of(application.exam)}
    form = RegionForm(posted(request), initial=kept(request), application=application, regions=regions)
    emptied: list[str] = []
    if request.method == "POST":
        if chosen := regions.get(request.POST.get("region", "")):
            emptied = steps.emptied_by(application, chosen)
        if emptied:
            form.ask_to_empty()
        if carry_out(
            form,
            lambda data: applications.choose_region(
                exam_region=data["region"],
                empty=data.get("empty", False),
                **_how(request, application),
            ),
            empties="empty",
        ):
            return _saved(request, application)
    return _page(request, application, "region", form=form, emptied=emptied)


@step_page("point")
def point(request: HttpRequest, *, application: Application) -> HttpResponse:
    """The exam point, and the registration site in regions that confirm online."""
    exam_region = application.exam_region
    assert exam_region is not None  # the gate saw to it
    form = PlaceForm(posted(request), initial=kept(request), application=application, exam_region=exam_region)
    if carry_out(
        form,
        lambda data: applications.choose_point(
            point=data["place"][0], site=data["place"][1], **_how(request, application)
        ),
    ):
        return _saved(request, application)
    return _page(request, application, "point", form=form, exam_region=exam_region)


@step_page("specialty")
def specialty(request: HttpRequest, *, application: Application) -> HttpResponse:
    """Level, specialty and subjects; the level is chosen by a link, so that the list needs no script."""
    levels = list(application.exam.levels.all())
    chosen = application.specialty.level if application.specialty else levels[0]
    level = next((level for level in levels if level.code == request.GET.get("level")), chosen)
    form = SpecialtyForm(posted(request), initial=kept(request), application=application, level=level)
    if carry_out(
        form,
        lambda data: applications.choose_specialty(
            specialty=data["specialty"], subjects=data["subjects"], **_how(request, application)
        ),
    ):
        return _saved(request, application)
    return _page(request, application, "specialty", form=form, levels=levels, level=level)


@step_page("photo")
def photo(request: HttpRequest, *, application: Application) -> HttpResponse:
    """The photo that stands, to be confirmed for this exam."""
    standing = standing_photo(application.candidate)
    if request.method == "POST":
        applications.confirm_photo(digest=request.POST.get("digest", ""), **_how(request, application))
        return _saved(request, application)
    return _page(request, application, "photo", photo=standing)


@step_page("check")
def check(request: HttpRequest, *, application: Application) -> HttpResponse:
    """All answers once more, and the button that submits them."""
    content = snapshot.take(application)
    return _page(
        request,
        application,
        "check",
        content=content,
        seen=snapshot.digest_of(content),
        candidate=application.candidate,
    )
