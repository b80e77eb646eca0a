"""A profile folder in .local/: everything that one demo or one test run keeps.

```
.local/demo/  lock secrets.env clock-offset environment processes.json people.json sockets.path
              postgres/ redis/ log/ and what the portal itself keeps (PORTAL_STATE)
```
"""

import base64
import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from .install import ROOT

LOCAL = ROOT / ".local"
BEIJING = ZoneInfo("Asia/Shanghai")
DEMO_NOW = "2023-12-05T09:00+08:00"
"""Where the demo's clock starts: inside the 2024 exam's pre-registration (R01)."""


class LocalError(Exception):
    """Ends the launcher; the text, one line where possible, is all the user reads."""


class Profile:
    """The folder of one demo or test run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.logs = self.folder / "log"

    def create(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)

    @contextlib.contextmanager
    def lock(self) -> Iterator[bool]:
        """Hold the profile, or yield False at once where another process holds it.

        The kernel frees the lock however the holder ends, so there is nothing stale to clean.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    # --- Sockets ----------------------------------------------------------------------------------
    def make_sockets(self) -> Path:
        """A new 0700 folder for Unix sockets; one that an earlier run could not remove goes first.

        It lies outside the profile, since a socket's path may have some 100 bytes only. Its name is
        lower-case, because it stands as host in DATABASE_URL, where readers fold the case.
        """
        self.remove_sockets()
        folder = Path(tempfile.mkdtemp(prefix="portal-", dir="/tmp"))  # TMPDIR may be long, or in capitals
        (self.folder / "sockets.path").write_text(str(folder))
        return folder

    def sockets(self) -> Path:
        """The folder that `make_sockets` made."""
        return Path((self.folder / "sockets.path").read_text())

    def remove_sockets(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            folder = self.sockets()
            if folder.name.startswith("portal-"):
                shutil.rmtree(folder, ignore_errors=True)
            (self.folder / "sockets.path").unlink()

    # --- Environment ------------------------------------------------------------------------------
    def secrets(self) -> dict[str, str]:
        """The profile's secret settings, made at the first call."""
        file = self.folder / "secrets.env"
        if not file.exists():
            write_private(file, render_environment(new_secrets()))
        return parse_environment(file.read_text())

    def write_environment(self, values: Mapping[str, str]) -> None:
        """Leave the settings for `make manage`, readable by the owner alone."""
        write_private(self.folder / "environment", render_environment(values))

    def read_environment(self) -> dict[str, str]:
        """Raises LocalError: nothing was left here."""
        try:
            return parse_environment((self.folder / "environment").read_text())
        except FileNotFoundError:
            raise LocalError("the demo is not running: make demo") from None

    def settings(self, **given: str) -> dict[str, str]:
        """The environment of this profile's processes: the caller's, ours, `given` on top."""
        ours = self.secrets() | {
            "DJANGO_SETTINGS_MODULE": "exam_portal.settings",
            "PORTAL_STATE": str(self.folder),
            "PORTAL_HOSTS": "localhost,127.0.0.1",
            "PYTHONUTF8": "1",  # Chinese in logs, also where the machine's locale knows none
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **ours, **given}

    # --- Time -------------------------------------------------------------------------------------
    def clock_offset(self, wanted: str | None) -> float:
        """Seconds from real time to the portal's, fixed at the first start: later starts go on from
        there.

        Args:
            wanted: PORTAL_NOW, an ISO time (Beijing where it names no offset); None: what is kept, else the default

        Raises:
            LocalError: not a time, or another one than the clock was started with
        """
        file = self.folder / "clock-offset"
        if file.exists():
            offset, started_with = file.read_text().split()
            if wanted and parse_now(wanted) != parse_now(started_with):
                raise LocalError(
                    f"this demo's clock was started at {started_with} and goes on; to start it at {wanted}: "
                    "make demo-reset, then make demo"
                )
            return float(offset)
        start = parse_now(wanted or DEMO_NOW)
        difference = (start - datetime.now(UTC)).total_seconds()
        file.write_text(f"{difference} {start.isoformat()}\n")
        return difference


def portal_time(offset: float) -> datetime:
    """The portal's time, in Beijing, `offset` seconds from real time."""
    return datetime.now(BEIJING) + timedelta(seconds=offset)


def parse_now(text: str) -> datetime:
    """Raises LocalError: `text` is not an ISO 8601 time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise LocalError(f"PORTAL_NOW={text} is not a time; write it like {DEMO_NOW}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=BEIJING)


def new_secrets() -> dict[str, str]:
    """Fresh keys, each in the form that settings expects."""

    def key() -> str:
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()

    return {
        "PORTAL_SECRET_KEY": secrets.token_urlsafe(48),
        "PORTAL_ENCRYPTION_KEYS": key(),
        "PORTAL_LOOKUP_KEY": key(),
        "PORTAL_SIGNING_KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
    }


def write_private(file: Path, text: str) -> None:
    """Write `file`, at no moment readable by others."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)  # 0600
    with os.fdopen(descriptor, "w") as output:
        output.write(text)
    Path(draft).replace(file)


def render_environment(values: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in values.items())


def parse_environment(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if line)
