"""Children: started again, ended with all they started, never taken for somebody else's."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from exam_portal.local import supervisor as module
from exam_portal.local.processes import MARK, Child, leftovers
from exam_portal.local.state import LocalError, Profile
from exam_portal.local.supervisor import Stopped, Supervisor
from tests.local.conftest import living

SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
PARENT = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', '{SLEEP}']); time.sleep(60)"

Eventually = Callable[..., None]


def fake(profile: Profile, name: str, script: str = SLEEP, **options: object) -> Child:
    return Child(
        name=name,
        profile=profile.folder,
        folder=profile.folder,
        command=[sys.executable, "-c", script],
        environment={},
        **options,  # type: ignore[arg-type]
    )


def pid(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


def watch_until(supervisor: Supervisor, condition: Callable[[], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run `watch` until the condition holds, as if a signal came then."""
    deadline = time.monotonic() + 20

    def pause() -> None:
        assert time.monotonic() < deadline, "it did not come about"
        if condition():
            raise Stopped
        time.sleep(0.02)

    monkeypatch.setattr(supervisor, "pause", pause)
    supervisor.watch()


def test_a_killed_child_is_started_again_and_it_is_said(
    supervisor: Supervisor, profile: Profile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    worker, beat = fake(profile, "worker"), fake(profile, "beat")
    supervisor.start(worker)
    supervisor.start(beat)
    first, other = pid(worker), pid(beat)
    psutil.Process(first).kill()
    watch_until(supervisor, lambda: pid(worker) != first, monkeypatch)
    assert capsys.readouterr().out == "worker ended (SIGKILL), started again\n"
    assert psutil.Process(pid(worker)).is_running()
    assert pid(beat) == other


def test_what_a_killed_child_had_started_goes_before_it_comes_again(
    supervisor: Supervisor, profile: Profile, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    worker = fake(profile, "worker", PARENT)
    supervisor.start(worker)
    first = psutil.Process(pid(worker))
    eventually(first.children)
    orphan = first.children()[0]
    first.kill()
    watch_until(supervisor, lambda: pid(worker) != first.pid, monkeypatch)
    assert not orphan.is_running()


def test_a_child_that_keeps_ending_ends_the_demo_after_five_restarts(
    supervisor: Supervisor, profile: Profile, capsys: pytest.CaptureFixture[str]
) -> None:
    supervisor.start(fake(profile, "worker", "print('no luck'); raise SystemExit(3)"))
    with pytest.raises(LocalError, match=r"worker ended \(exit 3\) for the 6th time within 60 s(.|\n)*no luck"):
        supervisor.watch()
    assert capsys.readouterr().out == "worker ended (exit 3), started again\n" * 5


def test_restarts_that_lie_further_apart_go_on(
    supervisor: Supervisor, profile: Profile, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "WITHIN", 0.0)
    supervisor.start(fake(profile, "worker", "raise SystemExit(3)"))
    said = ""

    def eight_times() -> bool:
        nonlocal said
        said += capsys.readouterr().out
        return said.count("started again") >= 8

    watch_until(supervisor, eight_times, monkeypatch)


def test_all_are_stopped_the_last_one_first(
    supervisor: Supervisor, profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = []
    stop = Child.stop
    monkeypatch.setattr(Child, "stop", lambda child: order.append(child.name) or stop(child))
    for name in ("postgres", "redis", "web"):
        supervisor.start(fake(profile, name))
    assert sorted(living(profile.folder)) != []
    supervisor.stop()
    assert order == ["web", "redis", "postgres"]
    assert living(profile.folder) == []


def test_who_does_not_end_when_asked_is_killed(
    supervisor: Supervisor, profile: Profile, eventually: Eventually
) -> None:
    worker = fake(profile, "worker", STUBBORN, patience=0.2)
    supervisor.start(worker)
    eventually(lambda: "up" in worker.tail())
    began = time.monotonic()
    supervisor.stop()
    assert worker.ended() == "SIGKILL"
    assert time.monotonic() - began < 10


def test_a_signal_while_waiting_stops_the_start(supervisor: Supervisor, profile: Profile) -> None:
    before = {number: signal.getsignal(number) for number in module.STOP_SIGNALS}
    try:
        supervisor.listen()
        never = fake(profile, "web")
        never.ready = lambda: False  # type: ignore[method-assign]
        supervisor.start(never)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Stopped):
            supervisor.wait_until_ready(never)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_start_that_fails_shows_the_end_of_the_log(supervisor: Supervisor, profile: Profile) -> None:
    web = fake(profile, "web", "print('address in use'); raise SystemExit(1)")
    web.ready = lambda: False  # type: ignore[method-assign]
    supervisor.start(web)
    with pytest.raises(LocalError, match=r"web ended \(exit 1\)(.|\n)*address in use"):
        supervisor.wait_until_ready(web)


def test_leftovers_of_a_killed_launcher_are_ended_and_nothing_else(
    supervisor: Supervisor, profile: Profile, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def bystander(**environment: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", SLEEP], cwd=profile.folder, env=environment)

    lost = bystander(**{MARK: f"worker@{profile.folder}"})
    other_profile = bystander(**{MARK: f"worker@{folder / 'other'}"})
    longer_name = bystander(**{MARK: f"worker@{profile.folder}-2"})
    unmarked = bystander()  # somebody's shell that happens to stand in the folder
    try:
        supervisor.end_leftovers()
        assert lost.wait(timeout=5) is not None
        assert [other.poll() for other in (other_profile, longer_name, unmarked)] == [None, None, None]
        assert capsys.readouterr().out == "ending 1 processes that an earlier run left behind\n"
        assert leftovers(profile.folder) == []
    finally:
        for process in (lost, other_profile, longer_name, unmarked):
            process.kill()
            process.wait()
