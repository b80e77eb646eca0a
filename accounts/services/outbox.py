"""Messages to candidates: a row first, then a bell for the worker, then a sweeper for what the bell missed."""

from datetime import timedelta
from typing import Any

from django.db import transaction

from accounts.models import Candidate, Message
from exam_portal import clock
from exam_portal.kit.bell import ring


def enqueue(*, candidate: Candidate, kind: str, object_id: str, version: int, facts: dict[str, Any]) -> None:
    """Write a message in the transaction of the change it tells of; the same (kind, object, version) only once."""
    message, created = Message.objects.get_or_create(
        kind=kind,
        object_id=object_id,
        version=version,
        defaults={"candidate": candidate, "facts": facts, "created_at": clock.now()},
    )
    if created:
        transaction.on_commit(lambda: _ring(message.pk))


def _ring(message_id: int) -> None:
    from accounts.tasks import deliver_message  # the bell's clapper is a task, and tasks call services

    ring(deliver_message, message_id)


def deliver(*, message_id: int) -> bool:
    """Bring one waiting message to its candidate's inbox; False when there was nothing left to do.

    Safe to run twice and in parallel: the row is locked, and its state decides.
    """
    with transaction.atomic():
        message = (
            Message.objects.select_for_update(skip_locked=True)
            .filter(pk=message_id, state=Message.State.QUEUED)
            .first()
        )
        if message is None:
            return False
        message.state = Message.State.SENT
        message.sent_at = clock.now()
        message.save(update_fields=["state", "sent_at"])
    return True


def sweep() -> int:
    """Deliver what the broker lost: every message still queued a minute after it was written. Returns how many."""
    overdue = Message.objects.filter(
        state=Message.State.QUEUED, created_at__lt=clock.now() - timedelta(minutes=1)
    ).values_list("pk", flat=True)
    return sum(deliver(message_id=pk) for pk in overdue[:1000])


def mark_read(*, candidate: Candidate) -> None:
    """Note that the candidate has seen the messages in the inbox."""
    candidate.messages.filter(state=Message.State.SENT, read_at=None).update(read_at=clock.now())
