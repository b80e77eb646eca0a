"""Making and revoking the private link to a candidate's own deadlines (R17)."""

import hashlib
import secrets
from datetime import datetime

from django.db import transaction

from accounts.actors import Actor, check_acts_for
from accounts.models import CalendarLink, Candidate
from accounts.services import ledger
from accounts.services.candidates import hold


@transaction.atomic
def make_link(*, candidate: Candidate, actor: Actor, language: str, at: datetime) -> CalendarLink:
    """A new link in this language; the one before, if there is one, no longer opens anything."""
    check_acts_for(actor, candidate)
    candidate = hold(candidate)
    forget(candidate=candidate)
    token = secrets.token_urlsafe(32)
    link = CalendarLink.objects.create(
        candidate=candidate, token=token, digest=digest_of(token), language=language, made_at=at
    )
    ledger.record_about(candidate, "calendar.made", actor, at)
    return link


@transaction.atomic
def revoke_link(*, candidate: Candidate, actor: Actor, at: datetime) -> None:
    """Take the link away; it no longer opens anything. Twice is once."""
    check_acts_for(actor, candidate)
    candidate = hold(candidate)
    if forget(candidate=candidate):
        ledger.record_about(candidate, "calendar.revoked", actor, at)


def forget(*, candidate: Candidate) -> bool:
    """Remove the link. Returns whether there was one."""
    return bool(CalendarLink.objects.filter(candidate=candidate).delete()[0])


def digest_of(token: str) -> str:
    """By which a link is found."""
    return hashlib.sha256(token.encode()).hexdigest()
