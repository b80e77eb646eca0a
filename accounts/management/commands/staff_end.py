"""`manage.py staff_end`: end somebody's role."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import queries
from accounts.actors import SYSTEM
from accounts.services import staff
from exam_portal import clock


class Command(BaseCommand):
    help = (
        "End the role that somebody of staff has now, or is to have; all sessions of the account end. "
        "Exit code 1 where there is none."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--dry-run", action="store_true", help="do everything and take it back")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, username: str, dry_run: bool, **options: Any) -> None:
        now = clock.now()
        user = queries.staff_account(username)
        held = list(queries.roles_of(user, at=now)) if user else []
        if not held:
            raise CommandError(f"{username} has no role that could end.")
        with transaction.atomic():
            for assignment in held:
                staff.end(actor=SYSTEM, assignment=assignment, at=now)
            transaction.set_rollback(dry_run)
        ended = [assignment.role for assignment in held]
        if options["json"]:
            self.stdout.write(json.dumps({"ok": True, "dry_run": dry_run, "username": username, "ended": ended}))
            return
        for role in ended:
            self.stdout.write(f"{username}: {role} {'would end' if dry_run else 'ended'}")
