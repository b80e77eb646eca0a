"""Keeps a profile's processes running: starts them, starts again what ends, stops them."""

import json
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from .processes import MARK, Child, end, leftovers
from .state import LocalError, Profile, write_private
from .terminal import say

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
RESTARTS = 5
WITHIN = 60.0
PAUSE = 0.1


class Stopped(Exception):
    """Somebody asked us to stop while something was being waited for."""


class Supervisor:
    """The children of one profile.

    A signal only raises a flag; everything that waits looks at it. So no signal can fall between
    the start of a process and its being known.
    """

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.children: list[Child] = []
        self.signalled = False
        self._restarts: dict[str, list[float]] = {}

    # --- Signals ----------------------------------------------------------------------------------
    def listen(self) -> None:
        """From now on, Ctrl-C, a polite kill and a closed terminal end us in order."""
        for number in STOP_SIGNALS:
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup make demo
                signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.signalled = True

    def pause(self) -> None:
        """Raises Stopped: a signal came."""
        if self.signalled:
            raise Stopped
        time.sleep(PAUSE)

    # --- Children ---------------------------------------------------------------------------------
    def end_leftovers(self) -> None:
        """End what an earlier launcher, killed without warning, left running in this profile."""
        if found := leftovers(self.profile.folder):
            say(f"ending {len(found)} processes that an earlier run left behind")
            end(found, patience=10.0)

    def start(self, child: Child) -> None:
        self.children.append(child)
        child.start()
        self._record()

    def wait_until_ready(self, child: Child, *, seconds: float = 60.0) -> None:
        """
        Raises:
            LocalError: it ended, or took longer
            Stopped: a signal came
        """
        deadline = time.monotonic() + seconds
        while not child.ready():
            if how := child.ended():
                raise LocalError(f"{child.name} ended ({how}); the end of {child.log}:\n{child.tail()}")
            if time.monotonic() > deadline:
                raise LocalError(f"{child.name} is not ready after {seconds:.0f} s; see {child.log}\n{child.tail()}")
            self.pause()

    def run(self, command: Sequence[str | Path], *, environment: Mapping[str, str], folder: Path) -> int:
        """Run a command of the start-up to its end; it speaks for itself on our terminal.

        Returns:
            its exit code

        Raises:
            Stopped: a signal came, and the command was ended
        """
        mark = f"step@{self.profile.folder}"
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**environment, MARK: mark},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            while process.poll() is None:
                self.pause()
        except Stopped:
            process.terminate()
            process.wait()
            raise
        return process.returncode

    def watch(self) -> None:
        """Start again whatever ends, until a signal comes.

        Raises:
            LocalError: one ended more than RESTARTS times within WITHIN seconds
        """
        try:
            while True:
                for child in self.children:
                    if how := child.ended():
                        self._restart(child, how)
                self.pause()
        except Stopped:
            return

    def _restart(self, child: Child, how: str) -> None:
        now = time.monotonic()
        recent = [moment for moment in self._restarts.get(child.name, []) if now - moment < WITHIN]
        if len(recent) >= RESTARTS:
            raise LocalError(
                f"{child.name} ended ({how}) for the {RESTARTS + 1}th time within {WITHIN:.0f} s, so the demo ends; "
                f"the end of {child.log}:\n{child.tail()}"
            )
        self._restarts[child.name] = [*recent, now]
        child.clear()
        child.start()
        self._record()
        say(f"{child.name} ended ({how}), started again")

    def stop(self) -> None:
        """Stop all children, the last one first; each has its patience, then it is killed."""
        for child in reversed(self.children):
            child.stop()
        end(leftovers(self.profile.folder), patience=1.0)
        self.children.clear()
        self._record()

    def _record(self) -> None:
        """Who runs under which number, for people and tests."""
        numbers = {child.name: child.process.pid for child in self.children if child.process}
        write_private(self.profile.folder / "processes.json", json.dumps(numbers, indent=2) + "\n")
