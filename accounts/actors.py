"""Who acts: every service that writes takes an actor, and every ledger event names one."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.models import Candidate, Channel
from exam_portal.kit.errors import Refused


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Somebody or something that changes data. `kind` is candidate, staff or system; `id` is their own, as text."""

    kind: str
    id: str = ""
    channel: str = ""


SYSTEM = Actor(kind="system")


def acting(candidate: Candidate, channel: Channel = Channel.WEB) -> Actor:
    """The candidate as the actor of what they do themselves."""
    return Actor(kind="candidate", id=str(candidate.pk), channel=channel)


def check_acts_for(actor: Actor, candidate: Candidate) -> None:
    """Refuse a candidate who acts on another candidate's data.

    Raises:
        Refused: code `forbidden`.
    """
    if actor.kind == "candidate" and actor.id != str(candidate.pk):
        raise Refused(_("This is not yours to change."), code="forbidden")
