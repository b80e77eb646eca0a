"""Who acts, and why: every service that writes takes an actor, and every ledger event names one."""

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.models import Candidate, Channel, StaffAssignment
from accounts.roles import ROLES, Right
from exam_portal.kit.errors import Refused


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Somebody or something that changes data.

    Attributes:
        kind: candidate, staff, visitor (nobody signed in) or system.
        id: their own, as text: of a candidate the candidate's, of staff the user's.
        channel: how a candidate came to us (R02).
        role, region, point, site: of staff; what they may do (accounts.roles), and codes of the institution they act
            for. The staff of a region have no point, those of the nation no region.
    """

    kind: str
    id: str = ""
    channel: str = ""
    role: str = ""
    region: str = ""
    point: str = ""
    site: str = ""

    def may(self, right: Right) -> bool:
        """Whether this is somebody of staff whose role has the right; where, is for the services to check."""
        return self.kind == "staff" and self.role in ROLES and right in ROLES[self.role].rights


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


def working_as(assignment: StaffAssignment) -> Actor:
    """Somebody of staff as the actor of what they do in their role."""
    return Actor(
        kind="staff",
        id=str(assignment.user_id),
        channel="staff",
        role=assignment.role,
        region=assignment.region_id or "",
        point=assignment.point_id or "",
        site=assignment.site_id or "",
    )


def check_reason(reason: str) -> str:
    """Why somebody does what goes on record with a reason, without the spaces around it.

    Raises:
        Refused: there is none (`no_reason`).
    """
    if not reason.strip():
        raise Refused(_("Give the reason."), code="no_reason")
    return reason.strip()


def forbidden() -> Refused:
    """The refusal of what is not this actor's to do."""
    return Refused(_("This is not yours to change."), code="forbidden")
