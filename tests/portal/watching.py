"""Watching the real processes: a browser that keeps all it got, what Redis is told, and errors that are provoked."""

import contextlib
import http.client
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import redis
from django.conf import settings
from django.db import connection


@dataclass(frozen=True)
class Page:
    """What was asked for and what came."""

    address: str
    sent: str
    status: int
    headers: str
    body: str


@dataclass
class Browser:
    """A person's browser, as far as forms need one; keeps all that it asked for and got."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    pages: list[Page] = field(default_factory=list)
    sent_to: str = ""  # where the last answer led; another site is not asked

    def get(self, path: str) -> str:
        return self._ask("GET", path)

    def post(self, path: str, **typed: str) -> str:
        """Send the form of the page last seen, with its hidden fields; returns the page to which that led."""
        hidden = dict(re.findall(r'type="hidden"\s+name="([^"]+)"\s+value="([^"]*)"', self.pages[-1].body))
        return self._ask("POST", path, {**hidden, **typed})

    def form(self, path: str, **typed: str) -> str:
        """Open a page and send its form."""
        self.get(path)
        return self.post(path, **typed)

    @property
    def status(self) -> int:
        return self.pages[-1].status

    @property
    def address(self) -> str:
        return self.pages[-1].address

    def _ask(self, method: str, path: str, fields: dict[str, str] | None = None) -> str:
        asked, sent = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60), urlencode(fields or {})
        headers = {
            "Host": "localhost",
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
            "Referer": f"http://localhost{self.address}" if self.pages else "",
        }
        with contextlib.closing(asked):
            asked.request(method, path, body=sent or None, headers=headers)
            answer = asked.getresponse()
            body = answer.read().decode("utf-8", "replace")
        for name, value in answer.headers.items():
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        self.pages.append(Page(path, sent, answer.status, str(answer.headers), body))
        self.sent_to = answer.headers.get("Location", "")
        return self._ask("GET", self.sent_to) if answer.status == 302 and self.sent_to.startswith("/") else body


class Listener:
    """All that Redis is told, for as long as it listens."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        # Without a time limit: for a while all may be quiet.
        self._monitor = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=None).monitor()

    def __enter__(self) -> "Listener":
        self._monitor.__enter__()
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def _listen(self) -> None:
        with contextlib.suppress(Exception):  # the connection is closed under it
            for told in self._monitor.listen():
                self.heard.append(str(told["command"]))

    def __exit__(self, *how: Any) -> None:
        self._monitor.connection.disconnect()


@contextlib.contextmanager
def breaking(table: str, when: str) -> Iterator[None]:
    """As long as this lasts, PostgreSQL refuses to write such a row: an error that nobody has foreseen."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION provoked() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'provoked by a test'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER provoked BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW WHEN ({when})"
            " EXECUTE FUNCTION provoked()"
        )
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION provoked CASCADE")


def until(true: Callable[[], Any], seconds: float = 20) -> Any:
    """What `true` returns once that is something."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found
