"""The three-way plan of exam years, and the way back by export."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Point, Site
from registration.models import Application, Exam, ExamRegion, ExamSite, Level, Specialty, Subject
from registration.services.exam_year import (
    ExamYearRefused,
    Verdict,
    apply_exam_year,
    export_exam_year,
    plan_exam_year,
)
from tests.factories import CandidateFactory
from tests.registration.exam_years import ALL, HEALTH, NURSE, PATH, edited, everything, exam_data, telephone

pytestmark = pytest.mark.django_db


def verdicts(path: Path) -> dict[str, Verdict]:
    return {difference.path: difference.verdict for difference in plan_exam_year(path=path).differences}


@pytest.fixture
def health() -> Exam:
    apply_exam_year(path=HEALTH)
    return Exam.objects.get(code="2024-health")


def apply_for(exam: Exam, **choices: Any) -> Application:
    return Application.objects.create(
        candidate=CandidateFactory(), exam=exam, number="24W000001", channel="web", **choices
    )


# --- Three ways -----------------------------------------------------------------------------------


def test_what_only_the_file_changed_comes_from_the_file(health: Exam, tmp_path: Path) -> None:
    path = edited(tmp_path, telephone("0571-1"))
    assert verdicts(path) == {PATH: Verdict.FROM_FILE}
    apply_exam_year(path=path)
    assert Point.objects.get(pk="3301").telephone == "0571-1"
    assert verdicts(path) == {}


def test_what_only_staff_changed_is_kept_however_often_the_file_is_applied(health: Exam, tmp_path: Path) -> None:
    Point.objects.filter(pk="3301").update(telephone="0571-2")
    assert verdicts(HEALTH) == {PATH: Verdict.KEPT}
    path = edited(tmp_path, ('title = "2024年度', 'title = "二〇二四年度'))
    for _ in range(2):
        apply_exam_year(path=path)
    assert Point.objects.get(pk="3301").telephone == "0571-2"
    assert Exam.objects.get().title.startswith("二〇二四年度")
    assert verdicts(path) == {PATH: Verdict.KEPT}


def test_what_both_changed_alike_is_no_difference(health: Exam, tmp_path: Path) -> None:
    Point.objects.filter(pk="3301").update(telephone="0571-1")
    path = edited(tmp_path, telephone("0571-1"))
    assert verdicts(path) == {}
    assert apply_exam_year(path=path).written, "the file is the new base"
    assert verdicts(HEALTH) == {PATH: Verdict.FROM_FILE}


def test_a_conflict_is_refused_whole_unless_the_file_is_taken(health: Exam, tmp_path: Path) -> None:
    Point.objects.filter(pk="3301").update(telephone="0571-2")
    path = edited(tmp_path, telephone("0571-1"), ('title = "2024年度', 'title = "二〇二四年度'))
    before = everything()
    with pytest.raises(ExamYearRefused) as refused:
        apply_exam_year(path=path)
    assert refused.value.code == "conflicts"
    assert [problem.path for problem in refused.value.problems] == [PATH]
    assert refused.value.problems[0].line > 0
    assert everything() == before
    apply_exam_year(path=path, take="file")
    assert Point.objects.get(pk="3301").telephone == "0571-1"
    assert verdicts(path) == {}


def test_taking_the_file_leaves_what_the_file_did_not_change(health: Exam, tmp_path: Path) -> None:
    Specialty.objects.filter(code="101").update(name="药学(士)")
    Point.objects.filter(pk="3301").update(telephone="0571-2")
    apply_exam_year(path=edited(tmp_path, telephone("0571-1")), take="file")
    assert Specialty.objects.get(code="101").name == "药学(士)"


def test_rows_that_staff_added_and_removed_stay_so(health: Exam) -> None:
    Specialty.objects.filter(code="391").delete()
    Subject.objects.create(exam=health, code="5", name="英语", source="A")
    expected = {"specialties.391": Verdict.KEPT, "subjects.5": Verdict.KEPT}
    assert verdicts(HEALTH) == expected
    apply_exam_year(path=HEALTH)
    assert verdicts(HEALTH) == expected


def test_a_row_that_staff_removed_and_the_file_changed_is_a_conflict(health: Exam, tmp_path: Path) -> None:
    Specialty.objects.filter(code="391").delete()
    path = edited(tmp_path, ('391 = { name = "', '391 = { name = "新'))
    assert verdicts(path) == {"specialties.391": Verdict.CONFLICT}
    apply_exam_year(path=path, take="file")
    assert Specialty.objects.get(code="391").name.startswith("新")


def test_a_row_that_staff_changed_and_the_file_removed_is_a_conflict(health: Exam, tmp_path: Path) -> None:
    Specialty.objects.filter(code="391").update(category="医疗")
    path = edited(tmp_path, ("391 =", "# 391 ="))
    assert verdicts(path) == {"specialties.391": Verdict.CONFLICT}
    apply_exam_year(path=path, take="file")
    assert not Specialty.objects.filter(code="391").exists()


def test_a_new_row_that_needs_one_that_staff_removed_is_refused(health: Exam, tmp_path: Path) -> None:
    Specialty.objects.filter(level__code="1").delete()
    Level.objects.filter(code="1").delete()
    path = edited(tmp_path, ("101 = {", '199 = { name = "新", level = "1", category = "技术" }\n101 = {'))
    before = everything()
    with pytest.raises(ExamYearRefused, match=r"levels\.1: was removed in the database, but other entries"):
        apply_exam_year(path=path)
    assert everything() == before


# --- Institutions, which all exams share ----------------------------------------------------------


def test_an_exam_applied_for_the_first_time_keeps_what_staff_changed_for_another(health: Exam) -> None:
    Point.objects.filter(pk="3301").update(telephone="0571-2")
    assert apply_exam_year(path=NURSE).plan.counts["kept"] == 1
    assert Point.objects.get(pk="3301").telephone == "0571-2"


def test_what_one_exams_file_changed_is_no_change_by_staff_for_the_other(health: Exam, tmp_path: Path) -> None:
    apply_exam_year(path=NURSE)
    path = edited(tmp_path, telephone("0571-1"))
    apply_exam_year(path=path)
    assert verdicts(edited(tmp_path, of=NURSE)) == {}
    apply_exam_year(path=edited(tmp_path, telephone("0571-3")))
    assert verdicts(NURSE) == {PATH: Verdict.KEPT}, "an older file does not turn back a newer one"
    apply_exam_year(path=edited(tmp_path, of=NURSE))
    assert Point.objects.get(pk="3301").telephone == "0571-3"


def test_a_site_leaves_one_exam_and_stays_with_the_other(health: Exam, tmp_path: Path) -> None:
    apply_exam_year(path=edited(tmp_path, of=NURSE))
    apply_exam_year(path=edited(tmp_path, ("\n3301-02 =", "\n# 3301-02 =")))
    assert list(ExamSite.objects.filter(site="3301-02").values_list("exam_region__exam__code", flat=True)) == [
        "2024-nurse"
    ]
    assert Site.objects.filter(pk="3301-02").exists()
    assert not apply_exam_year(path=HEALTH.parent / "2024-nurse.toml").plan.of(Verdict.CONFLICT)


def test_a_site_that_no_exam_has_any_more_is_removed_with_its_point(health: Exam, tmp_path: Path) -> None:
    path = edited(tmp_path, ("\n4313 =", "\n# 4313 ="), ("\n4313-01 =", "\n# 4313-01 ="))
    assert set(verdicts(path)) == {
        "institutions.43.points.4313",
        "institutions.43.sites.4313-01",
        "regions.43.sites.4313-01",
    }
    assert apply_exam_year(path=path).plan.counts["removed"] == 3
    assert not Point.objects.filter(pk="4313").exists() and not Site.objects.filter(pk="4313-01").exists()
    assert verdicts(path) == {}


# --- What is still referred to --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edits", "choices", "path"),
    [
        ([("391 =", "# 391 =")], lambda exam: {"specialty": exam.specialties.get(code="391")}, "specialties.391"),
        ([("4 = { name", "# 4 = { name")], lambda _exam: {"subjects": ["4"]}, "subjects.4"),
        ([("\n3301-02 =", "\n# 3301-02 =")], lambda _exam: {"site_id": "3301-02"}, "regions.33.sites.3301-02"),
        (
            [("\n4313 =", "\n# 4313 ="), ("\n4313-01 =", "\n# 4313-01 =")],
            lambda _exam: {"point_id": "4313"},
            "institutions.43.points.4313",
        ),
    ],
    ids=["specialty", "subject", "site", "point"],
)
def test_what_an_application_refers_to_is_not_removed(
    health: Exam,
    tmp_path: Path,
    edits: list[tuple[str, str]],
    choices: Callable[[Exam], dict[str, Any]],
    path: str,
) -> None:
    apply_for(health, **choices(health))
    file = edited(tmp_path, *edits)
    before = everything()
    with pytest.raises(ExamYearRefused) as refused:
        apply_exam_year(path=file)
    [problem] = refused.value.problems
    assert (problem.path, problem.reason) == (path, "cannot be removed: used by application rows (1)")
    assert everything() == before
    assert [problem.path for problem in plan_exam_year(path=file).refusals] == [path]


def test_a_level_that_a_specialty_added_by_staff_refers_to_is_not_removed(health: Exam, tmp_path: Path) -> None:
    level = health.levels.get(code="1")
    Specialty.objects.create(
        exam=health, level=level, code="199", name="新", category="技术", format="paper", source="A"
    )
    removed = [(f"\n{code} =", f"\n# {code} =") for code in range(101, 112)]
    file = edited(tmp_path, *removed, ('\n1 = { name = "初级(士)"', "\n# 1 = {"), *[("1 = { fee = 50 }, ", "")] * 2)
    with pytest.raises(ExamYearRefused, match=r"levels\.1: cannot be removed: used by specialty rows \(1\)"):
        apply_exam_year(path=file)


# --- Export ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_applying_an_export_changes_nothing(path: Path, tmp_path: Path) -> None:
    apply_exam_year(path=path)
    before = exam_data()
    export = tmp_path / "export.toml"
    export.write_text(export_exam_year(code=path.stem), encoding="utf-8")
    assert not apply_exam_year(path=export).written
    assert exam_data() == before


def test_an_export_holds_what_staff_changed_and_settles_it(health: Exam, tmp_path: Path) -> None:
    Point.objects.filter(pk="3301").update(telephone="0571-2")
    ExamRegion.objects.filter(region="42").update(notice="本考区另有通知。", automatic=True)
    ExamSite.objects.filter(site="4313-01").delete()
    Specialty.objects.filter(code="391").delete()
    export = tmp_path / "export.toml"
    export.write_text(export_exam_year(code="2024-health"), encoding="utf-8")
    assert apply_exam_year(path=export).plan.differences == []
    assert verdicts(export) == {}
    assert export.read_text(encoding="utf-8").count("## 现场确认须知") == 1, "common notices are told once"


def test_an_unknown_exam_cannot_be_exported() -> None:
    with pytest.raises(ExamYearRefused, match="there is no exam 2030-health"):
        export_exam_year(code="2030-health")
