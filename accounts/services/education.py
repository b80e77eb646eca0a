"""Education records: adding one, and correcting one by another that supersedes it (R21, R27)."""

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts import education, schools
from accounts.actors import Actor, check_acts_for
from accounts.models import Candidate, EducationRecord
from accounts.models.education import MOST_STANDING
from accounts.services import ledger, reminders, verification
from accounts.services.candidates import hold
from exam_portal import clock
from exam_portal.kit.errors import Refused


def check(content: dict[str, Any]) -> None:
    """Refuse what a record may not say: an education that does not count (R21), or an unknown school without a note.

    `content` holds the fields of `EducationRecord.CONTENT` that are known so far; what is missing, or a kind that there
    is not, is not judged.

    Raises:
        ValidationError: by field.
    """
    errors: dict[str, Any] = {}
    judged = ("school_kind", "certificate_kind", "qualification", "degree", "certification_number")
    known = content.get("school_kind") in education.SCHOOL_KINDS and (
        content.get("certificate_kind") in education.CERTIFICATE_KINDS
    )
    if known and all(name in content for name in judged):
        try:
            education.check_recognised(**{name: content[name] for name in judged})
        except ValidationError as error:
            errors |= error.message_dict
    if "school" in content and schools.code_of(content["school"]) == schools.OTHER and not content.get("school_note"):
        errors["school_note"] = _(
            "This school is not in the list. Search for it; if it really is not there, write here where it is, "
            "and what it was called before or is called today."
        )
    # Else the certification that such a school's certificates need would not be asked for.
    listed = schools.kind_of(content.get("school", ""))
    if listed in education.CERTIFIED_SCHOOL_KINDS and content.get("school_kind", listed) != listed:
        errors["school_kind"] = _("%(school)s is of another kind: %(kind)s.") % {
            "school": content["school"],
            "kind": education.SCHOOL_KINDS[listed].label,
        }
    if errors:
        raise ValidationError(errors)


@transaction.atomic
def add_education(*, candidate: Candidate, actor: Actor, **content: Any) -> EducationRecord:
    """Add an education record; at most five stand (R27). The same one twice is one.

    `content` holds all fields of `EducationRecord.CONTENT`; of the month of graduation any day.

    Raises:
        ValidationError: something typed cannot be right, or the education does not count (R21).
        Refused: there are five already (`education_full`).
    """
    check_acts_for(actor, candidate)
    content = _checked(**content)
    hold(candidate)
    standing = candidate.education.standing()
    if same := standing.filter(**content).first():
        return same
    position = standing.count() + 1
    if position > MOST_STANDING:
        raise Refused(
            _("You have five education records already. You can correct one, but not add another."),
            code="education_full",
        )
    record = _save(candidate, position, content)
    _record(record, actor, "education.added")
    reminders.remind(candidate=candidate, at=record.created_at)
    return record


@transaction.atomic
def correct_education(*, record: EducationRecord, actor: Actor, **content: Any) -> EducationRecord:
    """Put a corrected record in the place of one that stands, which is superseded and stays (R27). Twice is once.

    Raises:
        ValidationError: something typed cannot be right, or the education does not count (R21).
        Refused: nothing would change (`unchanged`), or another correction came before (`superseded`).
    """
    candidate = record.candidate
    check_acts_for(actor, candidate)
    content = _checked(**content)
    hold(candidate)
    record = EducationRecord.objects.get(pk=record.pk)
    if record.superseded_at:
        if record.superseded_by.content == content:
            return record.superseded_by
        raise Refused(
            _("This record has been corrected meanwhile, perhaps in another window. Look at the corrected one."),
            code="superseded",
        )
    if record.content == content:
        raise Refused(_("Nothing was changed, so nothing was saved."), code="unchanged")
    EducationRecord.objects.filter(pk=record.pk).update(superseded_at=clock.now())
    corrected = _save(candidate, record.position, content, supersedes=record)
    _record(corrected, actor, "education.corrected", supersedes=record.pk)
    reminders.remind(candidate=candidate, at=corrected.created_at)
    return corrected


def _checked(*, graduated: date, **content: str) -> dict[str, Any]:
    check(content)
    return {**content, "graduated": graduated.replace(day=1)}


def _save(candidate: Candidate, position: int, content: dict[str, Any], **more: Any) -> EducationRecord:
    now = clock.now()
    record = EducationRecord(
        candidate=candidate,
        position=position,
        school_code=schools.code_of(content["school"]),
        created_at=now,
        ask_at=now,
        **content,
        **more,
    )
    record.clean_fields(exclude=["candidate", "supersedes"])
    record.save()
    verification.ring_for(record)
    return record


def _record(record: EducationRecord, actor: Actor, action: str, **payload: Any) -> None:
    ledger.record(
        stream="candidate",
        stream_id=str(record.candidate_id),
        action=action,
        actor=actor,
        payload={"record": record.pk, "position": record.position, **payload},
    )
