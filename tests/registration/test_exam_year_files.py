"""What exam-year files say, and everything that is told about a wrong one. No database."""

from datetime import date, datetime
from pathlib import Path

import pytest

from exam_portal import clock
from registration.services.exam_year.document import entries_of_file
from registration.services.exam_year.reading import ExamYearRefused, Problem, read
from registration.services.exam_year.schema import REGIONS, ExamYearFile, validate
from tests.registration.exam_years import ALL, HEALTH, LAST_YEAR, NURSE, edited

AUTOMATIC = {"11", "13", "21", "22", "23", "31", "33", "37", "41", "50", "52", "53", "61", "62", "65", "66"}


def load(path: Path) -> ExamYearFile:
    return validate(read(path))


def problems(path: Path) -> list[Problem]:
    with pytest.raises(ExamYearRefused) as refused:
        load(path)
    return refused.value.problems


def beijing(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=clock.BEIJING)  # type: ignore[arg-type]


# --- The files that come with the portal ---------------------------------------------------------


@pytest.mark.rule("R01")
@pytest.mark.parametrize(
    ("path", "opens_at", "closes_at", "days"),
    [
        (HEALTH, beijing(2023, 12, 1), beijing(2023, 12, 15), [(2024, 4, day) for day in (13, 14, 20, 21)]),
        (LAST_YEAR, beijing(2022, 12, 30), beijing(2023, 1, 13), [(2023, 4, day) for day in (15, 16, 22, 23)]),
        (NURSE, beijing(2023, 12, 7), beijing(2023, 12, 21), [(2024, 4, day) for day in (27, 28)]),
    ],
    ids=lambda value: value.stem if isinstance(value, Path) else "",
)
def test_each_exam_has_its_window_and_days(
    path: Path, opens_at: datetime, closes_at: datetime, days: list[tuple[int, int, int]]
) -> None:
    exam = load(path).exam
    assert (exam.opens_at, exam.closes_at) == (opens_at, closes_at)
    assert exam.days == [date(*day) for day in days]


@pytest.mark.parametrize(
    ("path", "online", "automatic"),
    [(HEALTH, {"12", "31", "66"}, AUTOMATIC), (NURSE, {"12", "66"}, set())],
    ids=["health", "nurse"],
)
def test_regions_have_exactly_the_flags_of_the_notices(path: Path, online: set[str], automatic: set[str]) -> None:
    regions = load(path).regions
    assert regions.keys() == REGIONS and len(REGIONS) == 32
    assert {code for code, region in regions.items() if region.online} == online
    assert {code for code, region in regions.items() if region.automatic} == automatic


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_region_has_two_points_and_every_point_a_site(path: Path) -> None:
    for code, region in load(path).institutions.items():
        assert len(region.points) >= 2, code
        assert {site.point for site in region.sites.values()} == region.points.keys()


def test_points_cover_the_cities_and_districts_that_were_asked_for() -> None:
    institutions = load(HEALTH).institutions
    assert institutions["33"].points.keys() == {*(f"33{n:02d}" for n in range(1, 12)), "3300", "3399"}
    assert institutions["43"].points.keys() == {*(f"43{n:02d}" for n in range(1, 14)), "4331"}
    assert len(institutions["12"].points) == len(institutions["31"].points) == 16


def test_specialties_are_the_table_of_119_with_one_on_paper() -> None:
    health = load(HEALTH)
    by_level = {level: [s for s in health.specialties.values() if s.level == level] for level in health.levels}
    assert {level: len(found) for level, found in by_level.items()} == {"1": 11, "2": 16, "3": 92}
    assert [code for code, s in health.specialties.items() if s.format == "paper"] == ["203"]
    assert {s.category for s in health.specialties.values()} == {"医疗", "公共卫生", "药学", "护理", "技术"}
    assert [subject.name for subject in health.subjects.values()] == [
        "基础知识",
        "相关专业知识",
        "专业知识",
        "专业实践能力",
    ]


def test_nurse_exam_has_another_shape_and_the_same_institutions() -> None:
    nurse, health = load(NURSE), load(HEALTH)
    assert [subject.name for subject in nurse.subjects.values()] == ["专业实务", "实践能力"]
    assert (len(nurse.levels), len(nurse.specialties)) == (1, 1)
    assert nurse.institutions == health.institutions


def test_last_year_takes_from_this_year_whatever_it_does_not_say() -> None:
    last, this = load(LAST_YEAR), load(HEALTH)
    assert (last.specialties, last.levels, last.notices) == (this.specialties, this.levels, this.notices)
    assert last.exam != this.exam and last.confirmation != this.confirmation


def test_a_region_says_only_what_differs_and_the_weakest_grade_counts() -> None:
    entries = entries_of_file(load(HEALTH))
    assert entries["regions.31"] | {"notice": ""} == {
        "online": True,
        "automatic": True,
        "confirmation_opens_at": "2023-12-01T00:00:00+08:00",
        "confirmation_closes_at": "2023-12-15T17:00:00+08:00",
        "notice": "",
        "source": "example",
    }
    assert entries["regions.31"]["notice"].startswith("## 线上确认须知")
    assert "### 自动确认" in entries["regions.31"]["notice"]
    assert entries["regions.43"]["notice"].startswith("## 现场确认须知")
    assert "### 自动确认" not in entries["regions.43"]["notice"]
    assert entries["regions.34.fees.3"] == {"fee": "70.00", "source": "example"}


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_invented_institutions_and_windows_are_marked_example(path: Path) -> None:
    year = load(path)
    assert {entries_of_file(year)[f"regions.{code}"]["source"] for code in year.regions} == {"example"}
    for institution in year.institutions.values():
        assert {entry.source for entry in (*institution.points.values(), *institution.sites.values())} == {"example"}


# --- Wrong files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "path", "reason"),
    [
        ("14 = {}", "14 = {}\n99 = {}", "regions.99", "unknown region"),
        ("14 = {}", "", "regions.14", "the region is missing"),
        ("face = { low = 1, high = 1 }", "", "photo.checks.face", "the check has no limits"),
        ("face = { low = 1, high = 1 }", "face = { low = 2, high = 1 }", "photo.checks.face", "not in order"),
        ("face = { low = 1", "ears = { low = 1 }\nface = { low = 1", "photo.checks.ears", "unknown check"),
        ("most_width = 600", "most_width = 200", "photo.most_width", "must be more than"),
        ("white = { low = 0.75, ", "white = { ", "photo.checks.white.doubtful_low", "there is no low"),
        ("14 = {}", "14 = { colour = 1 }", "regions.14.colour", "unknown key"),
        ("[notices]", "[notes]", "notes", "unknown key"),
        ("14 = {}", "14 = {}\n14 = {}", "regions.14", "is given twice"),
        ("[institutions.54]", "[institutions.53]", "institutions.53", "is given twice"),
        ("closes_at = 2023-12-15", "closes_at = 2023-11-30", "exam.closes_at", "the window ends before it begins"),
        (
            "confirmation_closes_at = 2023-12-29",
            "confirmation_closes_at = 2023-12-01",
            "regions.54.confirmation_closes_at",
            "the window ends before it begins",
        ),
        (
            "confirmation_opens_at = 2023-12-05",
            "confirmation_opens_at = 2023-11-30",
            "regions.33.confirmation_opens_at",
            "confirming begins before pre-registration opens",
        ),
        (
            "online = { opens_at = 2023-12-01",
            "online = { opens_at = 2023-11-30",
            "confirmation.online.opens_at",
            "confirming begins before pre-registration opens",
        ),
        (
            "opens_at = 2023-12-01T00:00:00+08:00",
            "opens_at = 2023-12-01T00:00:00",
            "exam.opens_at",
            "no offset from UTC",
        ),
        ("days = [2024-04-13", "days = [2023-04-13", "exam.days.0", "before pre-registration closes"),
        ("year = 2024", 'year = "2024"', "exam.year", "should be a valid integer"),
        ("year = 2024", "", "exam.year", "is missing"),
        ('form_prefix = "24W"', 'form_prefix = "24-W"', "exam.form_prefix", "is not a code"),
        ('[subjects]\nsource = "B"', "[subjects]", "subjects.1.source", "has no grade of its source"),
        ('[levels]\nsource = "example"', '[levels]\nsource = "sure"', "levels.1.source", "should be 'S', 'staff', 'A'"),
        (
            '101 = { name = "药学", level = "1"',
            '101 = { name = "药学", level = "9"',
            "specialties.101.level",
            "no level 9",
        ),
        ("3 = { fee = 70 }", "4 = { fee = 70 }", "regions.34.fees.4", "there is no level 4"),
        ("fee = 60 }", "fee = 60.005 }", "levels.2.fee", "no more than 2 decimal places"),
        ("\n3301 = {", "\n4499 = {", "institutions.33.points.4499", "begins with 33"),
        ("\n3302 = {", "\n4301 = {", "institutions.43.points.4301", "region 33 has it too"),
        ("\n1301-01 = {", "\n4301-01 = {", "institutions.43.sites.4301-01", "region 13 has it too"),
        (
            '3301-01 = { point = "3301"',
            '3301-01 = { point = "4301"',
            "institutions.33.sites.3301-01.point",
            "no point 4301",
        ),
        ("3301-01 = {", "9901-01 = {", "institutions.33.sites.9901-01", "begins with 3301-"),
        ("\n4313-01 =", "\n# 4313-01 =", "institutions.43.points.4313", "has no registration site"),
        (
            'telephone = "0571-00000117"',
            'telephone = ""',
            "institutions.33.points.3301.telephone",
            "at least 1 character",
        ),
        ("onsite = {", "offsite = {", "confirmation.onsite", "is missing"),
    ],
)
def test_a_wrong_file_is_told_with_file_key_and_reason(
    tmp_path: Path, old: str, new: str, path: str, reason: str
) -> None:
    found = [problem for problem in problems(edited(tmp_path, (old, new))) if problem.path == path]
    assert found, "not told"
    assert reason in found[0].reason
    assert found[0].file == "2024-health.toml"


def test_all_problems_are_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    path = edited(
        tmp_path,
        ("year = 2024\n", "year = 2024\ncolour = 1\n"),
        ("closes_at = 2023-12-15", "closes_at = 2023-11-30"),
        ("14 = {}  # 山西", "14 = {}\n14 = {}"),
        ("\n36 = {}", "\n99 = {}"),
        ('101 = { name = "药学", level = "1"', '101 = { name = "药学", level = "9"'),
    )
    lines = path.read_text(encoding="utf-8").splitlines()
    found = problems(path)
    assert [(problem.path, problem.reason.split(":")[0]) for problem in found] == [
        ("exam.colour", "unknown key"),
        ("exam.closes_at", "the window ends before it begins"),
        ("regions.36", "the region is missing"),
        ("regions.14", "is given twice"),
        ("regions.99", "unknown region"),
        ("specialties.101.level", "there is no level 9"),
    ]
    for problem in found:
        assert lines[problem.line - 1].split("=")[0].strip(" []") in problem.path
    assert str(found[0]).startswith(f"2024-health.toml:{found[0].line}: exam.colour: unknown key")


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    path = edited(tmp_path, ('code = "2024-health"', "code = "))
    [problem] = problems(path)
    assert problem.path == "exam.code"
    assert "is not TOML: Invalid value" in problem.reason
    assert path.read_text(encoding="utf-8").splitlines()[problem.line - 1] == "code = "


def test_a_key_given_twice_does_not_hide_a_text_of_many_lines(tmp_path: Path) -> None:
    path = edited(tmp_path, ("[confirmation]", '[confirmation]\nsource = "B"'), ('automatic = """', 'online = """'))
    assert [problem.path for problem in problems(path)] == ["confirmation.source", "notices.online"]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    [problem] = problems(tmp_path / "2030.toml")
    assert problem.reason == "cannot be read: No such file or directory"


def test_problems_name_the_file_that_the_table_was_taken_from(tmp_path: Path) -> None:
    edited(tmp_path, ("\n4313-01 =", "\n# 4313-01 ="))
    [problem] = problems(edited(tmp_path, of=NURSE))
    assert (problem.file, problem.path) == ("2024-health.toml", "institutions.43.points.4313")


def test_a_file_finds_its_base_among_the_shipped_ones_when_none_lies_beside_it(tmp_path: Path) -> None:
    assert load(edited(tmp_path, of=NURSE)) == load(NURSE)


@pytest.mark.parametrize(
    ("name", "reason"), [("2024-nurse.toml", "in a circle"), ("missing.toml", "there is no file missing.toml")]
)
def test_a_wrong_base_is_told(tmp_path: Path, name: str, reason: str) -> None:
    [problem] = problems(edited(tmp_path, ('based_on = "2024-health.toml"', f'based_on = "{name}"'), of=NURSE))[:1]
    assert problem.path == "based_on" and reason in problem.reason
