from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from exam_portal.kit import catalogues


class Command(BaseCommand):
    help = (
        "Translation catalogues: bring the .po files up to date, make the .mo files, or check that all is translated."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=["update", "compile", "check"])

    def handle(self, *, act: str, **_options: Any) -> None:
        root = settings.BASE_DIR
        if act == "compile":
            catalogues.compile_all(root)
            return
        if act == "update":
            catalogues.update(root)
        problems = catalogues.problems(root)
        # After an update it is told what is left to translate; only a check fails for it.
        if problems and act == "check":
            raise CommandError("\n".join(problems))
        for problem in problems:
            self.stderr.write(problem)
