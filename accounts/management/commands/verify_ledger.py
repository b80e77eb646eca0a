"""`manage.py verify_ledger`: is the ledger as it was written?"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from accounts.services import ledger
from exam_portal import clock


class Command(BaseCommand):
    help = (
        "Verify the hash chain of every stream; exit code 1 and a line each where something was altered or removed. "
        "The result is kept, and stands at the head of the audit page."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        wrong: list[str] = []

        def tell(line: str) -> None:  # at once, not when all is verified
            wrong.append(line)
            if not options["json"]:
                self.stderr.write(line)

        ledger.verify_and_note(at=clock.now(), tell=tell)
        if options["json"]:
            self.stdout.write(json.dumps({"ok": not wrong, "findings": wrong}))
        elif not wrong:
            self.stdout.write("the ledger is whole")
        if wrong:
            raise SystemExit(1)
