"""`manage.py exam_year plan | apply | export`: a new exam year is a file (docs/exam-years.md)."""

import json
from argparse import ArgumentParser
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from registration.services.exam_year import (
    Applied,
    Difference,
    ExamYearRefused,
    Plan,
    Verdict,
    apply_exam_year,
    export_exam_year,
    plan_exam_year,
)
from registration.services.exam_year.tables import table_of

NOTHING_TO_DO, WRONG, CHANGES, CONFLICTS = 0, 1, 2, 3
TITLES = {
    Verdict.FROM_FILE: "from the file",
    Verdict.KEPT: "kept as changed in the database",
    Verdict.CONFLICT: "in conflict: changed in the file and, differently, in the database",
}
BY_STAFF = {"create": "removed", "remove": "added"}  # what staff did, where taking the file would do the reverse
MANY = 12  # more new or removed entries of one kind than this are told as a number


class Command(BaseCommand):
    """Plan, apply or export an exam year. The services do the work; here is only how it is asked for and told."""

    help = "Plan, apply or export an exam year. Exit codes: 0 done or nothing to do, 1 refused, 2 changes, 3 conflicts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The three ways to call it."""
        ways = parser.add_subparsers(dest="way", required=True)
        plan = ways.add_parser("plan", help="what applying the file would do; changes nothing")
        apply = ways.add_parser("apply", help="bring the database to what the file says")
        for way in (plan, apply):
            way.add_argument("file", type=Path)
            way.add_argument("--json", action="store_true", help="for programs, every difference listed")
        apply.add_argument("--take", choices=["file"], help="where file and database both changed, take the file's")
        apply.add_argument("--dry-run", action="store_true", help="do everything and take it back")
        export = ways.add_parser("export", help="the exam year of the database as a file")
        export.add_argument("exam", help="code of the exam, for example 2024-health")
        export.add_argument("--output", type=Path, help="file to write; otherwise it is printed")

    def handle(self, *, way: str, **options: Any) -> None:
        """Run one of the three and end with its exit code."""
        try:
            getattr(self, way)(**options)
        except ExamYearRefused as refused:
            returncode = CONFLICTS if refused.code == "conflicts" else WRONG
            raise CommandError(f"{refused}\nNothing was changed.", returncode=returncode) from refused

    def plan(self, *, file: Path, json: bool, **_options: Any) -> None:
        """Print the plan; the exit code says what it found."""
        plan = plan_exam_year(path=file)
        self.tell(plan, as_json=json)
        for problem in sorted(plan.refusals):
            self.stderr.write(str(problem))
        if plan.refusals:
            self.end(WRONG)
        if plan.of(Verdict.CONFLICT):
            self.end(CONFLICTS)
        if plan.of(Verdict.FROM_FILE):
            self.end(CHANGES)

    def apply(self, *, file: Path, json: bool, take: Any, dry_run: bool, verbosity: int, **_options: Any) -> None:
        """Apply the file and tell what was done."""
        progress = self.stderr.write if verbosity else (lambda _line: None)
        applied = apply_exam_year(path=file, take=take, dry_run=dry_run, progress=progress)
        self.tell(applied.plan, as_json=json)
        progress(self.outcome(applied, dry_run=dry_run))

    def export(self, *, exam: str, output: Path | None, **_options: Any) -> None:
        """Write the exam year to a file or print it."""
        text = export_exam_year(code=exam)
        if output:
            output.write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")

    def outcome(self, applied: Applied, *, dry_run: bool) -> str:
        """The last line of an apply."""
        if dry_run:
            return "Dry run: nothing was changed."
        done = f"{applied.plan.exam} is applied." if applied.written else "Applied before: nothing to do."
        if applied.example and settings.PORTAL_ENV == "production":
            return f"{done} It does not open while {len(applied.example)} entries are example data."
        return done

    def tell(self, plan: Plan, *, as_json: bool) -> None:
        """Print the plan for people, or whole for programs."""
        if as_json:
            self.stdout.write(json.dumps(_as_data(plan), ensure_ascii=False, indent=1))
            return
        self.stdout.write(f"{plan.file} → {plan.exam}: {plan.unchanged} values unchanged")
        for verdict, title in TITLES.items():
            if differences := plan.of(verdict):
                self.stdout.write(f"{title} ({len(differences)}):")
                for line in _lines(verdict, differences):
                    self.stdout.write(f"  {line}")

    def end(self, returncode: int) -> NoReturn:
        """End with an exit code that is no error."""
        raise SystemExit(returncode)


def _as_data(plan: Plan) -> dict[str, Any]:
    return {
        "file": plan.file,
        "exam": plan.exam,
        "unchanged": plan.unchanged,
        **plan.counts,
        "differences": [{**asdict(difference), "act": difference.act} for difference in plan.differences],
        "refused": [asdict(problem) for problem in plan.refusals],
    }


def _lines(verdict: Verdict, differences: list[Difference]) -> list[str]:
    entire: dict[tuple[str, str], list[str]] = defaultdict(list)
    lines = []
    for difference in differences:
        if difference.entry == difference.path:
            act = BY_STAFF[difference.act] if verdict is Verdict.KEPT else difference.act
            entire[act, table_of(difference.path).plural].append(difference.path)
        else:
            lines.append(f"{difference.path}: {_values(difference)}")
    counted = [
        f"{act} {len(paths)} {plural}" if len(paths) > MANY else f"{act} {', '.join(paths)}"
        for (act, plural), paths in entire.items()
    ]
    return counted + lines


def _values(difference: Difference) -> str:
    base, database, file = map(_brief, (difference.base, difference.database, difference.file))
    match difference.verdict:
        case Verdict.FROM_FILE:
            return f"{database} → {file}"
        case Verdict.KEPT:
            return f"{base} → {database}"
        case Verdict.CONFLICT:
            return f"{base} → {database} in the database, {file} in the file"


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"
