"""The steps of an application, in the order of R03: one list for the task list, the gates and the process bar."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Photo
from registration.lifecycle import State
from registration.models import Application, ExamRegion


@dataclass(frozen=True)
class Step:
    """A step of the form: its name is its URL's, `needs` are the steps that must be done before it can be opened.

    What a change of region empties (R25) needs the region, so that nothing filled in is emptied by a first choice.
    """

    name: str
    title: str | Promise
    done: Callable[[Application], bool]
    needs: tuple[str, ...] = ()

    def url(self, application: Application) -> str:
        """Where this step of this application is filled in."""
        return reverse(f"registration:{self.name}", args=[application.exam.code])


def _photo_confirmed(application: Application) -> bool:
    """Whether the photo that stands is the one that was confirmed; of what was submitted, the one submitted counts."""
    if application.state != State.DRAFT or not application.photo_digest:
        return bool(application.photo_digest)
    usable = (photo for photo in application.candidate.photos.all() if photo.state in Photo.USABLE)
    return application.photo_digest in {photo.digest for photo in usable}


STEPS: tuple[Step, ...] = (
    Step("pledge", _("Declarations and integrity pledge"), lambda a: a.pledged_at is not None),
    Step("region", _("Exam region"), lambda a: a.exam_region_id is not None, ("pledge",)),
    Step(
        "point",
        _("Exam point"),
        lambda a: bool(a.point_id and a.exam_region and (a.site_id or not a.exam_region.online)),
        ("region",),
    ),
    Step(
        "specialty",
        _("Specialty and subjects"),
        lambda a: bool(a.specialty_id and a.subjects),
        ("region",),
    ),
    Step("photo", _("Confirm the photo"), _photo_confirmed, ("region",)),
    Step(
        "check",
        _("Check and submit"),
        lambda a: a.state != State.DRAFT,
        ("point", "specialty", "photo"),
    ),
)
BY_NAME = {step.name: step for step in STEPS}


def missing_before(application: Application, step: Step) -> list[Step]:
    """The steps that must be done before `step` can be, in their order; the first of them can be done now."""
    needed, waiting = set[str](), list(step.needs)
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting += BY_NAME[name].needs
    return [other for other in STEPS if other.name in needed and not other.done(application)]


def first_open(application: Application) -> Step | None:
    """The step to go on with, or None when every one is done."""
    return next((step for step in STEPS if not step.done(application)), None)


def emptied_by(application: Application, exam_region: ExamRegion) -> list[str]:
    """Titles of the filled-in steps that choosing this region would empty (R25); none for a first choice."""
    if application.exam_region_id in {None, exam_region.pk}:
        return []
    return [
        str(step.title) for step in STEPS if step.name in {"point", "specialty", "photo"} and step.done(application)
    ]


@dataclass(frozen=True)
class Task:
    """A row of the task list. `state` is done, todo or blocked."""

    title: str | Promise
    state: str
    url: str
    hint: str | Promise = ""


def tasks(application: Application) -> Iterator[Task]:
    """The task list of a draft."""
    for step in STEPS:
        missing = missing_before(application, step)
        state = "done" if step.done(application) else "blocked" if missing else "todo"
        hint = _("First: %(step)s") % {"step": missing[0].title} if missing else ""
        yield Task(step.title, state, step.url(application), hint)


@dataclass(frozen=True)
class Node:
    """A node of the process bar. `state` is done (green √), current (black) or ahead (grey)."""

    label: str | Promise
    state: str
    url: str = ""
    note: str | Promise = ""


_AFTER_CONFIRMATION = {State.CONFIRMED, State.POINT_APPROVED, State.QUALIFIED, State.REJECTED}


def nodes(application: Application, *, at: datetime) -> list[Node]:
    """The process bar (报考流程) of an application. Confirmed is not accepted: review has a node of its own (R29)."""
    draft = application.state == State.DRAFT
    editable = draft and application.exam.is_open(at)
    filled = all(BY_NAME[name].done(application) for name in ("pledge", "region", "point", "specialty"))
    online = bool(application.exam_region and application.exam_region.online)
    overview = reverse("registration:overview", args=[application.exam.code])
    # None: not asked for yet, so neither done nor next.
    marks: list[tuple[str | Promise, bool | None, str]] = [
        (_("Fill in the registration"), filled, overview if editable else ""),
        (
            _("Confirm the photo"),
            BY_NAME["photo"].done(application),
            BY_NAME["photo"].url(application) if editable else "",
        ),
        *([(_("Upload materials"), None, "")] if online else []),
        (_("Submit"), not draft, BY_NAME["check"].url(application) if editable else ""),
        (_("Confirmation"), application.state in _AFTER_CONFIRMATION, ""),
        (_("Qualification review"), application.state == State.QUALIFIED, ""),
        (_("Payment"), None, ""),
    ]
    over = application.state == State.ABANDONED or (draft and at >= application.exam.closes_at)
    undone = (index for index, (_label, done, _url) in enumerate(marks) if done is False)
    current = None if over else next(undone, None)
    return [
        Node(label, "done" if done else "current" if index == current else "ahead", url)
        for index, (label, done, url) in enumerate(marks)
    ]
