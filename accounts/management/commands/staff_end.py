"""`manage.py staff_end`: end somebody's role."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import queries
from accounts.actors import SYSTEM
from accounts.services import staff
from exam_portal import clock


class Command(BaseCommand):
    help = "End the role that somebody of staff has now, or is to have; all sessions of the account end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--dry-run", action="store_true", help="only say what would end")

    def handle(self, *args: Any, username: str, dry_run: bool, **options: Any) -> None:
        now = clock.now()
        open_ = [
            assignment
            for assignment in queries.staff(at=None, region=None)
            if assignment.user.username == username and (assignment.valid_until is None or assignment.valid_until > now)
        ]
        if not open_:
            raise CommandError(f"{username} has no role that could end")
        for assignment in open_:
            if not dry_run:
                staff.end(actor=SYSTEM, assignment=assignment, at=now)
            done = "would end" if dry_run else "ended"
            self.stdout.write(f"{username}: {assignment.role} {done}")
