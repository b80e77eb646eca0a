"""`manage.py check_photos --exam CODE`: check photos again after an exam's rules changed (docs/photos.md)."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from exam_portal.kit.errors import Refused
from registration.services.photo_rechecks import Progress, recheck

WRONG, CHANGES = 1, 2


class Command(BaseCommand):
    """Check photos again. The service does the work; here is only how it is asked for and told."""

    help = (
        "Check the photos of those who apply for an exam by its present rules. Exit codes: 0 done, 1 refused or a "
        "photo that could not be checked (a line each), 2 with --dry-run: some would change. May be interrupted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--exam", required=True, help="code of the exam, for example 2024-health")
        parser.add_argument("--rerun", action="store_true", help="also those that were checked by these rules before")
        parser.add_argument("--dry-run", action="store_true", help="say what would change; change nothing")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON, and no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run, as_json = options["dry_run"], options["json"]
        try:
            progress = self.run(exam=options["exam"], rerun=options["rerun"], dry_run=dry_run, silent=as_json)
        except Refused as refused:
            raise CommandError(f"{refused}\nNothing was changed.", returncode=WRONG) from None
        if as_json:
            outcome = {"ok": not progress.problems, "dry_run": dry_run, **asdict(progress)}
            self.stdout.write(json.dumps(outcome, ensure_ascii=False))
        else:
            self.tell(progress, dry_run=dry_run)
        if progress.problems:
            raise SystemExit(WRONG)
        if dry_run and progress.changes:
            raise SystemExit(CHANGES)

    def run(self, *, exam: str, rerun: bool, dry_run: bool, silent: bool) -> Progress:
        """Carry it out, with a bar that tells how far it has come."""
        steps = recheck(exam=exam, rerun=rerun, dry_run=dry_run)
        progress = next(steps)
        with tqdm(total=progress.total, unit="photo", file=sys.stderr, disable=silent) as bar:
            for _step in steps:
                bar.update()
        return progress

    def tell(self, progress: Progress, *, dry_run: bool) -> None:
        """A line for each photo that is another than before, and one for each that could not be checked."""
        for change in progress.changes:
            items = ", ".join(f"{key} {before or '–'} → {now or '–'}" for key, (before, now) in change.items.items())
            state = f"{change.before} → {change.now}" if change.now != change.before else change.now
            self.stdout.write(f"photo {change.photo} of candidate {change.candidate}: {state}; {items}")
        for problem in progress.problems:
            self.stderr.write(problem)
        changed = f"{len(progress.changes)} {'would change' if dry_run else 'changed'}"
        self.stdout.write(f"{progress.checked} checked by the rules {progress.rules}, {changed}")
