"""The portal's own processes for a test: gunicorn as the demo starts it, a Celery worker, on the test's database."""

import contextlib
import http.client
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.conf import settings
from django.db import connection

from exam_portal import clock
from exam_portal.local.demo import gunicorn


def environment(**given: str) -> dict[str, str]:
    """The environment of a process that works with this test's database and goes by its clock."""
    database = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{connection.settings_dict['NAME']}"
    offset = f"{clock.now().timestamp() - time.time():.6f}"
    return {**os.environ, "DATABASE_URL": database, "PORTAL_CLOCK_OFFSET": offset, **given}


@contextlib.contextmanager
def running(command: Sequence[str | Path], *, log: Path, **settings_given: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose output goes to `log`; ended afterwards."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=environment(**settings_given),
            cwd=settings.BASE_DIR,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def web(*more: str, log: Path, **settings_given: str) -> Iterator[int]:
    """The port of a web server as the demo starts it, with `more` arguments, once it is healthy."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    with running([*gunicorn(port, log.parent), *more], log=log, **settings_given) as process:
        deadline = time.monotonic() + 60
        while not healthy(port):
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield port


def healthy(port: int) -> bool:
    """Whether the web server on this port answers and reaches its database."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    with contextlib.closing(asked), contextlib.suppress(OSError, http.client.HTTPException):
        asked.request("GET", "/healthz", headers={"Host": "localhost"})
        return asked.getresponse().status == 200
    return False
