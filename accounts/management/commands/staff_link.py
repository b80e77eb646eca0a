"""`manage.py staff_link`: let somebody of staff in again who forgot the password, or lost the second step."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import queries
from accounts.actors import SYSTEM
from accounts.services import staff
from exam_portal import clock
from exam_portal.kit.errors import Refused


class Command(BaseCommand):
    help = (
        "Print an address at which somebody of staff sets a new password, once, within three days. "
        "Exit code 1 where they have no role."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument(
            "--reset-two-step", metavar="REASON", help="also let them set up two-step verification anew; say why"
        )
        parser.add_argument("--dry-run", action="store_true", help="do everything and take it back")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, username: str, reset_two_step: str | None, dry_run: bool, **options: Any) -> None:
        now = clock.now()
        user = queries.staff_account(username)
        if user is None:
            raise CommandError(f"Nobody of staff is called {username}.")
        try:
            with transaction.atomic():
                address = settings.PORTAL_ORIGIN + staff.make_link(actor=SYSTEM, user=user, at=now)
                if reset_two_step is not None:
                    staff.reset_two_step(actor=SYSTEM, user=user, reason=reset_two_step, at=now)
                transaction.set_rollback(dry_run)
        except Refused as refused:
            raise CommandError(f"{refused}\nNothing was changed.") from None
        address = "" if dry_run else address
        reset = reset_two_step is not None
        if options["json"]:
            told = {"username": username, "address": address, "two_step_reset": reset}
            self.stdout.write(json.dumps({"ok": True, "dry_run": dry_run, **told}))
            return
        if reset:
            self.stdout.write(f"{username}: two-step verification {'would be' if dry_run else 'is'} reset")
        if address:
            self.stdout.write(f"to set a password, once, within three days: {address}")
        else:
            self.stdout.write(f"{username}: an address would be made")
