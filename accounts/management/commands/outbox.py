"""`manage.py outbox show | check | retry | drop | resume`: how it stands, and putting it right (docs/operations.md)."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.actors import SYSTEM
from accounts.services import outbox_desk
from accounts.services.outbox_desk import Choice, Moved, Overview, Trouble
from exam_portal import clock
from exam_portal.kit.errors import Refused

ACTS = {"retry": (outbox_desk.retry, "queued again"), "drop": (outbox_desk.drop, "given up")}


class Command(BaseCommand):
    """Show the outbox or move its deliveries. The service does the work; here is only how it is asked for and told."""

    help = (
        "Show how the messages to candidates stand; send again, give up, lift a pause. Exit code 1 and a line each "
        "where deliveries are overdue, a carrier pauses, or something is refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """`outbox` alone is `outbox show`."""
        ways = parser.add_subparsers(dest="way")
        parser.set_defaults(way="show", json=False)
        show = ways.add_parser("show", help="counts, ages, pauses and what carriers said; changes nothing")
        check = ways.add_parser("check", help="overdue deliveries and pauses alone, cheaply: for monitoring")
        retry = ways.add_parser("retry", help="let deliveries go out again, with all their tries before them")
        drop = ways.add_parser("drop", help="give deliveries up; their messages stay in the inbox")
        for way in (retry, drop):
            way.add_argument("--state", action="append", default=[], help="queued, failed or dead; may be repeated")
            way.add_argument("--carrier", default="", help="wechat, email or sms")
            way.add_argument("--kind", default="", help="kind of message, for example application_submitted")
            way.add_argument("--older-than", default="", help="age of the message: 90m, 6h, 3d")
            way.add_argument(
                "--id", type=int, action="append", default=[], help="number of a delivery; may be repeated"
            )
        resume = ways.add_parser("resume", help="lift the pause of a carrier")
        resume.add_argument("--carrier", default="", help="wechat, email or sms")
        for way in (retry, drop, resume):
            way.add_argument("--reason", default="", help="why; it is kept")
            way.add_argument("--dry-run", action="store_true", help="say what would be done; change nothing")
        for way in (show, check, retry, drop, resume):
            way.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *args: Any, way: str, **options: Any) -> None:
        """Run one of them and end with its exit code."""
        try:
            if way in {"show", "check"}:
                self.show(way, **options)
            elif way == "resume":
                self.resume(**options)
            else:
                self.move(way, **options)
        except ValidationError as error:
            lines = [f"--{name}: {sentence}" for name, some in error.message_dict.items() for sentence in some]
            raise CommandError("\n".join([*lines, "Nothing was changed."])) from None
        except Refused as refused:
            raise CommandError(f"{refused}\nNothing was changed.") from None

    def show(self, way: str, *, json: bool, **_options: Any) -> None:
        """Print how the outbox stands, or only what is wrong with it."""
        at = clock.now()
        found: Trouble = outbox_desk.overview(at=at) if way == "show" else outbox_desk.trouble(at=at)
        wrong = [f"{carrier}: {count} overdue" for carrier, count in found.overdue.items()]
        wrong += [f"{pause['carrier']}: pauses until {pause['until']}: {pause['why']}" for pause in found.pauses]
        if json:
            self.tell(ok=not wrong, **asdict(found))
        else:
            if isinstance(found, Overview):
                self.table(found)
            for line in wrong:
                self.stderr.write(line)
        if wrong:
            raise SystemExit(1)

    def table(self, found: Overview) -> None:
        """Counts, then what was said, as columns."""
        ages = [f"over {name}" for name in outbox_desk.AGES]
        for cells in (
            ["carrier", "state", "count", "oldest", *ages],
            *(
                [row["carrier"], row["state"], row["count"], _age(row["oldest"]), *row["older"].values()]
                for row in found.counts
            ),
        ):
            self.stdout.write("".join(f"{cell!s:<12}" for cell in cells).rstrip())
        for row in found.outcomes:
            self.stdout.write(f"{row['count']} {row['state']} by {row['carrier']}: {row['outcome'] or '(no word)'}")

    def move(self, way: str, *, json: bool, dry_run: bool, reason: str, **given: Any) -> None:
        """Retry or drop, and tell how far it has come where they are many."""
        act, done = ACTS[way]
        choice = Choice(
            states=tuple(given["state"]),
            carrier=given["carrier"],
            kind=given["kind"],
            older_than=given["older_than"],
            ids=tuple(given["id"]),
        )
        moved = Moved(0, 0)
        for moved in act(choice=choice, reason=reason, actor=SYSTEM, at=clock.now(), dry_run=dry_run):
            if moved.chosen > outbox_desk.BATCH and not json:
                self.stderr.write(f"{moved.moved} of {moved.chosen}")
        if json:
            self.tell(ok=True, dry_run=dry_run, **asdict(moved))
        else:
            self.stdout.write(f"{moved.moved} {'would be ' if dry_run else ''}{done}")

    def resume(self, *, carrier: str, reason: str, json: bool, dry_run: bool, **_options: Any) -> None:
        """Lift a pause."""
        with transaction.atomic():
            outbox_desk.resume(carrier=carrier, reason=reason, actor=SYSTEM, at=clock.now())
            transaction.set_rollback(dry_run)
        if json:
            self.tell(ok=True, dry_run=dry_run, carrier=carrier)
        else:
            self.stdout.write(f"{carrier} {'would go' if dry_run else 'goes'} on")

    def tell(self, **outcome: Any) -> None:
        """Print an outcome for programs."""
        self.stdout.write(json.dumps(outcome, ensure_ascii=False))


def _age(seconds: int) -> str:
    """Seconds in the largest unit that they fill."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
