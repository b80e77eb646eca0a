"""Writing an exam year into the database, all of it or nothing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from django.db import connection, transaction

from accounts.actors import SYSTEM, Actor
from accounts.services import ledger
from exam_portal import clock
from registration.models import AppliedExamYear, Exam
from registration.services.exam_year.document import entries_of_file
from registration.services.exam_year.plan import Difference, Plan, Verdict, make_plan
from registration.services.exam_year.reading import ExamYearRefused, Reading, read
from registration.services.exam_year.schema import validate
from registration.services.exam_year.tables import TABLES, Rows, Table, example_entries, table_of

# PostgreSQL's advisory lock that makes applies of whichever exam, and what staff change, wait for one another: exams
# share institutions.
LOCK = 0x65786D79


def _silent(_line: str) -> None:
    pass


@dataclass(frozen=True)
class Applied:
    """What an apply did. `written` is False when the file was applied already and nothing had to be done."""

    plan: Plan
    written: bool
    example: list[str] = field(default_factory=list)


def plan_exam_year(*, path: Path) -> Plan:
    """What applying the file would do; changes nothing.

    Raises:
        ExamYearRefused: the file is wrong; all its problems at once.
    """
    reading = read(path)
    return make_plan(reading, entries_of_file(validate(reading)))


@transaction.atomic
def apply_exam_year(
    *,
    path: Path,
    actor: Actor = SYSTEM,
    take: Literal["file"] | None = None,
    dry_run: bool = False,
    progress: Callable[[str], None] = _silent,
) -> Applied:
    """Bring the database to what the file says, except for what staff changed and the file did not (R01).

    Where both changed a value differently, `take="file"` takes the file's; otherwise nothing is done. Applying a file
    again changes nothing. `dry_run` does everything and takes it back.

    Raises:
        ExamYearRefused: the file is wrong, there are conflicts (code `conflicts`), or something to be removed is still
            referred to. All problems at once; nothing was changed.
    """
    progress(f"reading {path.name}")
    reading = read(path)
    entries = entries_of_file(validate(reading))
    take_turn()
    plan = make_plan(reading, entries, lock=True)
    if plan.refusals:
        raise ExamYearRefused(sorted(plan.refusals))
    conflicts = plan.of(Verdict.CONFLICT)
    if conflicts and take != "file":
        reason = "changed here and, differently, in the database since the last apply; --take file takes this file's"
        raise ExamYearRefused(sorted({reading.problem(c.path, reason) for c in conflicts}), code="conflicts")
    accepted = plan.of(Verdict.FROM_FILE) + conflicts
    rows = _write(reading, plan, accepted, progress)
    exam: Exam = rows["exam"]
    example = example_entries(rows)
    if exam.example != bool(example):
        exam.example = bool(example)
        exam.save(update_fields=["example"])
    written = bool(accepted) or plan.applied is None or plan.applied.digest != plan.digest
    if written:
        _remember(exam, plan, actor)
    if dry_run:
        transaction.set_rollback(True)
    return Applied(plan, written, example)


def take_turn() -> None:
    """Wait until nobody else writes an exam year, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _write(reading: Reading, plan: Plan, accepted: list[Difference], progress: Callable[[str], None]) -> Rows:
    """Create, change and remove what was accepted; returns the rows of the exam year as they are then."""
    rows = dict(plan.rows)
    for table in TABLES:
        mine = [difference for difference in accepted if table_of(difference.entry) is table]
        try:
            created = {d.path: table.create(d.path, d.file, rows) for d in mine if d.act == "create"}
            changes = [d for d in mine if d.act == "change"]
            columns = set().union(*(table.change(rows[d.entry], d.entry, _value(d), rows) for d in changes))
        except KeyError as error:
            reason = "was removed in the database, but other entries of the file need it"
            raise ExamYearRefused([reading.problem(error.args[0], reason)]) from error
        if mine:
            progress(f"writing {table.plural}: {len(mine)}")
        if created:
            table.model._default_manager.bulk_create(created.values(), batch_size=500)
            rows |= created
        if changes:
            changed = {d.entry: rows[d.entry] for d in changes}
            table.model._default_manager.bulk_update(changed.values(), columns, batch_size=500)
    for table in reversed(TABLES):
        gone = [d.path for d in accepted if d.act == "remove" and table_of(d.path) is table]
        if gone:
            _remove(table, [rows.pop(path).pk for path in gone])
    return rows


def _value(difference: Difference) -> dict[str, Any]:
    return {difference.path.rpartition(".")[2]: difference.file}


def _remove(table: Table, pks: list[Any]) -> None:
    """Delete rows; those of shared institutions only where nothing refers to them any more."""
    rows = table.model._default_manager.filter(pk__in=pks)
    if table.exam is None:
        for relation in table.model._meta.related_objects:
            rows = rows.filter(**{f"{relation.field.related_query_name()}__isnull": True})
    rows.delete()


def _remember(exam: Exam, plan: Plan, actor: Actor) -> None:
    """Keep the file as the base of the next plan, and put the act on record."""
    applied = plan.applied or AppliedExamYear(exam=exam)
    applied.document, applied.digest = plan.document, plan.digest
    applied.applied_at, applied.applied_by = clock.now(), f"{actor.kind} {actor.id}".strip()
    applied.save()
    ledger.record(
        stream="exam",
        stream_id=exam.code,
        action="exam_year.applied",
        actor=actor,
        payload={**plan.counts, "digest": plan.digest},
        at=applied.applied_at,
    )
