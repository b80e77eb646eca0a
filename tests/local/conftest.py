"""What the launcher's tests share. None needs the database that the other tests run on."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from exam_portal.local.install import ROOT
from exam_portal.local.processes import MARK
from exam_portal.local.state import Profile
from exam_portal.local.supervisor import Supervisor

LEFT_OUT = shutil.ignore_patterns(".*", "node_modules", "tests", "__pycache__", "*.mo")


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a fresh machine: nothing of what these tests themselves are run with."""
    for name in list(os.environ):
        if name.startswith("PORTAL_") or name in {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PORT"}:
            monkeypatch.delenv(name)
    monkeypatch.delenv("PYTEST_DEBUG_TEMPROOT", raising=False)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a space and Chinese characters in its path, which its parents let nobody else into."""
    with tempfile.TemporaryDirectory(prefix="portal tests ") as outer:
        inner = Path(outer, "报名 门户").resolve()
        inner.mkdir(mode=0o700)
        yield inner


@pytest.fixture
def profile(folder: Path) -> Profile:
    made = Profile(folder / "demo")
    made.create()
    return made


@pytest.fixture
def supervisor(profile: Profile) -> Iterator[Supervisor]:
    made = Supervisor(profile)
    yield made
    made.stop()
    profile.remove_sockets()


@pytest.fixture
def eventually() -> Callable[..., None]:
    """`eventually(condition)`: wait until it holds, at most `seconds`."""

    def wait(condition: Callable[[], object], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come about"
            time.sleep(0.05)

    return wait


class Launcher:
    """`python -m exam_portal.local …` in a copy of the checkout, as a user would have it in a terminal."""

    def __init__(self, checkout: Path, port: int) -> None:
        self.checkout = checkout
        self.port = port
        self.state = checkout / ".local" / "demo"
        self.output = checkout / "output.txt"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str, **environment: str) -> None:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "exam_portal.local", *arguments],
                cwd=self.checkout,
                env={**os.environ, "PORT": str(self.port), **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run it to its end beside whatever runs already: exit code and all that it said."""
        done = subprocess.run(
            [sys.executable, "-m", "exam_portal.local", *arguments],
            cwd=self.checkout,
            env={**os.environ, "PORT": str(self.port), **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=90,
            check=False,
        )
        return done.returncode, done.stdout

    def said(self) -> str:
        return self.output.read_text()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


@pytest.fixture
def launcher(folder: Path, free_port: int) -> Iterator[Launcher]:
    checkout = folder / "checkout"
    shutil.copytree(ROOT, checkout, ignore=LEFT_OUT)
    (checkout / "node_modules").symlink_to(ROOT / "node_modules")
    made = Launcher(checkout, free_port)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.stop()
    for profile in (checkout / ".local").glob("*/"):
        Supervisor(Profile(profile)).end_leftovers()
        Profile(profile).remove_sockets()


@pytest.fixture
def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def living(profile: Path) -> list[str]:
    """Names of the processes that still belong to a profile, found without the launcher's own code."""
    found = []
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(MARK, "")
            if str(profile) in mark or str(profile) in process.cwd() or str(profile) in " ".join(process.cmdline()):
                found.append(process.name())
        except psutil.Error:
            continue
    return found


def modes(folder: Path) -> dict[str, int]:
    """Owner and mode bits of a folder and all its parents."""
    return {str(path): path.stat().st_mode * 2**32 + path.stat().st_uid for path in (folder, *folder.parents)}
