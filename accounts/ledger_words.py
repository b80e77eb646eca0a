"""What the events of the ledger are called where people read them; each app describes its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import LedgerEvent, StaffAssignment
from accounts.models.education import EducationRecord

MOST = 50
_WORDS: dict[str, str | Promise] = {}


def describe(words: Mapping[str, str | Promise]) -> None:
    """Declare what actions are called."""
    _WORDS.update(words)


def words_of(action: str) -> str:
    """What an action is called; its code where nobody has said."""
    return str(_WORDS.get(action, action))


@dataclass(frozen=True)
class Entry:
    """An event as people read it: when, what, by whom and why."""

    at: datetime
    what: str
    who: str
    reason: str


def history(streams: list[tuple[str, str]]) -> list[Entry]:
    """The latest events of these streams, the newest first."""
    wanted = Q(pk__in=[])
    for stream, stream_id in streams:
        wanted |= Q(stream=stream, stream_id=stream_id)
    events = list(LedgerEvent.objects.filter(wanted).order_by("-at", "-pk")[:MOST])
    names = _names({event.actor_id for event in events if event.actor_kind == "staff"})
    return [Entry(event.at, _what(event), _who(event, names), event.reason) for event in events]


def _names(ids: set[str]) -> dict[str, str]:
    """Names of staff with their institutions, by account."""
    rows = StaffAssignment.objects.filter(user__in=[pk for pk in ids if pk.isdecimal()]).order_by("valid_from")
    return {
        str(row.user_id): f"{row.name} · {row.institution}" if row.institution else row.name
        for row in rows.select_related("site", "point", "region")
    }


def _who(event: LedgerEvent, names: dict[str, str]) -> str:
    kinds = {"candidate": _("the candidate"), "visitor": _("somebody not signed in"), "system": _("the portal itself")}
    if event.actor_kind == "staff":
        return names.get(event.actor_id, str(_("staff")))
    return str(kinds.get(event.actor_kind, event.actor_kind))


def _what(event: LedgerEvent) -> str:
    what = words_of(event.action)
    if event.action == "education.verification":
        return f"{what}: {EducationRecord.Verification(event.payload['state']).label}"
    return what


describe(
    {
        "account.registered": _("Signed up"),
        "account.deleted": _("Account deleted"),
        "account.unlocked": _("Account unlocked"),
        "basic_information.saved": _("Basic information saved"),
        "candidate.looked_at": _("Portal looked at as the candidate sees it"),
        "credential.saved": _("Licence or title saved"),
        "credential.removed": _("Licence or title removed"),
        "education.added": _("Education record added"),
        "education.corrected": _("Education record corrected"),
        "education.verification": _("Education record compared"),
        "email.verified": _("E-mail address verified"),
        "email.removed": _("E-mail address removed"),
        "id_number.revealed": _("ID number revealed"),
        "identity.changed": _("Name or ID changed"),
        "identity_request.made": _("Application about the identity made"),
        "identity_request.checked": _("Application about the identity checked by the exam point"),
        "identity_request.done": _("Application about the identity carried out"),
        "identity_request.refused": _("Application about the identity refused"),
        "identity_request.removed": _("Application about the identity removed"),
        "password.recovered": _("Password recovered"),
        "recovery.failed": _("Wrong answer to the recovery question"),
        "sessions.ended": _("Signed out in other places"),
        "wechat.bound": _("WeChat bound"),
    }
)
