"""Bring the demo's database and files up to date.

A child of the launcher, because it needs Django with the demo's settings.

All steps in one process: loading Django takes longer than most of them. Each is quick when there is
nothing to do.
"""

import contextlib
import hashlib
import io
import json
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from .state import write_private
from .terminal import say, step


def prepare(log: TextIO) -> None:
    """Migrate, apply the exam years, make the demo people, verify the ledger, collect the static files.

    What the commands print goes to `log`.
    """
    state = Path(settings.PORTAL_STATE)
    with step("bringing the database up to date"):
        call_command("migrate", interactive=False, stdout=log, stderr=log)
    for file in sorted((settings.BASE_DIR / "registration" / "exam_years").glob("*.toml")):
        with step(f"applying {file.name}"):
            call_command("exam_year", "apply", str(file), stdout=log, stderr=log)
    with step("making the demo people"):
        people = io.StringIO()
        call_command("demo_people", json=True, stdout=people, stderr=log)
        json.loads(people.getvalue())
        write_private(state / "people.json", people.getvalue())
    # What is wrong stands in the log and on the auditor's home page, and keeps no demo from starting.
    with step("verifying the ledger"), contextlib.suppress(SystemExit):
        call_command("verify_ledger", stdout=log, stderr=log)
    collected = state / "static.sha256"
    wanted = static_digest()
    if not collected.exists() or collected.read_text() != wanted:
        with step("collecting static files"):
            call_command("collectstatic", interactive=False, clear=True, verbosity=0, stdout=log, stderr=log)
            collected.write_text(wanted)


def static_digest() -> str:
    """Changes whenever a static file does, or how they are stored; from names, sizes and times."""
    total = hashlib.sha256(repr((settings.STORAGES["staticfiles"], str(settings.STATIC_ROOT))).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            file = Path(storage.path(name)).stat()
            total.update(f"{name}\0{file.st_size}\0{file.st_mtime_ns}\n".encode())
    return total.hexdigest()


@contextlib.contextmanager
def logged() -> Iterator[TextIO]:
    """The log of this run; what goes wrong is told in one line, with the details in the log."""
    with (Path(settings.PORTAL_STATE) / "log" / "prepare.log").open("w", encoding="utf-8") as log:
        try:
            yield log
        except Exception as error:
            traceback.print_exc(file=log)
            say(f"{type(error).__name__}: {error}")
            sys.exit(1)


if __name__ == "__main__":
    django.setup()
    with logged() as output:
        prepare(output)
