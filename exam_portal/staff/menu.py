"""The menu of the staff site, by task: one table."""

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.roles import Right


@dataclass(frozen=True)
class Task:
    """A place of the menu: what one does there, its address, and the right that it takes; "" for everybody."""

    label: str | Promise
    url_name: str
    right: Right | None = None


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
            Task(_("Applications about identities"), "admin:accounts_identityrequest_changelist", Right.SEE_CANDIDATES),
        ],
    ),
    (
        _("Administration"),
        [
            Task(_("Staff"), "admin:accounts_staffassignment_changelist", Right.MANAGE_STAFF),
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
                entries.append(Entry(task.label, url, path == url or (url != home and path.startswith(url))))
        if entries:
            groups.append((heading, entries))
    return groups
