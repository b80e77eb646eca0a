"""`manage.py demo_code`: the code that the telephone of somebody of the demo's staff would show."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts import queries
from accounts.services import two_step
from exam_portal.kit.errors import Refused


class Command(BaseCommand):
    help = "Print the present code of somebody of the demo's staff. Only in a demo; elsewhere exit code 1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        if settings.PORTAL_ENV != "demo":
            raise CommandError("Codes are printed in a demo only.")
        user = queries.staff_account(username)
        if user is None:
            raise CommandError(f"Nobody of staff is called {username}.")
        try:
            code = two_step.code_of(user=user)
        except Refused as refused:
            raise CommandError(str(refused)) from None
        if code is None:
            raise CommandError("The codes of this moment have been used. Ask again in half a minute.")
        self.stdout.write(code)
