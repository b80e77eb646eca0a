"""The candidate's photo: uploading, what the checks found, choosing how it is cut (R03)."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts import queries
from accounts.access import candidate_page
from accounts.actors import acting
from accounts.models import Candidate, Photo, PhotoFrame
from accounts.photo_forms import ChooseForm, FrameForm, UploadForm
from accounts.photos import words
from accounts.photos.intake import PROBLEMS
from accounts.photos.report import Item, Verdict
from accounts.services import photos
from exam_portal import clock
from exam_portal.kit.forms import carry_out, posted

State = Photo.State
# Parts of a photo that its page shows, beside the frames: a small copy of what was uploaded, and what is kept.
PARTS = ("preview", "kept")


@candidate_page
def photo(request: HttpRequest, *, candidate: Candidate) -> HttpResponse:
    """The photo that stands, the picture that was uploaded and what was found of it; uploading another."""
    own: dict[str, Any] = {"candidate": candidate, "actor": acting(candidate), "at": clock.arrival(request)}
    form = UploadForm(posted(request), request.FILES or None)
    beside = dict.fromkeys(PROBLEMS, "picture")
    if carry_out(form, lambda data: photos.upload(source=data["picture"], **own), **beside):
        return redirect("accounts:photo")
    return _page(request, candidate, upload=form)


@candidate_page
def choose(request: HttpRequest, pk: int, *, candidate: Candidate) -> HttpResponse:
    """Choose how the picture is cut; from then on it is the candidate's photo."""
    found = _pending(candidate, pk)
    if request.method != "POST" or found is None:
        return _back(request)
    form = ChooseForm(posted(request), frames=list(found.frames.all()))
    how: dict[str, Any] = {"photo": found, "actor": acting(candidate), "at": clock.arrival(request)}
    if carry_out(form, lambda data: photos.choose(frame=form.chosen, confirmed=data["confirmed"], **how)):
        messages.success(request, _("Your photo is saved. It serves every later year too."))
        return redirect("accounts:photo")
    return _page(request, candidate, choice=form)


@candidate_page
def move(request: HttpRequest, pk: int, *, candidate: Candidate) -> HttpResponse:
    """Ask for a frame that the candidate moved."""
    found = _pending(candidate, pk)
    if request.method != "POST" or found is None:
        return _back(request)
    form = _frame_form(found, posted(request))
    how: dict[str, Any] = {"photo": found, "actor": acting(candidate), "at": clock.arrival(request)}
    if carry_out(form, lambda _data: photos.move_frame(frame=form.moved, **how)):
        return redirect("accounts:photo")
    return _page(request, candidate, frame=form)


@candidate_page
def take_back(request: HttpRequest, pk: int, *, candidate: Candidate) -> HttpResponse:
    """Remove an upload that was not chosen."""
    found = _pending(candidate, pk)
    if request.method == "POST" and found is not None:
        photos.take_back(photo=found, actor=acting(candidate), at=clock.arrival(request))
        messages.success(request, _("The picture is removed."))
    return redirect("accounts:photo")


@candidate_page
def picture(request: HttpRequest, pk: int, part: str, *, candidate: Candidate) -> HttpResponse:
    """A picture of one's own: a part, or a frame by its number. The file that was uploaded is never served."""
    found = get_object_or_404(candidate.photos, pk=pk)
    if part in PARTS:
        file = getattr(found, part)
    else:
        file = get_object_or_404(found.frames, pk=int(part) if part.isdecimal() else None).picture
    return serve(file)


def serve(file: Any) -> HttpResponse:
    """A JPEG of the private storage, which no cache keeps.

    Raises:
        Http404: there is none.
    """
    if not file:
        raise Http404
    try:
        with file.open("rb") as opened:
            response = HttpResponse(opened.read(), content_type="image/jpeg")
    except FileNotFoundError:  # it was replaced a moment ago
        raise Http404 from None
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _pending(candidate: Candidate, pk: int) -> Photo | None:
    """The upload of this number, if it has frames to choose from."""
    return candidate.photos.filter(pk=pk, state=State.CHECKED).select_related("rule_set").first()


def _back(request: HttpRequest) -> HttpResponse:
    """To the page, which shows how things stand; a POST that came too late is told so."""
    if request.method == "POST":
        messages.error(request, _("There is another picture since, perhaps from another window. Look at it here."))
    return redirect("accounts:photo")


def _frame_form(found: Photo, data: Any = None) -> FrameForm:
    frames = {frame.kind: frame for frame in found.frames.all()}
    first = frames.get(PhotoFrame.Kind.OWN) or next(iter(frames.values()))
    return FrameForm(data, photo=found, ratio=found.rule_set.rules.ratio, frame=first.geometry)


def findings(items: list[Item]) -> list[dict[str, Any]]:
    """Items as pages show them: what was checked, the verdict, what was measured, and a sentence of help."""
    return [
        {
            "key": item.key,
            "label": words.label(item.key),
            "verdict": item.verdict,
            "shown": words.shown(item),
            "help": words.help_for(item),
        }
        for item in items
    ]


def _found(pending: Photo | None, frames: list[PhotoFrame]) -> dict[str, Any]:
    """What was found of picture and suggested frame, and of each other frame what was not found of that too."""
    if pending is None:
        return {}
    first = frames[0].items if frames else []
    known = {(item.key, item.verdict) for item in first}
    other = [[item for item in frame.items if (item.key, item.verdict) not in known] for frame in frames]
    wrong = [[item for item in items if item.verdict != Verdict.PASS] for items in other]
    return {
        "findings": findings(pending.items + first),
        "frames": [{"frame": frame, "findings": findings(items)} for frame, items in zip(frames, wrong, strict=True)],
        "usable": any(frame.verdict != Verdict.FAIL for frame in frames),
    }


def _page(request: HttpRequest, candidate: Candidate, **forms: Any) -> HttpResponse:
    at = clock.arrival(request)
    pending = candidate.photos.pending().select_related("rule_set").first()
    frames = list(pending.frames.all()) if pending else []
    waiting = bool(pending and pending.state == State.RECEIVED) or any(not frame.checked_at for frame in frames)
    if waiting and request.htmx:  # type: ignore[attr-defined]
        return HttpResponse(status=204)  # nothing new to show yet
    choosing = bool(pending and pending.state == State.CHECKED and frames)
    standing = queries.standing_photo(candidate)
    context: dict[str, Any] = {
        "standing": standing,
        "standing_findings": findings(standing.items + standing.frame_items) if standing else [],
        "guarded": photos.guarded(candidate, at),
        "pending": pending,
        "waiting": waiting,
        "choosing": choosing,
        "problem": PROBLEMS[pending.problem] if pending and pending.problem else "",
        **_found(pending, [frame for frame in frames if frame.checked_at]),
        "upload": forms.get("upload") or UploadForm(),
    }
    if choosing and pending:
        context["choice"] = forms.get("choice") or ChooseForm(frames=frames)
        context["frame"] = forms.get("frame") or _frame_form(pending)
    return render(request, "accounts/photo.html", context)
