"""The three-way plan: what a file would change, compared with what was last applied and what staff changed since."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from accounts.models import Point
from registration.models import Application, AppliedExamYear, Exam, ExamSite, Level, Specialty, Subject
from registration.services.exam_year.document import Entries, digest, flatten, unflatten
from registration.services.exam_year.reading import Problem, Reading
from registration.services.exam_year.schema import weakest
from registration.services.exam_year.tables import TABLES, Rows, load, table_of


class Verdict(StrEnum):
    """What becomes of a difference between file and database."""

    FROM_FILE = "from file"
    KEPT = "kept"
    CONFLICT = "conflict"


@dataclass(frozen=True)
class Difference:
    """A value that file and database have differently; None where one has nothing.

    Where a whole entry is missing on one side, `path` is the entry's and the values are dicts; otherwise it is the
    path of one value.
    """

    path: str
    verdict: Verdict
    base: Any
    database: Any
    file: Any

    @property
    def act(self) -> str:
        """What taking the file's side does: create, remove or change."""
        if self.database is None:
            return "create"
        return "remove" if self.file is None else "change"

    @property
    def entry(self) -> str:
        """The path of the entry that it belongs to."""
        whole = isinstance(self.file if self.database is None else self.database, dict)
        return self.path if whole else self.path.rpartition(".")[0]


@dataclass(frozen=True)
class Plan:
    """What applying a file would do. `refusals` are removals that cannot be done, because something refers to them."""

    file: str
    exam: str
    differences: list[Difference]
    refusals: list[Problem]
    unchanged: int
    rows: Rows = field(repr=False)
    document: dict[str, Any] = field(repr=False)
    applied: AppliedExamYear | None = field(repr=False)

    def of(self, verdict: Verdict) -> list[Difference]:
        """The differences with this verdict."""
        return [difference for difference in self.differences if difference.verdict is verdict]

    @property
    def counts(self) -> dict[str, int]:
        """How many entries or values are created, changed, removed, kept and in conflict."""
        acts = Counter(difference.act for difference in self.of(Verdict.FROM_FILE))
        return {
            "created": acts["create"],
            "changed": acts["change"],
            "removed": acts["remove"],
            "kept": len(self.of(Verdict.KEPT)),
            "conflicts": len(self.of(Verdict.CONFLICT)),
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the file's flat document."""
        return digest(self.document)


def make_plan(reading: Reading, entries: Entries, *, lock: bool = False) -> Plan:
    """Compare the file's entries with the database.

    Both are compared with the file that was last applied to this exam and, where institutions are concerned, which all
    exams share, with the file that was last applied to any. `lock` keeps the rows until the transaction ends.
    """
    code = entries["exam"]["code"]
    exam = Exam.objects.filter(code=code).first()
    applied = AppliedExamYear.objects.filter(exam=exam).first() if exam else None
    newest = AppliedExamYear.objects.order_by("applied_at", "pk").last()
    base = unflatten(applied.document) if applied else {}
    shared = unflatten(newest.document) if newest else {}
    shared = {path: entry for path, entry in shared.items() if path.startswith("institutions.")}
    rows = load(exam, set(entries), lock=lock)
    database = {path: table_of(path).entry(row) for path, row in rows.items()}
    differences = _grades_follow(list(_compare(entries, database, base, shared)))
    compared = len(flatten(entries).keys() | flatten(database).keys())
    differing = sum(len(d.file or d.database) if d.entry == d.path else 1 for d in differences)
    return Plan(
        file=reading.file,
        exam=code,
        differences=differences,
        refusals=[*_clashes(reading, entries), *_still_used(reading, exam, rows, differences)],
        unchanged=compared - differing,
        rows=rows,
        document=flatten(entries),
        applied=applied,
    )


def _compare(file: Entries, database: Entries, base: Entries, shared: Entries) -> Iterator[Difference]:
    for path in sorted(file.keys() | database.keys(), key=_order):
        ours, theirs, before = file.get(path), database.get(path), base.get(path)
        if ours is None or theirs is None:
            # Institutions that only another exam's file brought were never an entry of this exam.
            bases = [before, shared[path]] if before and path in shared else [before]
            yield Difference(path, _verdict(ours, theirs, bases), before, theirs, ours)
            continue
        for name in ours.keys() | theirs.keys():
            mine, other = ours.get(name), theirs.get(name)
            if mine != other:
                bases = [known[name] for known in (before, shared.get(path)) if known and name in known]
                verdict = _verdict(mine, other, bases or [None])
                yield Difference(f"{path}.{name}", verdict, bases[0] if bases else None, other, mine)


def _grades_follow(differences: list[Difference]) -> list[Difference]:
    """A grade that staff raised does not cover what the file now brings: there the file's weaker one counts."""
    brought = {
        difference.entry: verdict
        for verdict in (Verdict.CONFLICT, Verdict.FROM_FILE)  # what comes in any case decides, so it is last
        for difference in differences
        if difference.act == "change" and difference.verdict is verdict
    }
    return [
        replace(difference, verdict=brought[difference.entry])
        if difference.verdict is Verdict.KEPT
        and difference.path.endswith(".source")
        and difference.entry in brought
        and weakest(difference.database, difference.file) == difference.file
        else difference
        for difference in differences
    ]


def _verdict(file: Any, database: Any, bases: list[Any]) -> Verdict:
    """Who moved since a common base. The exam's own comes first in `bases`, and decides whether the file moved."""
    if file == bases[0]:
        return Verdict.KEPT
    if database in bases:
        return Verdict.FROM_FILE
    return Verdict.CONFLICT


def _order(path: str) -> tuple[int, str]:
    return TABLES.index(table_of(path)), path


def _clashes(reading: Reading, entries: Entries) -> Iterator[Problem]:
    """The first letters of form codes tell the exams apart."""
    code, prefix = entries["exam"]["code"], entries["exam"]["form_prefix"]
    for other in Exam.objects.filter(form_prefix=prefix).exclude(code=code):
        yield reading.problem("exam.form_prefix", f"{prefix} is the prefix of {other.code} already")


def _still_used(reading: Reading, exam: Exam | None, rows: Rows, differences: list[Difference]) -> Iterator[Problem]:
    """Entries that the file has no more, although applications or other entries refer to them."""
    removed = [d for d in differences if d.act == "remove" and d.verdict is not Verdict.KEPT]
    applications = Application.objects.filter(exam=exam)
    gone = [rows[d.path].pk for d in removed if isinstance(rows[d.path], Specialty)]
    specialties = Specialty.objects.filter(exam=exam).exclude(pk__in=gone)
    users: QuerySet[Any]
    for difference in removed:
        match row := rows[difference.path]:
            case Specialty():
                users = applications.filter(specialty=row)
            case Subject():
                users = applications.filter(subjects__contains=[row.code])
            case Point():
                users = applications.filter(point=row)
            case ExamSite():
                users = applications.filter(site=row.site_id)
            case Level():
                users = specialties.filter(level=row)
            case _:
                continue
        if count := users.count():
            reason = f"cannot be removed: used by {users.model._meta.model_name} rows ({count})"
            yield reading.problem(difference.path, reason)
