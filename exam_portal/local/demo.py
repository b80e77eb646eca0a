"""`make demo`: a whole portal on this machine, on its own clock, with people to sign in as."""

import http.client
import json
import os
import shutil
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import wechat
from .install import ROOT, port_is_free, port_taken
from .processes import Child
from .servers import start_servers
from .state import LOCAL, LocalError, Profile, portal_time
from .supervisor import Stopped, Supervisor
from .terminal import say, step, table

ALREADY = "the demo is already running in this folder (Ctrl-C in its terminal ends it)"
ALONE = ("--without-gossip", "--without-mingle", "--without-heartbeat")  # there is no second worker to talk to
NOT_RUNNING = "the demo is not running: make demo"


def demo_profile() -> Profile:
    return Profile(LOCAL / "demo")


@dataclass(kw_only=True)
class Web(Child):
    """gunicorn; ready when the portal says that it is healthy."""

    port: int

    def ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/healthz", headers={"Host": f"localhost:{self.port}"})
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


def run_demo(*, port: int, now: str | None) -> None:
    """Run the demo until a signal ends it.

    Args:
        port: of the web server, on 127.0.0.1
        now: PORTAL_NOW, where the clock of a new demo starts

    Raises:
        LocalError: it cannot start, or cannot go on
    """
    profile = demo_profile()
    with profile.lock() as mine:
        if not mine:
            raise LocalError(ALREADY)
        profile.create()
        supervisor = Supervisor(profile)
        supervisor.listen()
        supervisor.end_leftovers()
        if not port_is_free(port):
            raise LocalError(port_taken(port))
        offset = profile.clock_offset(now)
        try:
            start(supervisor, port=port, offset=offset)
            supervisor.watch()
        except Stopped:
            pass
        finally:
            say("stopping …")
            supervisor.stop()
            profile.remove_sockets()
            (profile.folder / "environment").unlink(missing_ok=True)
        say("stopped; the data is kept for the next `make demo`")


def start(supervisor: Supervisor, *, port: int, offset: float) -> None:
    """Start everything and print where to go.

    Raises:
        LocalError: a part does not come up
        Stopped: a signal came
    """
    profile = supervisor.profile
    for log in profile.logs.glob("*.log"):
        log.unlink()
    wechat_port = free_port(port + 1)
    environment = profile.settings(
        PORTAL_ENV="demo",
        PORTAL_ORIGIN=f"http://localhost:{port}",
        PORTAL_CLOCK_OFFSET=str(offset),
        **wechat.settings_of(wechat_port),
    )
    with step("starting PostgreSQL and Redis"):
        start_servers(supervisor, environment, durable=True)
    profile.write_environment({name: environment[name] for name in environment if exported(name)})

    prepare = [sys.executable, "-m", "exam_portal.local.prepare"]
    if supervisor.run(prepare, environment=environment, folder=ROOT) != 0:
        raise LocalError(f"the demo could not be prepared; details: {profile.logs / 'prepare.log'}")

    common: dict[str, Any] = {"profile": profile.folder, "folder": ROOT, "environment": environment}
    web = Web(name="web", port=port, command=gunicorn(port, profile.sockets()), **common)
    worker = Child(name="worker", command=celery("worker", "--concurrency=2", *ALONE), **common)
    beat = Child(name="beat", command=celery("beat", "--pidfile=", f"--schedule={profile.folder / 'beat'}"), **common)
    sandbox = Child(
        name="wechat", command=wechat.command(wechat_port, portal_port=port, folder=profile.folder), **common
    )
    with step("starting the web server, the worker, beat and a WeChat of our own"):
        for child in (sandbox, web, worker, beat):
            supervisor.start(child)
        supervisor.wait_until_ready(web)
    announce(profile, port=port, offset=offset, wechat_port=wechat_port)


def free_port(wanted: int) -> int:
    """This port, or another that is free."""
    if port_is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def exported(name: str) -> bool:
    """Whether `make manage` needs this variable."""
    return name.startswith("PORTAL_") or name in {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}


def gunicorn(port: int, scratch: Path) -> list[str]:
    """Two processes of four threads, with heartbeat files in `scratch`.

    Without a control socket, because that would lie in the home folder.
    """
    command = [sys.executable, "-m", "gunicorn", "exam_portal.wsgi:application", f"--bind=127.0.0.1:{port}"]
    command += ["--workers=2", "--threads=4", "--preload", "--timeout=60", "--graceful-timeout=5"]
    command += ["--limit-request-line=4094", "--limit-request-fields=64", "--limit-request-field_size=8190"]
    command += ["--access-logfile=-", "--logger-class=exam_portal.kit.web_log.WebLog"]
    return [*command, "--no-control-socket", f"--worker-tmp-dir={scratch}"]


def celery(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "celery", "--app=exam_portal", "--quiet", *arguments, "--loglevel=INFO"]


def announce(profile: Profile, *, port: int, offset: float, wechat_port: int) -> None:
    people = json.loads((profile.folder / "people.json").read_text())
    heading = ["username", "password", "ID number", "who"]
    rows = [[row["username"], row["password"], row["id_number"], row["what"]] for row in people]
    say(f"\nready http://localhost:{port}\n")
    say(table([heading, *rows]))
    say(f"\nWeChat, played by a sandbox: http://localhost:{wechat_port}/sandbox/")
    say(f"The portal's clock: {portal_time(offset):%Y-%m-%d %H:%M}, Beijing time.")
    say(f"Ctrl-C stops everything. Logs: {profile.logs}")


def reset_demo() -> None:
    """Remove all that the demo has kept.

    Raises:
        LocalError: it is running
    """
    profile = demo_profile()
    with profile.lock() as mine:
        if not mine:
            raise LocalError(f"{ALREADY}; stop it first")
        Supervisor(profile).end_leftovers()
        profile.remove_sockets()
        shutil.rmtree(profile.folder)
    say("the demo is empty again")


def manage(arguments: list[str]) -> None:
    """Become `manage.py` with the running demo's settings.

    Raises:
        LocalError: no demo is running
    """
    profile = demo_profile()
    with profile.lock() as mine:
        if mine:
            raise LocalError(NOT_RUNNING)
    environment = os.environ | profile.read_environment()
    os.execve(sys.executable, [sys.executable, str(ROOT / "manage.py"), *arguments], environment)  # noqa: S606
