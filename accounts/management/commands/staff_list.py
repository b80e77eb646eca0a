"""`manage.py staff_list`: who works here."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from accounts import queries
from exam_portal import clock


class Command(BaseCommand):
    help = "List staff with role, institution and validity; those whose role holds now, or all. Exit code 0, always."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--all", action="store_true", help="also those whose role has ended or not begun")
        parser.add_argument("--region", help="only of this region and its points and sites, by its code")
        parser.add_argument("--json", action="store_true", help="print the list as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [
            {
                "username": assignment.user.username,
                "name": assignment.name,
                "role": assignment.role,
                "institution": assignment.site_id or assignment.point_id or assignment.region_id or "",
                "from": f"{assignment.valid_from.astimezone(clock.BEIJING):%Y-%m-%d %H:%M}",
                "until": f"{assignment.valid_until.astimezone(clock.BEIJING):%Y-%m-%d %H:%M}"
                if assignment.valid_until
                else "",
            }
            for assignment in queries.staff(at=None if options["all"] else clock.now(), region=options["region"])
        ]
        if options["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False))
            return
        for row in rows:
            self.stdout.write("\t".join(row.values()))
        if not rows:
            self.stderr.write("nobody")
