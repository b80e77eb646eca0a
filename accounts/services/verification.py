"""Verifying education records: by the verifiers of the settings, or by staff.

The record is the row; a bell rings for it once it is saved, and the sweeper finds what the bell missed. A verifier is
asked outside any transaction, so that a slow one keeps nobody waiting: the row is claimed for a while first, and who
dies meanwhile only lets that time pass.
"""

import logging
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.actors import SYSTEM, Actor
from accounts.models import EducationRecord
from accounts.roles import Right
from accounts.services import ledger
from accounts.territory import check_sees
from exam_portal import clock
from exam_portal.kit import hooks
from exam_portal.kit.bell import ring
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked

logger = logging.getLogger(__name__)

Verification = EducationRecord.Verification

# When to ask again: where a verifier broke off, and where none could say.
AFTER_FAILURE = timedelta(minutes=10)
AFTER_NO_ANSWER = timedelta(days=1)


def ring_for(record: EducationRecord) -> None:
    """Tell the worker of a new record, once it is committed; without a verifier there is nobody to ask."""
    if hooks.load("EDUCATION_VERIFIERS"):
        transaction.on_commit(lambda: _ring(record.pk))


def _ring(record_id: int) -> None:
    from accounts.tasks import verify_education  # the bell's clapper is a task, and tasks call services

    ring(verify_education, record_id)


def ask(*, record_id: int) -> bool:
    """Ask the verifiers about one record, if it is time; True when one of them knew. Safe to run twice and at once."""
    verifiers = hooks.load("EDUCATION_VERIFIERS")
    record = _claim(record_id) if verifiers else None
    if record is None:
        return False
    try:
        answers = (verifier(record=record) for verifier in verifiers)
        known = next((answer for answer in answers if answer is not None), None)
    # Whatever a verifier of somebody else raises: the record waits, and is asked about again when the claim has passed.
    except Exception as error:
        logger.warning("Education record %s could not be verified: %s.", record_id, type(error).__name__)
        return False
    return _note(record_id, known)


@transaction.atomic
def _claim(record_id: int) -> EducationRecord | None:
    """The record, with its candidate, if it is to be asked about now; nobody else gets it while the claim lasts."""
    now = clock.now()
    due = EducationRecord.objects.standing().filter(pk=record_id, verification=Verification.UNVERIFIED, ask_at__lte=now)
    if not due.select_for_update(skip_locked=True).exists():
        return None
    EducationRecord.objects.filter(pk=record_id).update(ask_at=now + AFTER_FAILURE)
    return EducationRecord.objects.select_related("candidate").get(pk=record_id)


@transaction.atomic
def _note(record_id: int, known: bool | None) -> bool:
    record = locked(EducationRecord.objects.filter(pk=record_id)).first()
    if record is None or record.verification != Verification.UNVERIFIED or record.ask_at is None:
        return False  # the account is gone, or staff came first
    if known is None:
        EducationRecord.objects.filter(pk=record_id).update(ask_at=clock.now() + AFTER_NO_ANSWER)
        return False
    _set(record, Verification.PASSED if known else Verification.FAILED, SYSTEM, clock.now())
    return True


def sweep() -> int:
    """Ask about every record whose time has come. Returns about how many one of the verifiers knew."""
    if not hooks.load("EDUCATION_VERIFIERS"):
        return 0
    due = EducationRecord.objects.standing().filter(verification=Verification.UNVERIFIED, ask_at__lte=clock.now())
    return sum(ask(record_id=pk) for pk in due.order_by("ask_at").values_list("pk", flat=True)[:100])


@transaction.atomic
def set_verification(*, record: EducationRecord, actor: Actor, state: str, reason: str, at: datetime) -> None:
    """Set the state of a record, as staff who compared it with the certificate; the verifiers are asked no more.

    The same state twice is once.

    Raises:
        Refused: the actor is not staff of the candidate's exam point or region (`forbidden`), there is no reason
            (`no_reason`), or a corrected record has come in its place (`superseded`).
    """
    check_sees(actor, Right.VERIFY_EDUCATION, record.candidate)
    if not reason.strip():
        raise Refused(_("Say what the record was compared with."), code="no_reason")
    record = locked(EducationRecord.objects.filter(pk=record.pk)).get()
    if record.superseded_at:
        raise Refused(_("This record has been corrected. The corrected one stands in the list."), code="superseded")
    if record.verification != state:
        _set(record, Verification(state), actor, at, reason.strip())


def _set(record: EducationRecord, state: Verification, actor: Actor, at: datetime, reason: str = "") -> None:
    verified_at = None if state == Verification.UNVERIFIED else at
    EducationRecord.objects.filter(pk=record.pk).update(verification=state, verified_at=verified_at, ask_at=None)
    ledger.record(
        stream="candidate",
        stream_id=str(record.candidate_id),
        action="education.verification",
        actor=actor,
        reason=reason,
        payload={"record": record.pk, "state": state},
        at=at,
    )
