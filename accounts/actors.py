"""Who acts: every service that writes takes an actor, and every ledger event names one."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.models import Candidate, Channel, Point
from exam_portal.kit import hooks
from exam_portal.kit.errors import Refused


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Somebody or something that changes data.

    Attributes:
        kind: candidate, staff, visitor (nobody signed in) or system.
        id: their own, as text: of a candidate the candidate's, of staff the user's.
        channel: how a candidate came to us (R02).
        region, point: codes of the institution that staff act for; the staff of a region have no point.
    """

    kind: str
    id: str = ""
    channel: str = ""
    region: str = ""
    point: str = ""


SYSTEM = Actor(kind="system")
VISITOR = Actor(kind="visitor", channel=Channel.WEB)


def acting(candidate: Candidate, channel: Channel = Channel.WEB) -> Actor:
    """The candidate as the actor of what they do themselves."""
    return Actor(kind="candidate", id=str(candidate.pk), channel=channel)


def check_acts_for(actor: Actor, candidate: Candidate) -> None:
    """Refuse everybody but the candidate: what is a candidate's own to do, neither staff nor the portal does.

    Raises:
        Refused: code `forbidden`.
    """
    if (actor.kind, actor.id) != ("candidate", str(candidate.pk)):
        raise forbidden()


def check_staff_of_point(actor: Actor, point: Point) -> None:
    """Refuse whoever is not of this exam point's staff (R28).

    Raises:
        Refused: code `forbidden`.
    """
    if actor.kind != "staff" or actor.point != point.code:
        raise forbidden()


def check_staff_of_region(actor: Actor, region_code: str) -> None:
    """Refuse whoever is not of this region's own staff (R28); its points' staff are not.

    Raises:
        Refused: code `forbidden`.
    """
    if actor.kind != "staff" or actor.point or actor.region != region_code:
        raise forbidden()


def check_staff_for(actor: Actor, candidate: Candidate) -> None:
    """Refuse whoever is not of the staff of an exam point or region to which the candidate belongs (R28).

    Raises:
        Refused: code `forbidden`.
    """
    place = {"region": actor.region, "point": actor.point}
    belongs = any(hook(candidate=candidate, **place) for hook in hooks.load("STAFF_TERRITORY"))
    if actor.kind != "staff" or not belongs:
        raise forbidden()


def forbidden() -> Refused:
    """The refusal of what is not this actor's to do."""
    return Refused(_("This is not yours to change."), code="forbidden")
