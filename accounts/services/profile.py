"""Basic information, education and WeChat: what must be in place before an exam can be chosen (R03, R08, R27)."""

from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import BasicInformation, Candidate, EducationRecord, WeChatBinding
from accounts.models.profile import MOST_EDUCATION_RECORDS
from accounts.services import ledger
from exam_portal import clock
from exam_portal.kit.errors import Refused


def _record(candidate: Candidate, actor: Actor, action: str, **payload: Any) -> None:
    ledger.record(stream="candidate", stream_id=str(candidate.pk), action=action, actor=actor, payload=payload)


@transaction.atomic
def save_basic_information(*, candidate: Candidate, actor: Actor, values: dict[str, Any]) -> BasicInformation:
    """Create or change the basic information.

    `values` holds checked fields of `BasicInformation`; `sex` and `birth_date` too, where the ID does not tell them.
    """
    own = {key: values[key] for key in ("sex", "birth_date") if key in values}
    if own:
        Candidate.objects.filter(pk=candidate.pk).update(**own)
    fields = {key: value for key, value in values.items() if key not in own}
    information, _created = BasicInformation.objects.update_or_create(
        candidate=candidate, defaults={**fields, "updated_at": clock.now()}
    )
    _record(candidate, actor, "basic_information.saved", fields=sorted(values))
    return information


@transaction.atomic
def add_education(*, candidate: Candidate, actor: Actor, graduated: date, **values: str) -> EducationRecord:
    """Add an education record; there are at most five, and a saved one stays (R27).

    Raises:
        Refused: there are five already.
    """
    Candidate.objects.select_for_update().get(pk=candidate.pk)
    position = candidate.education.count() + 1
    if position > MOST_EDUCATION_RECORDS:
        raise Refused(
            _("You have five education records already; no more can be kept."),
            code="education_full",
        )
    record = EducationRecord.objects.create(
        candidate=candidate,
        position=position,
        graduated=graduated.replace(day=1),
        created_at=clock.now(),
        **values,
    )
    _record(candidate, actor, "education.added", position=position)
    return record


@transaction.atomic
def bind_wechat(*, candidate: Candidate, actor: Actor, unionid: str, following: bool) -> WeChatBinding:
    """Bind a WeChat that belongs to no other candidate, or note anew whether it follows the official account (R08).

    Raises:
        Refused: this WeChat belongs to another candidate.
    """
    try:
        with transaction.atomic():
            binding, _created = WeChatBinding.objects.update_or_create(
                candidate=candidate,
                defaults={"unionid": unionid, "following": following, "bound_at": clock.now()},
            )
    except IntegrityError:
        raise Refused(_("This WeChat is bound to another account."), code="wechat_taken") from None
    _record(candidate, actor, "wechat.bound", following=following)
    return binding
