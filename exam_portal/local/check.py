"""`make check`: everything that can be judged without running the portal."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from .install import ROOT
from .state import new_secrets
from .terminal import say

BIN = [sys.executable, "-m"]
MANAGE = [sys.executable, "manage.py"]


@dataclass(frozen=True)
class Check:
    title: str
    command: list[str]
    production: bool = False


CHECKS = (
    Check("format", [*BIN, "ruff", "format", "--check", "."]),
    Check("lint", [*BIN, "ruff", "check", "."]),
    Check("types", [*BIN, "mypy"]),
    Check(
        "import order",
        [
            sys.executable,
            "-c",
            "import sys; from importlinter.cli import lint_imports_command as run; sys.exit(run())",
        ],
    ),
    Check("migrations", [*MANAGE, "makemigrations", "--check", "--dry-run"]),
    Check("templates' format", [*BIN, "djlint", "templates", "--check", "--quiet"]),
    Check("templates", [*BIN, "djlint", "templates", "--lint", "--quiet"]),
    Check("translations", [*MANAGE, "catalogues", "check"]),
    Check("deployment", [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"], production=True),
)


def check() -> int:
    """Run every check, also after one has failed.

    Returns:
        1 when one failed, else 0
    """
    failed = []
    with tempfile.TemporaryDirectory(prefix="portal-check-") as state:
        for each in CHECKS:
            began = time.monotonic()
            done = subprocess.run(
                each.command,
                cwd=ROOT,
                env=made_up_settings(state, production=each.production),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
            word = "failed" if done.returncode else "ok"
            say(f"{each.title:.<24} {word} ({time.monotonic() - began:.1f} s)")
            if done.returncode:
                failed.append(each.title)
                say(done.stdout.rstrip() + "\n")
    if failed:
        say(f"failed: {', '.join(failed)}")
    return 1 if failed else 0


def made_up_settings(state: str, *, production: bool) -> dict[str, str]:
    """Complete settings with secrets of the moment; no check reaches a server."""
    return {
        **os.environ,
        **new_secrets(),
        "DJANGO_SETTINGS_MODULE": "exam_portal.settings",
        "PORTAL_ENV": "production" if production else "test",
        "PORTAL_STATE": state,
        "PORTAL_HOSTS": "portal.example.org",
        "PORTAL_ORIGIN": "https://portal.example.org",
        "DATABASE_URL": "postgres://portal@127.0.0.1:9/portal",
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "PYTHONUTF8": "1",
    }
