"""Changing windows, notices, points and sites of an exam year that is in the database (R01, R11, R28).

Whoever administers the exam proposes, and carries it out at once while nobody registers or is confirmed where it is
used. In an open window a second person decides. Carrying out asks again whether the row is still as it was, and
whether an exam-year file that says this would be accepted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor, check_reason, forbidden
from accounts.models import Point
from accounts.roles import Right
from accounts.services import ledger
from accounts.services.second_person import check_second_person, is_second_person
from accounts.territory import check_sees
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked
from registration.models import Exam, ExamRegion, ExamYearChange
from registration.services.exam_year.apply import take_turn
from registration.services.exam_year.document import digest, plain
from registration.services.exam_year.editable import (
    EDITABLE,
    Kind,
    Row,
    entry_of,
    findings,
    is_open,
    key_of,
    kind_of,
    region_of,
    rows_of,
    title_of,
    typed,
    with_values,
)
from registration.services.exam_year.schema import STAFF, weakest
from registration.services.exam_year.tables import example_entries, load

State = ExamYearChange.State
INVALID = "invalid_"  # begins the code of a refusal that belongs to one field


@dataclass(frozen=True)
class Draft:
    """What would change of a row: plain values by field, and whether a second person decides."""

    old: dict[str, Any]
    new: dict[str, Any]
    second: bool


def shown(row: Row) -> str:
    """A digest of what a form showed, so that nobody turns back what another changed meanwhile."""
    return digest(entry_of(row))


def may_propose(actor: Actor, row: Row) -> bool:
    """Whether it is theirs: an exam is the nation's, the rest of the region."""
    return actor.may(Right.EDIT_EXAM_YEAR) and not (isinstance(row, Exam) and actor.region)


def may_approve(actor: Actor, change: ExamYearChange) -> bool:
    """Whether it is theirs to approve such a change, which they see, where they are a second person."""
    return actor.may(Right.APPROVE_EXAM_YEAR) and not (change.kind == Kind.EXAM and actor.region)


def may_decide(actor: Actor, change: ExamYearChange) -> bool:
    """Whether the actor is a possible second person for this change, which they see."""
    return may_approve(actor, change) and is_second_person(actor, first=change.proposed_by_id)


def may_withdraw(actor: Actor, change: ExamYearChange) -> bool:
    """Whether it is theirs to take back, while nobody has decided: what oneself proposed, in a role that may."""
    return actor.may(Right.EDIT_EXAM_YEAR) and str(change.proposed_by_id) == actor.id


def is_outdated(change: ExamYearChange, row: Row) -> bool:
    """Whether what the change would replace stands there no more."""
    now = entry_of(row)
    return any(now[name] != value for name, value in change.old.items())


def draft(*, row: Row, values: Mapping[str, Any], vouched: bool, seen: str, at: datetime) -> Draft:
    """What these values would change.

    A row that staff change bears the weaker of its grade and theirs. Where the actor says that all of it is true
    (`vouched`), it is theirs: nothing in it is an example any more. `seen` is the digest of the row as the form showed
    it (`shown`).

    Raises:
        Refused: changed since it was shown (`outdated`), nothing would change (`unchanged`), or an exam-year file could
            not say it (`invalid_<field>`).
    """
    fields = EDITABLE[kind_of(row)].fields
    wanted = {name: _as_kept(value) for name, value in values.items() if name in fields}
    before = entry_of(row)
    if digest(before) != seen:
        raise _outdated()
    new = {name: value for name, value in wanted.items() if value != before[name]}
    source = STAFF if vouched else weakest(before["source"], STAFF) if new else before["source"]
    if source != before["source"]:
        new["source"] = source
    if not new:
        raise Refused(_("This is what stands here already."), code="unchanged")
    _check_fits(row, new)
    second = is_open(row, at) or is_open(with_values(row, new), at)
    return Draft({name: before[name] for name in new}, new, second)


@transaction.atomic
def propose(
    *,
    row: Row,
    actor: Actor,
    values: Mapping[str, Any],
    reason: str,
    seen: str,
    at: datetime,
    vouched: bool = False,
    alone: bool = False,
) -> ExamYearChange:
    """Propose a change; with `alone`, carry it out at once, which nobody may while a window is open.

    Raises:
        Refused: not this actor's (`forbidden`), without a reason (`no_reason`), a second person is needed
            (`second_person`), and as `draft`.
    """
    check_sees(actor, Right.EDIT_EXAM_YEAR, row)
    if not may_propose(actor, row):
        raise forbidden()
    take_turn()
    current = rows_of(kind_of(row), key_of(row)).first()
    if current is None:
        raise _gone()
    what = draft(row=current, values=values, vouched=vouched, seen=seen, at=at)
    change = ExamYearChange.objects.create(
        kind=kind_of(current),
        key=key_of(current),
        region_id=region_of(current),
        title=title_of(current)[:120],
        old=what.old,
        new=what.new,
        reason=check_reason(reason),
        proposed_by_id=int(actor.id),
        proposed_at=at,
    )
    _record(change, "proposed", actor, at, change.reason)
    if alone:
        _carry_out(change, actor, at)
    return change


@transaction.atomic
def approve(*, change: ExamYearChange, actor: Actor, at: datetime) -> ExamYearChange:
    """Carry out, as the second person, what somebody else proposed.

    Raises:
        Refused: not this actor's (`forbidden`), proposed by themselves (`same_person`), decided or withdrawn already
            (`wrong_state`), the row has changed since (`outdated`) or is gone (`gone`), or an exam-year file could not
            say it (`invalid_<field>`).
    """
    check_sees(actor, Right.APPROVE_EXAM_YEAR, change)
    change = _waiting(change)
    _check_second(actor, change)
    _carry_out(change, actor, at)
    return change


@transaction.atomic
def refuse(*, change: ExamYearChange, actor: Actor, reason: str, at: datetime) -> ExamYearChange:
    """Refuse, as the second person, what somebody else proposed; they read why.

    Raises:
        Refused: `forbidden`, `same_person`, `wrong_state`, or without a reason (`no_reason`).
    """
    check_sees(actor, Right.APPROVE_EXAM_YEAR, change)
    change = _waiting(change)
    _check_second(actor, change)
    change.refusal = check_reason(reason)
    _decide(change, State.REFUSED, actor, at, change.refusal)
    return change


@transaction.atomic
def withdraw(*, change: ExamYearChange, actor: Actor, at: datetime) -> ExamYearChange:
    """Take back what oneself proposed and nobody has decided.

    Raises:
        Refused: somebody else's (`forbidden`), or decided already (`wrong_state`).
    """
    check_sees(actor, Right.EDIT_EXAM_YEAR, change)
    change = _waiting(change)
    if not may_withdraw(actor, change):
        raise forbidden()
    _decide(change, State.WITHDRAWN, actor, at)
    return change


def _waiting(change: ExamYearChange) -> ExamYearChange:
    change = locked(ExamYearChange.objects.filter(pk=change.pk)).get()
    if change.state != State.PROPOSED:
        raise Refused(_("This was decided or withdrawn already."), code="wrong_state")
    return change


def _check_second(actor: Actor, change: ExamYearChange) -> None:
    if not may_approve(actor, change):
        raise forbidden()
    check_second_person(actor, first=change.proposed_by_id)


def _carry_out(change: ExamYearChange, actor: Actor, at: datetime) -> None:
    take_turn()
    rows = rows_of(change.kind, change.key)
    locked(rows.model._default_manager.filter(pk__in=list(rows.values_list("pk", flat=True)))).first()
    row = rows.first()
    if row is None:
        raise _gone()
    if is_outdated(change, row):
        raise _outdated()
    _check_fits(row, change.new)
    alone = str(change.proposed_by_id) == actor.id
    if alone and (is_open(row, at) or is_open(with_values(row, change.new), at)):
        raise Refused(_("In an open window somebody else decides."), code="second_person")
    _decide(change, State.LIVE, actor, at)
    rows.model._default_manager.filter(pk=row.pk).update(**typed(change.kind, change.new))
    if "source" in change.new:
        _mark_examples(row)


def _decide(change: ExamYearChange, state: str, actor: Actor, at: datetime, reason: str = "") -> None:
    change.state, change.decided_by_id, change.decided_at = state, int(actor.id), at
    change.save(update_fields=["state", "decided_by", "decided_at", "refusal"])
    _record(change, state, actor, at, reason)


def _mark_examples(row: Row) -> None:
    """Say of every exam that uses the row whether it still holds invented data, as `apply` does."""
    match row:
        case Exam():
            exams = Exam.objects.filter(pk=row.pk)
        case ExamRegion():
            exams = Exam.objects.filter(pk=row.exam_id)
        case Point():
            exams = Exam.objects.filter(regions__exam_sites__site__point=row).distinct()
        case _:
            exams = Exam.objects.filter(regions__exam_sites__site=row).distinct()
    for exam in exams:
        example = bool(example_entries(load(exam, set())))
        if exam.example != example:
            Exam.objects.filter(pk=exam.pk).update(example=example)


# --- Small parts --------------------------------------------------------------------------------
def _as_kept(value: Any) -> Any:
    """A value of a form as plain text and numbers; line ends as files have them."""
    return "\n".join(value.strip().splitlines()) if isinstance(value, str) else plain(value)


def _check_fits(row: Row, new: Mapping[str, Any]) -> None:
    for name, reason in findings(row, new).items():
        raise Refused(reason, code=INVALID + name)
    if isinstance(row, ExamRegion) and row.applications.exists():
        for name in {"online", "automatic"} & new.keys():
            raise Refused(
                _("Candidates have chosen this region already: its way of confirming stays as it is."),
                code=INVALID + name,
            )


def _outdated() -> Refused:
    return Refused(_("This has been changed meanwhile. Look at what stands there now."), code="outdated")


def _gone() -> Refused:
    return Refused(_("This is no longer part of the exam year."), code="gone")


def _record(change: ExamYearChange, what: str, actor: Actor, at: datetime, reason: str = "") -> None:
    ledger.record(
        stream="exam_year",
        stream_id=str(change.pk),
        action=f"exam_year.{what}",
        actor=actor,
        reason=reason,
        payload={"kind": change.kind, "key": change.key, "fields": sorted(change.new)},
        at=at,
    )
