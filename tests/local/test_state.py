"""The profile folder: clock, secrets, lock, sockets."""

import base64
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exam_portal.local.install import ROOT
from exam_portal.local.state import LocalError, Profile, parse_environment, parse_now, portal_time


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def seconds_to(text: str) -> float:
    return (datetime.fromisoformat(text) - datetime.now(UTC)).total_seconds()


def test_the_clock_of_a_new_demo_starts_inside_the_window(profile: Profile) -> None:
    assert profile.clock_offset(None) == pytest.approx(seconds_to("2023-12-05T09:00+08:00"), abs=5)


def test_portal_now_becomes_an_offset_once_and_restarts_keep_it(profile: Profile) -> None:
    first = profile.clock_offset("2023-12-14T23:59:00+08:00")
    assert first == pytest.approx(seconds_to("2023-12-14T23:59:00+08:00"), abs=5)
    assert profile.clock_offset(None) == first
    assert Profile(profile.folder).clock_offset("2023-12-14T15:59:00Z") == first  # the same moment, written otherwise


def test_another_portal_now_is_refused_and_changes_nothing(profile: Profile) -> None:
    first = profile.clock_offset("2023-12-05T09:00+08:00")
    with pytest.raises(LocalError, match=r"make demo-reset") as refusal:
        profile.clock_offset("2023-12-06T09:00+08:00")
    assert len(str(refusal.value).splitlines()) == 1
    assert profile.clock_offset(None) == first


def test_a_time_without_offset_is_beijing_time() -> None:
    assert parse_now("2023-12-05T09:00") == parse_now("2023-12-05T01:00Z")


@pytest.mark.parametrize("text", ["tomorrow", "2023-13-01", "9:00"])
def test_what_is_no_time_is_refused_with_an_example(profile: Profile, text: str) -> None:
    with pytest.raises(LocalError, match=r"2023-12-05T09:00\+08:00"):
        profile.clock_offset(text)
    assert not (profile.folder / "clock-offset").exists()


def test_portal_time_is_told_in_beijing() -> None:
    assert portal_time(0.0).utcoffset() == portal_time(3600.0).utcoffset()
    assert (portal_time(3600.0) - datetime.now(UTC)).total_seconds() == pytest.approx(3600, abs=5)


def test_secrets_are_made_once_and_only_the_owner_reads_them(profile: Profile) -> None:
    made = profile.secrets()
    assert mode(profile.folder / "secrets.env") == 0o600
    assert len(base64.b64decode(made["PORTAL_SIGNING_KEY"])) == 32
    assert set(made) == {"PORTAL_SECRET_KEY", "PORTAL_ENCRYPTION_KEYS", "PORTAL_LOOKUP_KEY", "PORTAL_SIGNING_KEY"}
    assert Profile(profile.folder).secrets() == made


def test_two_profiles_share_no_secret(profile: Profile, folder: Path) -> None:
    other = Profile(folder / "other")
    other.create()
    assert not set(profile.secrets().values()) & set(other.secrets().values())


def test_the_environment_comes_back_as_it_was_left(profile: Profile) -> None:
    values = {"PORTAL_STATE": "/srv/报名 门户", "DATABASE_URL": "postgres://u@%2Ftmp/portal?a=b=c", "EMPTY": ""}
    profile.write_environment(values)
    assert mode(profile.folder / "environment") == 0o600
    assert profile.read_environment() == values


def test_no_environment_means_no_demo(profile: Profile) -> None:
    with pytest.raises(LocalError, match="make demo"):
        profile.read_environment()


def test_empty_lines_are_no_settings() -> None:
    assert parse_environment("A=1\n\nB=x=y\n") == {"A": "1", "B": "x=y"}


def test_the_lock_is_held_by_one_process_and_freed_by_its_death(profile: Profile) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom exam_portal.local.state import Profile\n"
        "with Profile(Path(sys.argv[1])).lock() as mine:\n    print(mine, flush=True)\n    sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, profile.folder], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"True\n"
        with profile.lock() as mine:
            assert mine is False
        holder.kill()
        holder.wait()
        with profile.lock() as mine:
            assert mine is True


def test_sockets_lie_in_a_short_private_folder_and_leave_with_it(profile: Profile) -> None:
    first = profile.make_sockets()
    assert mode(first) == 0o700
    assert len(str(first / ".s.PGSQL.5432")) < 60
    assert str(first) == str(first).lower()
    second = Profile(profile.folder).make_sockets()  # as after a launcher that was killed
    assert not first.exists()
    profile.remove_sockets()
    assert not second.exists()
    profile.remove_sockets()
