"""The portal's own processes at their most talkative, and all that is written while they run."""

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import redis
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection

from exam_portal.local.demo import ALONE, celery
from exam_portal.local.wechat import settings_of
from tests.portal.watching import Listener, Page
from tests.processes import running, web
from tests.wechat import Sandbox, sandbox


@dataclass
class Portal:
    """The running processes and where they write; `servers` are the logs of the database and Redis, with their size."""

    port: int
    folder: Path
    told_to_redis: Listener
    wechat: Sandbox
    servers: dict[Path, int] = field(
        default_factory=lambda: {file: file.stat().st_size for file in Path(settings.PORTAL_STATE, "log").glob("*.log")}
    )

    def written(self, pages: Iterable[Page]) -> Iterator[tuple[str, str]]:
        """All that was written, by where: rows, Redis, files, logs, and the addresses and headers of these pages."""
        yield from [*rows(), *keys_of_redis(), ("told to Redis", "\n".join(self.told_to_redis.heard))]
        yield "told to WeChat", json.dumps(self.wechat.ask("/sandbox/state"), ensure_ascii=False)
        yield from ((str(file), file.read_text()) for file in self.folder.rglob("*") if file.is_file())
        yield from ((file.name, written_since(file, began)) for file, began in self.servers.items())
        yield from (("an address and headers", f"{page.address}\n{page.headers}") for page in pages)


@contextlib.contextmanager
def talkative_portal(folder: Path) -> Iterator[Portal]:
    talkative = {"PORTAL_LOG_LEVEL": "DEBUG", "PORTAL_EMAIL_URL": f"filemail:///{folder / 'mail'}"}
    talkative |= {"PORTAL_CALENDARS_PER_ADDRESS": "2"}
    worker = [*celery("worker", "--concurrency=2", *ALONE), "--loglevel=DEBUG"]
    with sandbox() as wechat, Listener() as listener, contextlib.ExitStack() as processes:
        talkative |= settings_of(wechat.server.server_address[1])
        processes.enter_context(running(worker, log=folder / "worker.log", **talkative))
        port = processes.enter_context(web("--log-level=debug", log=folder / "web.log", **talkative))
        wechat.server.pusher.url = f"http://localhost:{port}/wechat/events/"
        yield Portal(port, folder, listener, wechat)


def rows() -> Iterator[tuple[str, str]]:
    """Every row of every table, as JSON; sessions also as they are read."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')  # noqa: S608
            for (row,) in cursor.fetchall():
                yield f"table {table}", row
    for session in Session.objects.all():
        yield "session", json.dumps(session.get_decoded())


def keys_of_redis() -> Iterator[tuple[str, str]]:
    """Every key of this test's Redis, with all that stands in it."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    for key in client.scan_iter():
        kind = client.type(key).decode()
        read = {"string": client.get, "hash": client.hgetall, "set": client.smembers}
        read |= {"list": lambda key: client.lrange(key, 0, -1), "zset": lambda key: client.zrange(key, 0, -1)}
        yield f"Redis {key!r}", f"{key!r} {read[kind](key)!r}"


def written_since(file: Path, began: int) -> str:
    with file.open("rb") as log:
        log.seek(began)
        return log.read().decode("utf-8", "replace")
