"""`manage.py demo_people`: make the people of the demo."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from exam_portal.portal.demo_people import as_rows, make_people


class Command(BaseCommand):
    help = "Make the people of the demo, those that do not exist yet. Refused in production."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the accounts as JSON")
        parser.add_argument("--quiet", action="store_true", help="print nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PORTAL_ENV == "production":
            raise CommandError("Demo people are for the demo; this is production.")
        with transaction.atomic():
            rows = as_rows(make_people())
        if options["json"]:
            self.stdout.write(json.dumps(rows, ensure_ascii=False))
        elif not options["quiet"]:
            for row in rows:
                self.stdout.write("  ".join(row.values()))
