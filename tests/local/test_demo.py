"""`make demo`, `demo-reset`, `manage` and `test` as a user has them, in a copy of the checkout."""

import http.client
import json
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from exam_portal.local import demo
from tests.local.conftest import Launcher, living, modes

Eventually = Callable[..., None]


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status
    except OSError:
        return 0  # nobody there
    finally:
        connection.close()


def ready(launcher: Launcher) -> Callable[[], bool]:
    def line_is_there() -> bool:
        assert launcher.process is not None
        assert launcher.process.poll() is None, launcher.said()
        return f"\nready http://localhost:{launcher.port}\n" in launcher.said()

    return line_is_there


def numbers(launcher: Launcher) -> dict[str, int]:
    found: dict[str, int] = json.loads((launcher.state / "processes.json").read_text())
    return found


def test_the_demo_starts_answers_stops_and_goes_on_where_it_was(launcher: Launcher, eventually: Eventually) -> None:
    before = modes(launcher.checkout)
    launcher.start("demo", PORTAL_NOW="2023-12-14T08:00+08:00")
    eventually(ready(launcher), 90)
    assert status(launcher.port, "/healthz") == 200
    assert re.search(r"^username +password +ID number +who$", launcher.said(), re.MULTILINE)
    assert "2023-12-14 08:0" in launcher.said()
    assert set(numbers(launcher)) == {"postgres", "redis", "web", "worker", "beat", "wechat"}
    sockets = Path((launcher.state / "sockets.path").read_text())

    assert launcher.run("demo") == (1, demo.ALREADY + "\n")
    assert launcher.run("reset") == (1, f"{demo.ALREADY}; stop it first\n")
    code, said = launcher.run("manage", "shell", "-v0", "-c", "from exam_portal import clock; print(clock.today())")
    assert (code, said) == (0, "2023-12-14\n")

    assert launcher.stop(signal.SIGINT) == 0
    assert living(launcher.state) == []
    assert not sockets.exists()
    assert modes(launcher.checkout) == before
    assert launcher.run("manage", "check") == (1, demo.NOT_RUNNING + "\n")

    launcher.start("demo")
    eventually(ready(launcher), 60)
    assert "2023-12-14 08:0" in launcher.said()
    assert "collecting static files" not in launcher.said()
    assert launcher.stop(signal.SIGTERM) == 0
    assert launcher.run("reset") == (0, "the demo is empty again\n")
    assert not launcher.state.exists()


def test_a_taken_port_is_told_before_anything_is_started(launcher: Launcher) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", launcher.port))
        other.listen()
        assert launcher.run("demo") == (1, f"port {launcher.port} is taken: PORT={launcher.port + 1} make demo\n")
    assert not (launcher.state / "postgres").exists()


@pytest.mark.parametrize("port", ["http", "0", "70000"])
def test_what_is_no_port_is_refused(launcher: Launcher, port: str) -> None:
    assert launcher.run("demo", PORT=port) == (1, f"PORT={port} is not a port number\n")


def test_a_start_that_cannot_be_prepared_leaves_nothing_running(launcher: Launcher) -> None:
    (launcher.checkout / "registration" / "exam_years" / "2024-health.toml").write_text("[wrong")
    code, said = launcher.run("demo")
    assert code == 1
    assert "the demo could not be prepared" in said
    assert "2024-health.toml" in said
    assert living(launcher.state) == []


@pytest.mark.faults
def test_whatever_is_killed_is_started_again(launcher: Launcher, eventually: Eventually) -> None:
    launcher.start("demo")
    eventually(ready(launcher), 90)
    for name in ("web", "worker", "beat", "redis", "postgres"):
        psutil.Process(numbers(launcher)[name]).kill()
        eventually(lambda name=name: f"{name} ended (SIGKILL), started again" in launcher.said())
        eventually(lambda: status(launcher.port, "/") == 200)
    assert launcher.stop() == 0
    assert living(launcher.state) == []


@pytest.mark.faults
def test_after_a_killed_launcher_the_next_demo_starts_cleanly(launcher: Launcher, eventually: Eventually) -> None:
    launcher.start("demo")
    eventually(ready(launcher), 90)
    lost, sockets = numbers(launcher), (launcher.state / "sockets.path").read_text()
    launcher.stop(signal.SIGKILL)
    assert len(living(launcher.state)) >= 5
    launcher.start("demo")
    eventually(ready(launcher), 60)
    assert "that an earlier run left behind" in launcher.said()
    assert not set(lost.values()) & set(numbers(launcher).values())
    assert not Path(sockets).exists()
    assert launcher.stop() == 0
    assert living(launcher.state) == []


def test_a_test_run_returns_the_commands_exit_code_and_leaves_nothing(launcher: Launcher) -> None:
    local = launcher.checkout / ".local"
    assert launcher.run("test", "--", "sh", "-c", "exit 5") == (5, "")
    assert launcher.run("test", "--", "sh", "-c", "kill -9 $$")[0] == 128 + signal.SIGKILL
    assert launcher.run("test", "--", "no-such-program") == (1, "no such command: no-such-program\n")
    assert [path.name for path in local.iterdir()] == ["tests.lock"]
    assert living(local) == []


def test_two_test_runs_at_once_have_servers_of_their_own(launcher: Launcher, eventually: Eventually) -> None:
    tell = 'for each in "$DATABASE_URL" "$REDIS_URL" "$PORTAL_STATE"; do echo "$each"; done'
    launcher.start("test", "--", "sh", "-c", f"{tell}; echo up; exec sleep 60")
    eventually(lambda: "up\n" in launcher.said())
    code, said = launcher.run("test", "--", "sh", "-c", tell)
    assert code == 0
    assert len(said.splitlines()) == 3
    assert not set(said.splitlines()) & set(launcher.said().splitlines())
    assert launcher.stop(signal.SIGTERM) == 128 + signal.SIGTERM
    assert living(launcher.checkout / ".local") == []


def test_what_a_killed_test_run_left_is_cleared_by_the_next(launcher: Launcher, eventually: Eventually) -> None:
    launcher.start("test", "--", "sh", "-c", "echo up; exec sleep 60")
    eventually(lambda: "up" in launcher.said())
    launcher.stop(signal.SIGKILL)
    assert living(launcher.checkout / ".local") != []
    code, said = launcher.run("test", "--", "true")
    assert code == 0
    assert "left behind" in said
    assert living(launcher.checkout / ".local") == []
    assert [path.name for path in (launcher.checkout / ".local").iterdir()] == ["tests.lock"]


@pytest.mark.parametrize("arguments", [[], ["test"], ["test", "--"], ["dance"]])
def test_who_asks_for_something_else_is_told_what_there_is(launcher: Launcher, arguments: list[str]) -> None:
    code, said = launcher.run(*arguments)
    assert code == 1
    assert said.startswith("usage: python -m exam_portal.local demo | reset")
