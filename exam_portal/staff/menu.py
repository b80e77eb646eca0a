"""The menu of the staff site, by task: one table."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.roles import Right


@dataclass(frozen=True)
class Task:
    """A place of the menu: what one does there, its address, and the right that it takes; None for everybody.

    `also` names what else belongs to it: models whose pages are reached from there.
    """

    label: str | Promise
    url_name: str
    right: Right | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """A task as a page shows it."""

    label: str | Promise
    url: str
    current: bool


MENU: list[tuple[str | Promise, list[Task]]] = [
    (
        _("Work"),
        [
            Task(_("My work"), "admin:index"),
            Task(_("Candidates"), "admin:accounts_candidate_changelist", Right.SEE_CANDIDATES),
            Task(_("Photos"), "admin:accounts_photo_changelist", Right.SEE_CANDIDATES),
            Task(_("Applications about identities"), "admin:accounts_identityrequest_changelist", Right.SEE_CANDIDATES),
        ],
    ),
    (
        _("Exam year"),
        [
            Task(
                _("Exams and regions"),
                "admin:registration_exam_changelist",
                Right.SEE_EXAM_YEARS,
                also=("registration/examregion",),
            ),
            Task(
                _("Exam points and sites"),
                "admin:accounts_point_changelist",
                Right.SEE_EXAM_YEARS,
                also=("accounts/site",),
            ),
            Task(_("Changes"), "admin:registration_examyearchange_changelist", Right.SEE_EXAM_YEARS),
        ],
    ),
    (
        _("Administration"),
        [
            Task(_("Staff"), "admin:accounts_staffassignment_changelist", Right.SEE_STAFF),
            Task(_("Ledger"), "admin:accounts_ledgerevent_changelist", Right.SEE_LEDGER),
        ],
    ),
]


def menu_of(actor: Actor, *, path: str) -> list[tuple[str | Promise, list[Entry]]]:
    """The groups of the menu with what this actor may open; the page at `path` is the current one."""
    home = reverse("admin:index")
    groups = []
    for heading, tasks in MENU:
        entries = []
        for task in tasks:
            if task.right is None or actor.may(task.right):
                url = reverse(task.url_name)
                inside = (url, *(f"{home}{model}/" for model in task.also))
                current = path == url or (url != home and path.startswith(inside))
                entries.append(Entry(task.label, url, current))
        if entries:
            groups.append((heading, entries))
    return groups
