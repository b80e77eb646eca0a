"""Basic information and WeChat: what must be in place before an exam can be chosen (R03, R08)."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import employers, identity
from accounts.actors import Actor, check_acts_for
from accounts.models import BasicInformation, Candidate
from accounts.services import ledger, reminders
from accounts.services.candidates import hold
from exam_portal import clock
from exam_portal.kit.errors import Refused


@transaction.atomic
def save_basic_information(*, candidate: Candidate, actor: Actor, values: dict[str, Any]) -> BasicInformation:
    """Create or change the basic information.

    `values` holds fields of `BasicInformation`; `sex` and `birth_date` too, where the ID does not tell them. The kind
    of an employer is that of the list where the employer is in it.

    Raises:
        ValidationError: something typed cannot be right.
        Refused: sex or birth date, although the ID tells them.
    """
    check_acts_for(actor, candidate)
    hold(candidate)
    own = {key: values[key] for key in ("sex", "birth_date") if key in values}
    if own:
        if identity.ID_TYPES[candidate.id_type].tells_birth:
            raise Refused(_("Sex and date of birth are those of the ID number."), code="fixed")
        identity.check_birth_date(own["birth_date"])
        Candidate.objects.filter(pk=candidate.pk).update(**own)
    information = BasicInformation.objects.filter(candidate=candidate).first()
    information = information or BasicInformation(candidate=candidate)
    for name in values.keys() - own.keys():
        setattr(information, name, values[name])
    information.employer_kind = employers.resolve_kind(employer=information.employer, told=information.employer_kind)
    information.updated_at = clock.now()
    information.clean_fields(exclude=["candidate"])
    information.save()
    ledger.record_about(candidate, "basic_information.saved", actor, fields=sorted(values))
    reminders.remind(candidate=candidate, at=information.updated_at)
    return information
