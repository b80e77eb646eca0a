"""Sessions: where somebody is signed in, and ending that. allauth's usersessions notes each sign-in."""

from allauth.usersessions.models import UserSession
from django.db import transaction

from accounts.actors import Actor, forbidden
from accounts.models import User
from accounts.services import ledger


def end_all(*, user: User, keep: str = "") -> int:
    """End every session of an account but the one with the session key `keep`. Returns how many ended."""
    ended = UserSession.objects.filter(user=user).exclude(session_key=keep)
    return sum(1 for session in ended if session.end() is None)


def end_oldest(*, user: User, beyond: int) -> int:
    """End an account's oldest sessions, so that at most the number in `beyond` stay. Returns how many ended."""
    noted = UserSession.objects.filter(user=user).order_by("-created_at", "-pk")
    return sum(1 for session in noted[beyond:] if session.end() is None)


@transaction.atomic
def sign_out(*, user: User, actor: Actor, keep: str = "", only: int | None = None) -> int:
    """End the actor's own sessions: all but the one with the key `keep`, or `only` the one with this number.

    Returns how many ended; another's session is not among them.

    Raises:
        Refused: it is not the actor's account (`forbidden`).
    """
    owner = str(user.candidate.pk if user.kind == User.Kind.CANDIDATE else user.pk)
    if (actor.kind, actor.id) != (user.kind, owner):
        raise forbidden()
    if only is None:
        ended = end_all(user=user, keep=keep)
    else:
        session = UserSession.objects.filter(user=user, pk=only).first()
        ended = 0
        if session:
            session.end()
            ended = 1
    if ended:
        ledger.record(
            stream=user.kind,
            stream_id=owner,
            action="sessions.ended",
            actor=actor,
            payload={"count": ended},
        )
    return ended
