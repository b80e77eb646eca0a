"""`make test`: a command with servers of its own, gone when it ends."""

import contextlib
import fcntl
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from types import FrameType

from .install import ROOT
from .processes import MARK
from .servers import start_servers
from .state import LOCAL, LocalError, Profile
from .supervisor import Stopped, Supervisor


@contextlib.contextmanager
def test_profile() -> Iterator[Profile]:
    """A new profile, locked; removed at the end. Those of killed runs are cleared away first."""
    LOCAL.mkdir(exist_ok=True)
    with contextlib.ExitStack() as held:
        with (LOCAL / "tests.lock").open("w") as turn:
            # Between making a folder and locking it, nobody may take it for abandoned.
            fcntl.flock(turn, fcntl.LOCK_EX)
            for folder in LOCAL.glob("test-*"):
                remove_abandoned(Profile(folder))
            profile = Profile(LOCAL / f"test-{secrets.token_hex(4)}")
            held.enter_context(profile.lock())
        profile.create()
        try:
            yield profile
        finally:
            profile.remove_sockets()
            shutil.rmtree(profile.folder, ignore_errors=True)


def remove_abandoned(profile: Profile) -> None:
    with profile.lock() as mine:
        if mine:
            Supervisor(profile).end_leftovers()
            profile.remove_sockets()
            shutil.rmtree(profile.folder, ignore_errors=True)


def run_with_servers(command: list[str]) -> int:
    """Run `command` in the checkout with test settings and servers of its own.

    Returns:
        its exit code; 128 + the signal when one ended us before it began

    Raises:
        LocalError: the servers do not come up
    """
    with test_profile() as profile:
        supervisor = Supervisor(profile)
        supervisor.listen()
        try:
            environment = test_settings(profile)
            start_servers(supervisor, environment, durable=False)
            mark = {MARK: f"tests@{profile.folder}"}
            return run_in_foreground(command, environment | mark)
        except Stopped:
            return 128 + signal.SIGINT
        finally:
            supervisor.stop()


def test_settings(profile: Profile) -> dict[str, str]:
    """The environment for the tests, servers not yet named."""
    scratch = profile.folder / "tmp"
    scratch.mkdir()
    return profile.settings(
        PORTAL_ENV="test",
        PORTAL_ORIGIN="http://localhost:8000",
        PORTAL_HOSTS="localhost,127.0.0.1,testserver",
        PORTAL_CLOCK_OFFSET="0",
        PYTEST_DEBUG_TEMPROOT=str(scratch),
    )


def run_in_foreground(command: list[str], environment: dict[str, str]) -> int:
    """Run `command` in our own process group, so that a terminal's Ctrl-C and the debugger reach
    it.

    Raises:
        LocalError: no such command
    """
    try:
        process = subprocess.Popen(command, cwd=ROOT, env=environment)
    except (FileNotFoundError, PermissionError):
        raise LocalError(f"no such command: {command[0]}") from None

    def forward(number: int, _frame: FrameType | None) -> None:
        process.send_signal(signal.SIGTERM if number == signal.SIGHUP else number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, forward)
    # From a terminal, Ctrl-C has reached the whole group already.
    signal.signal(signal.SIGINT, (lambda *_: None) if sys.stdin.isatty() else forward)
    code = process.wait()
    return 128 - code if code < 0 else code
