"""`manage.py staff_add`: give somebody of staff a role at an institution."""

import json
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime, time
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts import roles
from accounts.actors import SYSTEM
from accounts.services import staff
from exam_portal import clock
from exam_portal.kit.errors import Refused


def day(text: str) -> datetime:
    """The first moment of a day in Beijing, from 2023-12-01."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), tzinfo=clock.BEIJING)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day, such as 2023-12-01") from None


class Command(BaseCommand):
    help = (
        "Give somebody of staff a role, in an account made now or there already. Prints the address at which a new "
        "person sets a password, once, within three days. Exit code 1 and one line where it is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="the person's name")
        parser.add_argument("--role", required=True, choices=list(roles.ROLES))
        parser.add_argument(
            "--institution",
            default="",
            help="code of the site, point or region that the role is of; none for the nation",
        )
        parser.add_argument("--from", dest="valid_from", type=day, help="first day; today by default")
        parser.add_argument("--until", dest="valid_until", type=day, help="first day on which it no longer holds")
        parser.add_argument("--dry-run", action="store_true", help="do everything and take it back")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, username: str, name: str, role: str, institution: str, **options: Any) -> None:
        try:
            with transaction.atomic():
                assignment = staff.add(
                    actor=SYSTEM,
                    username=username,
                    name=name,
                    role=role,
                    code=institution,
                    valid_from=options["valid_from"] or clock.now(),
                    valid_until=options["valid_until"],
                )
                new = not assignment.user.has_usable_password()
                transaction.set_rollback(options["dry_run"])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        except Refused as refused:
            raise CommandError(str(refused)) from None
        address = settings.PORTAL_ORIGIN + staff.welcome_path(assignment.user) if new and not options["dry_run"] else ""
        if options["json"]:
            told = {"username": assignment.user.username, "role": role, "institution": institution, "address": address}
            self.stdout.write(json.dumps({"ok": True, "dry_run": options["dry_run"], **told}))
            return
        done = "would be" if options["dry_run"] else "is"
        self.stdout.write(f"{assignment.user.username} {done} {role} of {institution or 'the nation'}")
        if address:
            self.stdout.write(f"to set a password, once, within three days: {address}")
