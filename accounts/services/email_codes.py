"""Codes sent by e-mail: a row first, sent by the worker, swept up by beat. Their fifteen minutes are real ones."""

import logging
import secrets
from datetime import UTC, datetime, timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _

from accounts.models import EmailCode
from exam_portal.kit.bell import ring
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked

logger = logging.getLogger(__name__)

VALID = EmailCode.VALID
MOST_TRIES = 5


class WrongCode(Refused):
    """The code is not the one sent, or no longer valid; which of the two is not said."""

    code = "wrong_code"


def issue(*, purpose: str, candidate: int | None, address: str) -> int:
    """Write a code of six digits to be sent to `address`; without an address, one that nobody will ever read.

    `candidate` is the number of the candidate, or None. Returns the number of the code.
    """
    code = EmailCode.objects.create(
        purpose=purpose,
        candidate_id=candidate,
        address=address,
        code=f"{secrets.randbelow(10**6):06d}",
        language=translation.get_language() or settings.LANGUAGE_CODE,
        created_at=datetime.now(UTC),
    )
    transaction.on_commit(lambda: _ring(code.pk))
    return code.pk


def _ring(code_id: int) -> None:
    from accounts.tasks import send_email_code  # the bell's clapper is a task, and tasks call services

    ring(send_email_code, code_id)


@transaction.atomic
def send(*, code_id: int) -> bool:
    """Send one waiting code, if there is somebody to send it to; False when it must wait or nothing is waiting."""
    code = (
        EmailCode.objects.select_for_update(skip_locked=True)
        .filter(pk=code_id, sent_at=None, created_at__gt=datetime.now(UTC) - VALID)
        .first()
    )
    if code is None:
        return False
    if code.address and not _mailed(code):
        return False
    code.sent_at = datetime.now(UTC)
    code.save(update_fields=["sent_at"])
    return True


def _mailed(code: EmailCode) -> bool:
    with translation.override(code.language):
        subject, _newline, body = render_to_string(
            f"mail/{code.purpose}.txt", {"code": code.code, "minutes": VALID.seconds // 60}
        ).partition("\n")
        try:
            send_mail(subject.strip(), body.strip() + "\n", None, [code.address])
        except (SMTPException, OSError) as error:  # its text may hold the address
            logger.warning("Code %s could not be sent: %s.", code.pk, type(error).__name__)
            return False
    return True


def sweep() -> int:
    """Send what is still waiting after a minute, and remove what no longer counts. Returns how many were sent."""
    now = datetime.now(UTC)
    EmailCode.objects.filter(created_at__lt=now - timedelta(days=1)).delete()
    waiting = EmailCode.objects.filter(
        sent_at=None, created_at__gt=now - VALID, created_at__lt=now - timedelta(minutes=1)
    ).values_list("pk", flat=True)
    return sum(send(code_id=pk) for pk in waiting[:1000])


def use(*, code_id: int, purpose: str, typed: str) -> EmailCode:
    """Take a code that was typed; after five wrong ones it works no more.

    One that verifies an address works once; one that recovers an account until that account has a new password, so that
    a button pressed twice does no harm (accounts.services.recovery).

    Raises:
        WrongCode: it is another one, too old, or used.
    """
    with transaction.atomic():
        code = locked(EmailCode.objects.filter(pk=code_id, purpose=purpose)).first()
        valid = (
            code is not None
            and not code.used
            and code.tries < MOST_TRIES
            and code.created_at > datetime.now(UTC) - VALID
        )
        right = valid and code is not None and constant_time_compare("".join(typed.split()), code.code)
        if right:
            EmailCode.objects.filter(pk=code_id).update(used=purpose == EmailCode.Purpose.VERIFY)
        else:
            EmailCode.objects.filter(pk=code_id).update(tries=F("tries") + 1)
    if code is None or not right or not code.address:
        raise WrongCode(_("This code is not right, or too old. Ask for a new one."))
    return code
