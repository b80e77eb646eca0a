"""Child processes: started, stopped, and found again when whoever started them was killed.

Every child carries a mark in its environment, which its own children inherit. So what belongs to a
profile can be found at any time, whatever was killed in between, and nothing else can be taken for
it: no list of process numbers that may since have gone to somebody else. PostgreSQL and Redis
overwrite their environment with their title; they are known by the folder that they work in.
"""

import contextlib
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

MARK = "PORTAL_LOCAL_CHILD"
SERVERS = ("postgres", "redis-server")


@dataclass(kw_only=True)
class Child:
    """One long-running process in a session of its own, so that Ctrl-C in the terminal reaches only
    the launcher.

    Attributes:
        profile: the profile's folder
        stop_signal: how it is asked to end
        patience: seconds from asking to killing
        user: the account to run as; None: ours
    """

    name: str
    profile: Path
    folder: Path
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 10.0
    user: str | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        return self.profile / "log" / f"{self.name}.log"

    @property
    def mark(self) -> str:
        return f"{self.name}@{self.profile}"

    def prepare(self) -> None:
        """What must be so before each start."""

    def ready(self) -> bool:
        """Whether it serves."""
        return True

    def start(self) -> None:
        self.prepare()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env={**self.environment, MARK: self.mark},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=self.user,
                extra_groups=[] if self.user else None,
            )

    def ended(self) -> str | None:
        """How it ended ("SIGKILL", "exit 1"), None while it runs."""
        code = self.process.poll() if self.process else 0
        if code is None:
            return None
        return signal.Signals(-code).name if code < 0 else f"exit {code}"

    def stop(self) -> None:
        """Ask, wait, kill; then whatever it has left behind."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(timeout=self.patience)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.clear()

    def clear(self) -> None:
        """End what is left of an earlier start."""
        end(list(self.processes()), patience=5.0)
        if self.process is not None:
            self.process.wait()

    def processes(self) -> Iterator[psutil.Process]:
        """It and its descendants, also those whose parent is gone."""
        for process in psutil.process_iter():
            if mark_of(process) == self.mark or works_in(process) == self.folder:
                yield process

    def tail(self, lines: int = 15) -> str:
        with contextlib.suppress(OSError):
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        return ""


def mark_of(process: psutil.Process) -> str:
    """The mark in its environment, empty when it has none or may not be asked."""
    with contextlib.suppress(psutil.Error, OSError):
        return str(process.environ().get(MARK, ""))
    return ""


def works_in(process: psutil.Process) -> Path | None:
    """The data folder of a PostgreSQL or Redis process, None for every other process."""
    with contextlib.suppress(psutil.Error, OSError):
        if process.name() in SERVERS:
            return Path(process.cwd())
    return None


def leftovers(profile: Path) -> list[psutil.Process]:
    """Every living process of the profile in this folder, whoever started it."""
    found = []
    for process in psutil.process_iter():
        folder = works_in(process)
        if mark_of(process).endswith(f"@{profile}") or (folder and folder.is_relative_to(profile)):
            found.append(process)
    return found


def end(processes: list[psutil.Process], *, patience: float) -> None:
    """Ask each to end, kill it after `patience` seconds; return when all are gone."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(signal.SIGINT if process.name() == "postgres" else signal.SIGTERM)
    _, stubborn = psutil.wait_procs(processes, timeout=patience)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=5.0)
