"""`manage.py rotate_keys`: bring encrypted columns and look-up digests to the present keys."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.services import keys
from exam_portal.kit.rotation import Progress

MOST_ROWS = 100_000  # in one transaction


class Command(BaseCommand):
    help = (
        "Encrypt anew with the first encryption key, and bring look-up digests to the look-up keys of the settings. "
        "May be interrupted and run again. Exit code 1 and a line each where a row could not be brought there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count what is left to do; change nothing")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON, and no progress")
        parser.add_argument("--batch", type=int, default=500, help="rows in one transaction (500)")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["batch"] <= MOST_ROWS:
            raise CommandError(f"--batch is a number of rows, from 1 to {MOST_ROWS}")
        outcome: dict[str, Progress] = {}
        for progress in keys.rotate(batch=options["batch"], dry_run=options["dry_run"]):
            outcome[progress.what] = progress
            if not options["json"]:
                done = "to change" if options["dry_run"] else "changed"
                self.stdout.write(f"{progress.what}: {progress.checked} of {progress.total}, {progress.changed} {done}")
        problems = [problem for progress in outcome.values() for problem in progress.problems]
        if options["json"]:
            columns = [asdict(progress) for progress in outcome.values()]
            self.stdout.write(json.dumps({"ok": not problems, "dry_run": options["dry_run"], "rotated": columns}))
        else:
            for problem in problems:
                self.stderr.write(problem)
        if problems:
            raise SystemExit(1)
