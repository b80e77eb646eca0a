"""Practice registrations, the residency certificate and titles: kept and corrected by the candidate (R22)."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import credentials
from accounts.actors import Actor, check_acts_for
from accounts.models import Candidate, Credential
from accounts.services import ledger
from accounts.services.candidates import hold
from exam_portal.kit.errors import Refused


@transaction.atomic
def save_credential(
    *, candidate: Candidate, actor: Actor, kind: str, since: date, category: str = "", new: bool = False
) -> Credential:
    """Keep a credential, in the place of the one of this kind that there was. Of the month any day; twice is once.

    Raises:
        ValidationError: something typed cannot be right.
        Refused: it is said to be `new`, and there is another one of this kind (`exists`).
    """
    check_acts_for(actor, candidate)
    if kind not in credentials.CREDENTIAL_KINDS:
        raise ValidationError({"kind": "unknown"})
    credentials.check_category(kind=kind, category=category)
    category = category if credentials.CREDENTIAL_KINDS[kind].has_category else ""
    hold(candidate)
    credential = candidate.credentials.filter(kind=kind).first() or Credential(candidate=candidate, kind=kind)
    wanted = (since.replace(day=1), category)
    if (credential.since, credential.category) != wanted:
        if new and credential.pk:
            raise Refused(
                _("You have entered it already, perhaps in another window. Change it in the list above."), code="exists"
            )
        credential.since, credential.category = wanted
        credential.clean_fields(exclude=["candidate"])
        credential.save()
        ledger.record_about(candidate, "credential.saved", actor, kind=kind)
    return credential


@transaction.atomic
def remove_credential(*, candidate: Candidate, actor: Actor, kind: str) -> None:
    """Remove a credential; one that is not there is no error."""
    check_acts_for(actor, candidate)
    hold(candidate)
    removed, _tables = candidate.credentials.filter(kind=kind).delete()
    if removed:
        ledger.record_about(candidate, "credential.removed", actor, kind=kind)
