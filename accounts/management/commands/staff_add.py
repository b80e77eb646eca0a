"""`manage.py staff_add`: give somebody of staff a role at an institution."""

import json
from argparse import ArgumentParser
from datetime import date, datetime
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
from exam_portal.kit.moments import begins, check_day


class Command(BaseCommand):
    help = (
        "Give somebody of staff a role, in an account made now or there already. Prints the address at which a new "
        "person sets a password, once, within three days. Exit code 1 and a line for each mistake where it is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", required=True, help="the person's name")
        parser.add_argument("--role", required=True, help=f"one of {', '.join(roles.ROLES)}")
        parser.add_argument(
            "--institution",
            default="",
            help="code of the site, point or region that the role is of; none for the nation",
        )
        parser.add_argument("--from", dest="valid_from", default="", help="first day, as 2023-12-01; now by default")
        parser.add_argument("--until", dest="valid_until", default="", help="first day on which it no longer holds")
        parser.add_argument("--dry-run", action="store_true", help="do everything and take it back")
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, username: str, name: str, role: str, institution: str, **options: Any) -> None:
        now = clock.now()
        problems: list[str] = []
        valid_from, valid_until = (_day(options[option], problems) for option in ("valid_from", "valid_until"))
        try:
            with transaction.atomic():
                assignment, link = staff.invite(
                    actor=SYSTEM,
                    at=now,
                    username=username,
                    name=name,
                    role=role,
                    code=institution,
                    valid_from=valid_from,
                    valid_until=valid_until,
                )
                transaction.set_rollback(options["dry_run"] or bool(problems))
        except ValidationError as error:
            problems += error.messages
        except Refused as refused:
            problems.append(str(refused))
        if problems:
            raise CommandError("\n".join([*problems, "Nothing was changed."]))
        address = settings.PORTAL_ORIGIN + link if link and not options["dry_run"] else ""
        if options["json"]:
            told = {"username": assignment.user.username, "role": role, "institution": institution, "address": address}
            self.stdout.write(json.dumps({"ok": True, "dry_run": options["dry_run"], **told}))
            return
        done = "would be" if options["dry_run"] else "is"
        self.stdout.write(f"{assignment.user.username} {done} {role} of {institution or 'the nation'}")
        if address:
            self.stdout.write(f"to set a password, once, within three days: {address}")


def _day(text: str, problems: list[str]) -> datetime | None:
    """The first moment of a day in Beijing; None for no day, with a line among the problems where it is wrong."""
    try:
        if not text:
            return None
        day = date.fromisoformat(text)
        check_day(day)
        return begins(day)
    except (ValueError, ValidationError):
        problems.append(f"“{text}” is no day, such as 2023-12-01.")
        return None
