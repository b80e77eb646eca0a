"""Events of the ledger as staff read them: who, what, about what, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from accounts import ledger_words
from accounts.models import Candidate, LedgerEvent, StaffAssignment
from exam_portal.kit.text import grouped

LATEST = 100


@dataclass(frozen=True)
class Told:
    """An event in words.

    Attributes:
        who: name and username of staff, the candidate's username, or "" for nobody signed in or the portal itself.
        role: of staff, as it was then.
        kind: candidate, staff, visitor or system.
        about: what the stream is about, `subject` in it whose number or username.
        details: what else the event says.
    """

    at: datetime
    kind: str
    who: str
    role: str
    what: str
    about: str
    subject: str
    reason: str
    details: str


def history(*streams: tuple[str, str]) -> list[Told]:
    """What happened to some things, each a stream and its id, the newest first; for whoever sees the things.

    At most the latest 100 events.
    """
    wanted = Q(pk__in=[])
    for stream, stream_id in streams:
        wanted |= Q(stream=stream, stream_id=stream_id)
    return told(LedgerEvent.objects.filter(wanted).order_by("-at", "-pk")[:LATEST])


def told(events: Iterable[LedgerEvent]) -> list[Told]:
    """Events in words, in their order: two queries, however many there are."""
    events = list(events)
    roles = _roles_of({number for event in events for number in _numbers(event, "staff")})
    usernames = _usernames_of({number for event in events for number in _numbers(event, "candidate")})
    return [_told(event, roles, usernames) for event in events]


def _numbers(event: LedgerEvent, kind: str) -> list[str]:
    """The accounts that an event names, as who did it and as whom it is about."""
    named = [event.actor_id] if event.actor_kind == kind else []
    return [number for number in [*named, event.stream_id if event.stream == kind else ""] if number.isdigit()]


def _roles_of(numbers: set[str]) -> dict[str, list[StaffAssignment]]:
    found: dict[str, list[StaffAssignment]] = {}
    if numbers:
        for assignment in StaffAssignment.objects.filter(user__in=[int(number) for number in numbers]).select_related(
            "user"
        ):
            found.setdefault(str(assignment.user_id), []).append(assignment)
    return found


def _usernames_of(numbers: set[str]) -> dict[str, str]:
    rows = Candidate.objects.filter(pk__in=numbers).values_list("pk", "user__username") if numbers else []
    return {str(pk): username for pk, username in rows}


def _told(event: LedgerEvent, roles: dict[str, list[StaffAssignment]], usernames: dict[str, str]) -> Told:
    def name(kind: str, number: str) -> tuple[str, str]:
        if kind == "candidate":
            return usernames.get(number, number), ""
        if kind != "staff" or number not in roles:
            return number, ""
        held = roles[number]
        then = next((assignment for assignment in held if assignment.is_valid(event.at)), held[0])
        return f"{then.name} ({then.user.username})", str(then.get_role_display())

    who, role = name(event.actor_kind, event.actor_id)
    subject = name(event.stream, event.stream_id)[0]
    return Told(
        at=event.at,
        kind=event.actor_kind,
        who=who,
        role=role,
        what=ledger_words.action_words(event.action),
        about=ledger_words.stream_words(event.stream),
        subject=grouped(subject) if event.stream == "identity_request" else subject,
        reason=event.reason,
        details=ledger_words.details(event.payload),
    )
