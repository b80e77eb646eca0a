"""Celery tasks of the accounts app: fetch by key, call a service."""

from celery import shared_task

from accounts.services import (
    email_codes,
    identity_requests,
    ledger,
    outbox,
    photo_checks,
    photos,
    recovery,
    verification,
    wechat,
)
from exam_portal import clock


@shared_task
def deliver_message(*delivery_ids: int) -> None:
    """Send messages, each by one carrier."""
    outbox.deliver_some(delivery_ids=delivery_ids)


@shared_task
def sweep_outbox() -> None:
    """Ring for messages that the broker lost, and those to be tried again."""
    outbox.sweep()


@shared_task
def learn_wechat(wechat_id: int) -> None:
    """Ask WeChat who somebody is that follows; what is not answered is asked again by the sweeper."""
    wechat.learn(wechat_id=wechat_id, at=clock.now())


@shared_task
def sweep_wechat() -> None:
    """Forget old events, and ask about followers who are not known yet."""
    wechat.sweep(at=clock.now())
    wechat.ask_unknown(at=clock.now())


@shared_task
def reconcile_wechat() -> None:
    """Compare who follows with what WeChat knows."""
    wechat.reconcile(at=clock.now())


@shared_task
def ask_wechat() -> None:
    """Go on with that comparison."""
    wechat.ask_due(at=clock.now())


@shared_task
def seal_ledger() -> None:
    """Write the daily signed root of the ledger outside the database."""
    ledger.seal()


@shared_task
def verify_ledger() -> None:
    """Verify the whole ledger, and keep what came out."""
    ledger.verify_and_note(at=clock.now())


@shared_task
def send_email_code(code_id: int) -> None:
    """Send one code by e-mail."""
    email_codes.send(code_id=code_id)


@shared_task
def sweep_recovery() -> None:
    """Send codes that the broker lost, and tell candidates of wrong answers to their recovery question."""
    email_codes.sweep()
    recovery.sweep_attempts()


@shared_task
def sweep_identity_requests() -> None:
    """Remove applications to change or delete registered information that nobody brought."""
    identity_requests.sweep(at=clock.now())


@shared_task
def verify_education(record_id: int) -> None:
    """Ask the verifiers about one education record."""
    verification.ask(record_id=record_id)


@shared_task
def sweep_verification() -> None:
    """Ask about records that the broker lost, or that are to be asked about again."""
    verification.sweep()


@shared_task
def check_photo(photo_id: int) -> None:
    """Check what was uploaded, or what stands by other rules."""
    photo_checks.check(photo_id=photo_id)
    photo_checks.check_asked(photo_id=photo_id)


@shared_task
def check_photo_frame(frame_id: int) -> None:
    """Check a frame that the candidate moved."""
    photo_checks.check_frame(frame_id=frame_id)


@shared_task
def compare_photo(photo_id: int) -> None:
    """Look for photos of other candidates that look the same."""
    photo_checks.compare(photo_id=photo_id)


@shared_task
def sweep_photos() -> None:
    """Ring for photos that the broker lost, and remove what was never chosen and files that nothing refers to."""
    photos.sweep(at=clock.now())
