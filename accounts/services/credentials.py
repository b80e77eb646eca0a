"""Practice registrations, the residency certificate and titles: kept and corrected by the candidate (R22)."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction

from accounts import credentials
from accounts.actors import Actor, check_acts_for
from accounts.models import Candidate, Credential
from accounts.services import ledger
from exam_portal.kit.locks import locked


@transaction.atomic
def save_credential(*, candidate: Candidate, actor: Actor, kind: str, since: date, category: str = "") -> Credential:
    """Keep a credential, in the place of the one of this kind that there was. Of the month any day; twice is once.

    Raises:
        ValidationError: something typed cannot be right.
    """
    check_acts_for(actor, candidate)
    if kind not in credentials.CREDENTIAL_KINDS:
        raise ValidationError({"kind": "unknown"})
    credentials.check_category(kind=kind, category=category)
    category = category if credentials.CREDENTIAL_KINDS[kind].has_category else ""
    locked(Candidate.objects.filter(pk=candidate.pk)).get()
    credential = candidate.credentials.filter(kind=kind).first() or Credential(candidate=candidate, kind=kind)
    wanted = (since.replace(day=1), category)
    if (credential.since, credential.category) != wanted:
        credential.since, credential.category = wanted
        credential.clean_fields(exclude=["candidate"])
        credential.save()
        _record(candidate, actor, "credential.saved", kind)
    return credential


@transaction.atomic
def remove_credential(*, candidate: Candidate, actor: Actor, kind: str) -> None:
    """Remove a credential; one that is not there is no error."""
    check_acts_for(actor, candidate)
    removed, _tables = candidate.credentials.filter(kind=kind).delete()
    if removed:
        _record(candidate, actor, "credential.removed", kind)


def _record(candidate: Candidate, actor: Actor, action: str, kind: str) -> None:
    ledger.record(stream="candidate", stream_id=str(candidate.pk), action=action, actor=actor, payload={"kind": kind})
