"""Celery tasks of the accounts app: fetch by key, call a service."""

from celery import shared_task

from accounts.services import ledger, outbox


@shared_task
def deliver_message(message_id: int) -> None:
    """Bring one message to its candidate."""
    outbox.deliver(message_id=message_id)


@shared_task
def sweep_outbox() -> None:
    """Deliver messages that the broker lost."""
    outbox.sweep()


@shared_task
def seal_ledger() -> None:
    """Write the daily signed root of the ledger outside the database."""
    ledger.seal()
