"""What staff do with photos that the checks doubt (R03): accept, or refuse with a reason for the candidate."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor, check_reason
from accounts.models import Photo
from accounts.roles import Right
from accounts.services import ledger, outbox, reminders
from accounts.services.candidates import hold
from accounts.territory import check_sees
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked

State = Photo.State


@transaction.atomic
def accept(*, photo: Photo, actor: Actor, at: datetime) -> None:
    """Accept a doubtful photo; from then on it is as good as one that passed.

    Raises:
        Refused: not this actor's (`forbidden`), or no longer doubtful (`wrong_state`): decided, or replaced.
    """
    photo = _held(photo, actor)
    _decide(photo, State.ACCEPTED, "photo.accepted", actor, at)


@transaction.atomic
def refuse(*, photo: Photo, reason: str, actor: Actor, at: datetime) -> None:
    """Refuse a doubtful photo; the candidate is told why, and adds another.

    Raises:
        Refused: as `accept`, or without a reason (`no_reason`).
    """
    photo = _held(photo, actor)
    photo.refusal = check_reason(reason)
    _decide(photo, State.REFUSED, "photo.refused", actor, at)
    outbox.enqueue(candidate=photo.candidate, kind="photo_refused", object_id=str(photo.pk), version=1, facts={})
    reminders.remind(candidate=photo.candidate, at=at, away=True)


def _held(photo: Photo, actor: Actor) -> Photo:
    """The photo, its candidate and its row held, if it still waits for staff."""
    check_sees(actor, Right.DECIDE_PHOTO, photo)
    candidate = hold(photo.candidate)
    held = locked(Photo.objects.filter(pk=photo.pk, state=State.DOUBTFUL)).first()
    if held is None:
        raise Refused(_("This photo no longer waits: somebody was faster, or it was replaced."), code="wrong_state")
    held.candidate = candidate
    return held


def _decide(photo: Photo, state: State, action: str, actor: Actor, at: datetime) -> None:
    photo.state, photo.decided_by_id, photo.decided_at = state, int(actor.id), at
    photo.save(update_fields=["state", "refusal", "decided_by", "decided_at"])
    ledger.record(
        stream="candidate",
        stream_id=str(photo.candidate_id),
        action=action,
        actor=actor,
        reason=photo.refusal,
        payload={"photo": photo.pk, "digest": photo.digest},
        at=at,
    )
