"""Installing: nothing to do is quick, what was cut off is done again, what is missing is named in one line."""

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from exam_portal.local import install as module
from exam_portal.local.install import ROOT, CommandKilled, InstallError, Progress

SCRIPT = ROOT / "exam_portal" / "local" / "install.py"


@pytest.fixture
def checkout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with pinned files and nothing installed; the module looks there."""
    for name in ("requirements.txt", "requirements-dev.txt", "package-lock.json"):
        shutil.copy(ROOT / name, folder / name)
    for name, path in {
        "ROOT": folder,
        "VENV": folder / ".venv",
        "PYTHON": folder / ".venv" / "bin" / "python",
        "STATE": folder / ".local",
        "CACHE": folder / ".local" / "cache",
        "PIP_STARTED": folder / ".venv" / "installing",
        "PIP_STAMP": folder / ".venv" / "installed",
        "NPM_STAMP": folder / "node_modules" / ".installed",
        "MO_STAMP": folder / ".local" / "catalogues",
    }.items():
        monkeypatch.setattr(module, name, path)
    return folder


def complete(checkout: Path, *, dev: bool) -> None:
    for name in (".venv/bin", "node_modules"):
        (checkout / name).mkdir(parents=True, exist_ok=True)
    (checkout / ".venv" / "installed").write_text(module.pip_key(dev))
    (checkout / "node_modules" / ".installed").write_text(module.npm_key(dev))


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which steps were taken; none is really taken."""
    taken: list[str] = []

    def note(name: str) -> Callable[..., None]:
        return lambda *_args: taken.append(name)

    for name in ("make_venv", "install_python_packages", "install_frontend", "compile_catalogues"):
        monkeypatch.setattr(module, name, note(name))
    return taken


def test_a_fresh_checkout_takes_every_step_in_order(checkout: Path, steps: list[str]) -> None:
    (checkout / "locale" / "en" / "LC_MESSAGES").mkdir(parents=True)
    (checkout / "locale" / "en" / "LC_MESSAGES" / "django.po").touch()
    module.install(dev=False)
    assert steps == ["make_venv", "install_python_packages", "install_frontend", "compile_catalogues"]


@pytest.mark.parametrize(
    ("installed", "wanted", "expected"),
    [
        (True, True, []),
        (True, False, []),  # whoever can test can also run
        (False, False, []),
        (False, True, ["make_venv", "install_python_packages", "install_frontend"]),
    ],
)
def test_what_is_installed_is_not_installed_again(
    checkout: Path, steps: list[str], installed: bool, wanted: bool, expected: list[str]
) -> None:
    complete(checkout, dev=installed)
    module.install(dev=wanted)
    assert steps == expected


def test_a_changed_pin_is_installed_into_the_same_environment(
    checkout: Path, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(checkout, dev=True)
    monkeypatch.setattr(module, "venv_works", lambda: True)
    with (checkout / "requirements.txt").open("a") as file:
        file.write("another==1.0\n")
    module.install(dev=True)
    assert steps == ["install_python_packages"]


def test_a_deleted_folder_is_filled_again(checkout: Path, steps: list[str]) -> None:
    complete(checkout, dev=True)
    shutil.rmtree(checkout / "node_modules")
    module.install(dev=True)
    assert steps == ["install_frontend"]


def test_a_changed_translation_is_compiled(checkout: Path, steps: list[str]) -> None:
    complete(checkout, dev=True)
    folder = checkout / "locale" / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text("old")
    (folder / "django.mo").touch()
    (checkout / ".local").mkdir()
    module.MO_STAMP.write_text(module.digest(folder / "django.po"))
    module.install(dev=True)
    assert steps == []
    (folder / "django.po").write_text("new")
    module.install(dev=True)
    assert steps == ["compile_catalogues"]
    (folder / "django.po").write_text("old")
    (folder / "django.mo").unlink()
    module.install(dev=True)
    assert steps == ["compile_catalogues"] * 2


def test_a_killed_pip_makes_the_next_run_begin_with_a_new_environment(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(checkout, dev=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    assert module.venv_works()

    def killed(*_args: object) -> None:
        raise CommandKilled

    monkeypatch.setattr(module, "pip", killed)
    with pytest.raises(CommandKilled):
        module.install_python_packages(Progress(total=1), True)
    assert not module.venv_works()
    assert not (checkout / ".venv" / "installed").exists()


def test_a_pip_that_gives_up_in_order_leaves_the_environment_usable(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete(checkout, dev=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)

    def no_network(*_args: object) -> None:
        raise InstallError

    monkeypatch.setattr(module, "pip", no_network)
    with pytest.raises(InstallError):
        module.install_python_packages(Progress(total=1), True)
    assert module.venv_works()
    assert not (checkout / ".venv" / "installed").exists()


@pytest.mark.parametrize(("script", "error"), [("exit 7", InstallError), ("kill -9 $$", CommandKilled)])
def test_a_failed_command_shows_the_end_of_its_log(folder: Path, script: str, error: type[Exception]) -> None:
    with pytest.raises(error) as failure:
        Progress(total=1, title="trying").run(["sh", "-c", f"echo why; {script}"], folder / "log")
    assert type(failure.value) is error
    assert ("why" in str(failure.value)) == (error is InstallError)


def test_the_npm_of_the_machine_is_used_when_it_is_new_enough(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = folder / "npm"
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    for script, expected in (("echo 11.2.0", [str(npm)]), ("echo 6.14.0", None), ("exit 1", None)):
        npm.write_text(f"#!/bin/sh\n{script}\n")
        npm.chmod(0o755)
        assert module.machine_npm() == expected


def test_a_python_without_venv_is_told_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(InstallError, match=r"apt install python3\.\d+-venv$") as refusal:
        module.check_venv()
    assert len(str(refusal.value).splitlines()) == 1


def test_an_old_python_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    with pytest.raises(InstallError, match=r"Python 3\.11 or later"):
        module.check_version()


def test_a_taken_port_is_told_before_anything_slow(checkout: Path, steps: list[str]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InstallError, match=f"^port {port} is taken: PORT={port + 1} make demo$"):
            module.install(dev=False, port=port)
        assert steps == []
    module.install(dev=False, port=port)
    assert steps[0] == "make_venv"


def test_two_installations_at_once_take_turns(folder: Path) -> None:
    lock, turns = folder / "lock", folder / "turns"
    code = (
        f"import sys; sys.path.insert(0, {str(SCRIPT.parent)!r}); import install, time; from pathlib import Path\n"
        f"with install.only_one(Path({str(lock)!r})), open({str(turns)!r}, 'a', buffering=1) as turns:\n"
        "    turns.write('in\\n'); time.sleep(0.3); turns.write('out\\n')\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL) for _ in range(2)]
    assert [process.wait(timeout=20) for process in both] == [0, 0]
    assert turns.read_text().split() == ["in", "out", "in", "out"]


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_every_package_asked_for_is_pinned(name: str) -> None:
    def names(text: str) -> set[str]:
        return {found.lower().replace("_", "-") for found in re.findall(r"^[A-Za-z][\w.-]*", text, re.MULTILINE)}

    asked, pinned = (names((ROOT / f"{name}.{ending}").read_text()) for ending in ("in", "txt"))
    assert asked - pinned == set(), "make requirements"


def test_the_pinned_files_name_no_host() -> None:
    for name in ("requirements.txt", "requirements-dev.txt", "package-lock.json"):
        text = (ROOT / name).read_text()
        assert "://" not in text.replace("https://github.com/sponsors/", "").replace("https://opencollective.com/", "")
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    assert packages["node_modules/bootstrap"]["version"].startswith("5.3.")


def test_the_script_needs_nothing_but_the_standard_library() -> None:
    done = subprocess.run([sys.executable, "-I", "-S", SCRIPT, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
