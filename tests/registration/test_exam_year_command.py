"""`manage.py exam_year`: exit codes, what is printed where."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Point
from registration.models import Exam, Specialty
from registration.services.exam_year import apply_exam_year
from tests.registration.exam_years import HEALTH, NURSE, PATH, edited, telephone

pytestmark = pytest.mark.django_db


def exit_code(*arguments: object) -> int:
    """Run the command and return what the shell would see."""
    try:
        call_command("exam_year", *map(str, arguments))
    except SystemExit as ended:
        return cast(int, ended.code)
    except CommandError as error:
        return error.returncode
    return 0


@pytest.fixture
def applied() -> None:
    apply_exam_year(path=HEALTH)


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    return edited(tmp_path, telephone("0571-1"))


def test_plan_of_a_new_exam_counts_what_it_creates(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("plan", HEALTH) == 2
    printed = capsys.readouterr().out
    assert "from the file (687):" in printed
    assert "create 119 specialties\n" in printed and "create levels.1, levels.2, levels.3\n" in printed
    assert not Exam.objects.exists()


@pytest.mark.usefixtures("applied")
def test_plan_of_an_applied_file_has_nothing_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("plan", HEALTH) == 0
    assert capsys.readouterr().out == "2024-health.toml → 2024-health: 2668 values unchanged\n"


@pytest.mark.usefixtures("applied")
def test_plan_tells_changes_kept_and_conflicts_apart(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("plan", changed) == 2
    assert f'{PATH}: "0571-00000117" → "0571-1"' in capsys.readouterr().out
    Point.objects.filter(pk="3301").update(telephone="0571-2")
    Specialty.objects.filter(code="391").delete()
    assert exit_code("plan", HEALTH) == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "kept as changed in the database (2):",
        "  removed specialties.391",
        f'  {PATH}: "0571-00000117" → "0571-2"',
    ]
    assert exit_code("plan", changed) == 3
    assert capsys.readouterr().out.splitlines()[3:] == [
        "in conflict: changed in the file and, differently, in the database (1):",
        f'  {PATH}: "0571-00000117" → "0571-2" in the database, "0571-1" in the file',
    ]


@pytest.mark.usefixtures("applied")
def test_plan_as_json_lists_every_difference(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("plan", changed, "--json") == 2
    plan = json.loads(capsys.readouterr().out)
    assert (plan["exam"], plan["changed"], plan["refused"]) == ("2024-health", 1, [])
    assert plan["differences"] == [
        {
            "path": PATH,
            "verdict": "from file",
            "act": "change",
            "base": "0571-00000117",
            "database": "0571-00000117",
            "file": "0571-1",
        }
    ]


@pytest.mark.usefixtures("applied")
def test_apply_refuses_a_conflict_until_told_to_take_the_file(changed: Path) -> None:
    Point.objects.filter(pk="3301").update(telephone="0571-2")
    assert exit_code("apply", changed) == 3
    assert Point.objects.get(pk="3301").telephone == "0571-2"
    assert exit_code("apply", changed, "--take", "file") == 0
    assert Point.objects.get(pk="3301").telephone == "0571-1"


def test_apply_tells_its_progress_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("apply", HEALTH) == 0
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "reading 2024-health.toml"
    assert "writing registration sites: 175" in told
    assert told[-1] == "2024-health is applied."
    assert exit_code("apply", HEALTH) == 0
    assert capsys.readouterr().err.splitlines()[-1] == "Applied before: nothing to do."


def test_a_dry_run_says_so_and_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("apply", HEALTH, "--dry-run") == 0
    assert capsys.readouterr().err.splitlines()[-1] == "Dry run: nothing was changed."
    assert not Exam.objects.exists()


def test_production_is_told_that_example_data_keeps_the_exam_shut(
    settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.PORTAL_ENV = "production"
    assert exit_code("apply", NURSE) == 0
    assert "It does not open while" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize("way", ["plan", "apply"])
def test_a_wrong_file_is_told_whole_and_changes_nothing(tmp_path: Path, way: str) -> None:
    path = edited(tmp_path, ("14 = {}", "99 = {}"), ("closes_at = 2023-12-15", "closes_at = 2023-11-30"))
    with pytest.raises(CommandError) as error:
        call_command("exam_year", way, str(path))
    told = str(error.value).splitlines()
    assert error.value.returncode == 1
    assert [line.split(": ")[1] for line in told[:-1]] == ["exam.closes_at", "regions.14", "regions.99"]
    assert told[-1] == "Nothing was changed."
    assert not Exam.objects.exists()


@pytest.mark.usefixtures("applied")
def test_export_writes_a_file_or_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "2024.toml"
    assert exit_code("export", "2024-health", "--output", output) == 0
    assert exit_code("export", "2024-health") == 0
    assert capsys.readouterr().out == output.read_text(encoding="utf-8")
    assert exit_code("plan", output) == 0
    assert exit_code("export", "2030-health") == 1
