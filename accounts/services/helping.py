"""What staff do for a candidate: revealing the ID number, helping with the account, looking at what the candidate sees.

Each asks for a reason, which goes into the candidate's stream of the ledger. Only within the own territory (R28).
"""

from datetime import datetime

from django.db import transaction

from accounts.actors import Actor, check_reason
from accounts.limits import forget_failed_sign_ins
from accounts.models import Candidate, Point, Region
from accounts.roles import Right
from accounts.services import ledger, outbox, sessions
from accounts.services.candidates import hold
from accounts.territory import check_sees


@transaction.atomic
def reveal_id_number(*, candidate: Candidate, actor: Actor, reason: str, at: datetime) -> str:
    """The full ID number, for whoever says why; nowhere else do staff read it.

    Raises:
        Refused: not this actor's to see (`forbidden`), without a reason (`no_reason`), the account is deleted.
    """
    candidate = _begun(candidate, actor, Right.REVEAL_ID, reason)
    ledger.record_about(candidate, "id_number.revealed", actor, at, reason=reason)
    return candidate.id_number


@transaction.atomic
def end_sessions(*, candidate: Candidate, actor: Actor, reason: str, at: datetime) -> int:
    """Sign the candidate out everywhere, and say so in the inbox. Returns how many sessions ended.

    Raises:
        Refused: as `reveal_id_number`.
    """
    candidate = _begun(candidate, actor, Right.HELP_ACCOUNTS, reason)
    ended = sessions.end_all(user=candidate.user)
    ledger.record_about(candidate, "sessions.ended", actor, at, reason=reason, count=ended)
    if ended:
        _tell(candidate, actor, "sessions_ended")
    return ended


@transaction.atomic
def unlock(*, candidate: Candidate, actor: Actor, reason: str, at: datetime) -> None:
    """Let the candidate try anew to sign in and to recover the account, however often that failed, and say so in the
    inbox. Wrong answers of which the candidate was not told yet are still told.

    Raises:
        Refused: as `reveal_id_number`.
    """
    candidate = _begun(candidate, actor, Right.HELP_ACCOUNTS, reason)
    candidate.recovery_attempts.update(tries=0)
    ledger.record_about(candidate, "account.unlocked", actor, at, reason=reason)
    _tell(candidate, actor, "account_unlocked")
    forget_failed_sign_ins(candidate.user)


@transaction.atomic
def look(*, candidate: Candidate, actor: Actor, reason: str, at: datetime) -> None:
    """Begin to look at the portal as the candidate sees it; accounts.looking keeps it up.

    Raises:
        Refused: as `reveal_id_number`.
    """
    candidate = _begun(candidate, actor, Right.HELP_ACCOUNTS, reason)
    ledger.record_about(candidate, "candidate.looked_at", actor, at, reason=reason)


def _begun(candidate: Candidate, actor: Actor, right: Right, reason: str) -> Candidate:
    """The candidate's row, held, once actor and reason are as they must be."""
    check_sees(actor, right, candidate)
    check_reason(reason)
    return hold(candidate)


def _tell(candidate: Candidate, actor: Actor, kind: str) -> None:
    """Tell whose staff did it, and whom to call: somebody else may have asked for it in the candidate's name."""
    point = Point.objects.filter(pk=actor.point).first()
    region = Region.objects.filter(pk=actor.region).first()
    telephone = point.telephone if point else ""
    outbox.tell(candidate=candidate, kind=kind, institution=str(point or region or ""), telephone=telephone)
