"""Settings: what is missing is named all at once; every setting is documented."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from accounts.services import photo_checks
from exam_portal.celery import app
from exam_portal.settings import REQUIRED, _broker_url

ROOT = Path(settings.BASE_DIR)


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    bare = {
        key: value for key, value in os.environ.items() if not key.startswith("PORTAL_") and not key.endswith("_URL")
    }
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={**bare, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


GIVEN = dict.fromkeys(REQUIRED, "x") | {
    "DATABASE_URL": "postgres://u@localhost:1/p",
    "REDIS_URL": "redis://localhost:1/0",
    "PORTAL_ORIGIN": "https://portal.example",
}


def test_production_names_all_missing_settings_at_once() -> None:
    done = start()
    assert done.returncode != 0
    last = done.stderr.strip().splitlines()[-1]
    assert all(name in last for name in REQUIRED)
    done = start(**{name: value for name, value in GIVEN.items() if name not in {"REDIS_URL", "PORTAL_LOOKUP_KEY"}})
    assert "Missing settings for PORTAL_ENV=production: PORTAL_LOOKUP_KEY, REDIS_URL." in done.stderr


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"PORTAL_ENV": "staging"}, "must be demo, test or production"),
        ({"PORTAL_CLOCK_OFFSET": "-1"}, "production runs on real time"),
        ({"PORTAL_ORIGIN": "http://portal.example"}, "https://"),
        ({"DATABASE_URL": "sqlite:///x"}, "PostgreSQL"),
    ],
)
def test_production_refuses_to_start_with_a_wrong_setting(changes: dict[str, str], says: str) -> None:
    done = start(**{**GIVEN, **changes})
    assert done.returncode != 0
    assert says in done.stderr.strip().splitlines()[-1]


def test_production_starts_with_all_of_them() -> None:
    assert start(**GIVEN).returncode == 0


def test_every_setting_is_documented() -> None:
    source = (ROOT / "exam_portal" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', source))
    documented = set(
        re.findall(r"^\| `([A-Z_]+)`", (ROOT / "docs" / "settings.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert read == documented


def test_celery_reaches_redis_by_the_same_address() -> None:
    assert _broker_url("unix:///tmp/a/redis.sock?db=3") == "redis+socket:///tmp/a/redis.sock?virtual_host=3"
    assert _broker_url("rediss://cache:6379/1") == "rediss://cache:6379/1"


def test_no_task_may_hang_for_ever() -> None:
    app.loader.import_default_modules()
    limits = {name: task.soft_time_limit for name, task in app.tasks.items() if ".tasks." in name}
    assert limits["accounts.tasks.deliver_message"] == 600
    assert limits["registration.tasks.remind_before_deadlines"] == 3300  # ended before the next round
    # A worker that has not ended by CHECKED_WITHIN is taken to be dead, and the photo is checked by another.
    assert limits["accounts.tasks.check_photo"] < photo_checks.CHECKED_WITHIN.total_seconds()
    assert limits["accounts.tasks.check_photo_frame"] < photo_checks.CHECKED_WITHIN.total_seconds()
    assert limits["accounts.tasks.verify_ledger"] == max(limits.values()) == 10800
