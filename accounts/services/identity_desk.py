"""What staff may do with an application about an identity, and its two reads that are put on record (R07, R28)."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor, forbidden, may_here
from accounts.models import IdentityRequest
from accounts.roles import Right
from accounts.services import ledger
from accounts.territory import check_sees
from exam_portal.kit.errors import Refused

State = IdentityRequest.State


def acts_open_to(*, request: IdentityRequest, actor: Actor) -> tuple[str, ...]:
    """What this actor may do with it as it stands: `check`, `approve`, `refuse`; the services of these names decide.

    Whoever checked it does not approve it, but may not keep somebody else of the region from it either.
    """
    if request.state == State.MADE and may_here(actor, Right.CHECK_IDENTITY, point=request.point.pk):
        return ("check", "refuse")
    if request.state == State.CHECKED and may_here(actor, Right.DECIDE_IDENTITY, region=request.point.region_id):
        return ("refuse",) if str(request.checked_by_id) == actor.id else ("approve", "refuse")
    return ()


@transaction.atomic
def reveal(*, request: IdentityRequest, actor: Actor, reason: str, at: datetime) -> None:
    """Put on record that somebody sees the ID numbers of an application in full; only then may a page show them.

    Raises:
        Refused: not this actor's to see (`forbidden`), or without a reason (`no_reason`).
    """
    check_sees(actor, Right.REVEAL_ID, request)
    if not reason.strip():
        raise Refused(_("Give the reason."), code="no_reason")
    _record(request, "id_number.revealed", actor, at, reason=reason.strip())


@transaction.atomic
def read_proof(*, request: IdentityRequest, actor: Actor, at: datetime) -> bytes:
    """The scan of what the exam point saw, for whoever checks or decides; that it was opened is put on record.

    Raises:
        Refused: not this actor's to see (`forbidden`), or nothing was scanned (`no_proof`).
    """
    if not (actor.may(Right.CHECK_IDENTITY) or actor.may(Right.DECIDE_IDENTITY)):
        raise forbidden()
    check_sees(actor, Right.SEE_CANDIDATES, request)
    if not request.proof:
        raise Refused(_("Nothing was scanned."), code="no_proof")
    _record(request, "proof.read", actor, at)
    with request.proof.open() as file:
        return file.read()


def _record(request: IdentityRequest, action: str, actor: Actor, at: datetime, *, reason: str = "") -> None:
    ledger.record(stream="identity_request", stream_id=request.number, action=action, actor=actor, reason=reason, at=at)
