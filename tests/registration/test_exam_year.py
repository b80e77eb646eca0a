"""Planning, applying and exporting exam years against the database."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection
from pytest_django import DjangoAssertNumQueries

from accounts.actors import Actor
from accounts.models import LedgerEvent, Point, Region, Site
from exam_portal import clock
from registration.models import (
    Application,
    AppliedExamYear,
    Exam,
    ExamRegion,
    ExamSite,
    Level,
    RegionFee,
    Specialty,
    Subject,
)
from registration.services.exam_year import (
    Applied,
    ExamYearRefused,
    Verdict,
    apply,
    apply_exam_year,
    export_exam_year,
    plan_exam_year,
)
from tests.factories import CandidateFactory
from tests.registration.exam_years import ALL, HEALTH, LAST_YEAR, NURSE, TELEPHONE, edited

pytestmark = pytest.mark.django_db

PATH = "institutions.33.points.3301.telephone"
# Within the transaction that the test runs in, a savepoint and its release count as well.
FIRST, AGAIN, CHANGED = 22, 17, 20
MODELS = (Region, Point, Site, Exam, Level, Specialty, Subject, ExamRegion, RegionFee, ExamSite)


def everything() -> dict[str, list[dict[str, Any]]]:
    """All that an exam year writes, and its record."""
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in (*MODELS, AppliedExamYear)}


def verdicts(path: Path) -> dict[str, Verdict]:
    return {difference.path: difference.verdict for difference in plan_exam_year(path=path).differences}


def telephone(number: str) -> tuple[str, str]:
    return TELEPHONE, f'telephone = "{number}"'


@pytest.fixture
def health() -> Exam:
    apply_exam_year(path=HEALTH)
    return Exam.objects.get(code="2024-health")


def apply_for(exam: Exam, **choices: Any) -> Application:
    return Application.objects.create(
        candidate=CandidateFactory(), exam=exam, number="24W000001", channel="web", **choices
    )


# --- A new year is data ---------------------------------------------------------------------------


@pytest.mark.rule("R01")
def test_2024_exam_opens_on_december_1_and_closes_after_december_14(health: Exam) -> None:
    tick = timedelta(microseconds=1)
    opens = clock.now().replace(year=2023, month=12, day=1, hour=0, minute=0, second=0, microsecond=0)
    closes = opens.replace(day=15)
    moments = [opens - tick, opens, closes - tick, closes]
    assert [health.is_open(moment) for moment in moments] == [False, True, True, False]
    assert [day.isoformat() for day in health.days] == ["2024-04-13", "2024-04-14", "2024-04-20", "2024-04-21"]


@pytest.mark.rule("R01")
def test_another_exam_and_another_year_are_only_files(health: Exam) -> None:
    for path in (NURSE, LAST_YEAR):
        apply_exam_year(path=path)
    nurse = Exam.objects.get(code="2024-nurse")
    assert set(nurse.regions.filter(online=True).values_list("region", flat=True)) == {"12", "66"}
    assert not nurse.regions.filter(automatic=True).exists()
    assert list(nurse.subjects.values_list("name", flat=True)) == ["专业实务", "实践能力"]
    assert Exam.objects.get(code="2023-health").specialties.count() == 119
    assert (Region.objects.count(), Point.objects.count(), Site.objects.count()) == (32, 120, 175)


@pytest.mark.rule("R11")
@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_every_region_publishes_when_where_and_how_it_confirms(path: Path) -> None:
    apply_exam_year(path=path)
    regions = ExamRegion.objects.prefetch_related("exam_sites__site__point")
    assert len(regions) == 32
    for region in regions:
        assert region.confirmation_opens_at < region.confirmation_closes_at
        assert ("网上确认" if region.online else "现场确认") in region.notice
        assert ("自动确认" in region.notice) is region.automatic
        sites = [row.site for row in region.exam_sites.all()]
        assert len({site.point_id for site in sites}) >= 2
        assert all(site.address and site.telephone and site.hours for site in sites)
        assert {site.point.region_id for site in sites} == {region.region_id}


def test_a_region_has_its_own_fees_and_other_regions_the_levels(health: Exam) -> None:
    fees = RegionFee.objects.filter(exam_region__exam=health).order_by("exam_region__region", "level__code")
    assert [(fee.exam_region.region_id, fee.level.code, str(fee.fee)) for fee in fees] == [
        *(("34", level, fee) for level, fee in (("1", "50.00"), ("2", "50.00"), ("3", "70.00"))),
        *(("35", level, "50.00") for level in "123"),
    ]
    assert [str(level.fee) for level in health.levels.all()] == ["50.00", "60.00", "70.00"]


# --- Applying -------------------------------------------------------------------------------------


def test_first_apply_writes_in_bulk_and_the_second_only_reads(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(FIRST):
        first = apply_exam_year(path=HEALTH)
    before = everything()
    with django_assert_num_queries(AGAIN):
        second = apply_exam_year(path=HEALTH)
    assert first.written and first.plan.counts["created"] == 667
    assert not second.written and second.plan.differences == []
    assert everything() == before
    assert LedgerEvent.objects.filter(stream="exam").count() == 1


@pytest.mark.parametrize("count", [1, 3])
def test_queries_do_not_grow_with_what_changes(
    health: Exam, tmp_path: Path, count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    edits = [(f'name = "{name}考点"', f'name = "{name}考试点"') for name in ("杭州市", "宁波市", "温州市")][:count]
    path = edited(tmp_path, *edits)
    with django_assert_num_queries(CHANGED):
        assert apply_exam_year(path=path).plan.counts["changed"] == count


def test_an_apply_is_on_record(health: Exam, tmp_path: Path) -> None:
    apply_exam_year(path=edited(tmp_path, telephone("0571-1")), actor=Actor(kind="staff", id="7"))
    event = LedgerEvent.objects.filter(stream="exam", stream_id="2024-health").last()
    applied = AppliedExamYear.objects.get()
    assert event and event.action == "exam_year.applied" and (event.actor_kind, event.actor_id) == ("staff", "7")
    assert event.payload == {
        "created": 0,
        "changed": 1,
        "removed": 0,
        "kept": 0,
        "conflicts": 0,
        "digest": applied.digest,
    }
    assert applied.applied_by == "staff 7" and applied.document[PATH] == "0571-1"


def test_a_dry_run_changes_nothing(health: Exam, tmp_path: Path) -> None:
    before = everything()
    applied = apply_exam_year(path=edited(tmp_path, telephone("0571-1")), dry_run=True)
    assert applied.plan.counts["changed"] == 1
    assert everything() == before


def test_a_wrong_file_changes_nothing(health: Exam, tmp_path: Path) -> None:
    before = everything()
    with pytest.raises(ExamYearRefused):
        apply_exam_year(path=edited(tmp_path, telephone("0571-1"), ("14 = {}", "99 = {}")))
    assert everything() == before


def test_the_prefix_of_form_codes_belongs_to_one_exam(health: Exam, tmp_path: Path) -> None:
    path = edited(tmp_path, ('form_prefix = "24N"', 'form_prefix = "24W"'), of=NURSE)
    with pytest.raises(ExamYearRefused, match=r"exam\.form_prefix: 24W is the prefix of 2024-health already"):
        apply_exam_year(path=path)
    assert Exam.objects.count() == 1


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


# --- Example data ---------------------------------------------------------------------------------


def test_an_exam_with_example_data_is_applied_but_not_offered_in_production(health: Exam, settings: Any) -> None:
    assert health.example and health.is_offered
    assert Point.objects.get(pk="3301").example and not Specialty.objects.get(code="101").example
    settings.PORTAL_ENV = "production"
    assert not health.is_offered and not health.is_open(health.opens_at)


def test_an_exam_without_example_data_is_offered(tmp_path: Path, settings: Any) -> None:
    text = HEALTH.read_text(encoding="utf-8").replace('source = "example"', 'source = "A"')
    (tmp_path / "real.toml").write_text(text, encoding="utf-8")
    applied = apply_exam_year(path=tmp_path / "real.toml")
    settings.PORTAL_ENV = "production"
    assert applied.example == [] and Exam.objects.get().is_offered


def test_replacing_the_last_example_shows_after_the_next_apply(tmp_path: Path) -> None:
    text = HEALTH.read_text(encoding="utf-8").replace('source = "example"', 'source = "A"')
    path = tmp_path / "real.toml"
    path.write_text(text.replace('[levels]\nsource = "A"', '[levels]\nsource = "example"'), encoding="utf-8")
    assert apply_exam_year(path=path).example == ["levels.1", "levels.2", "levels.3"]
    Level.objects.update(source="A", example=False)
    assert apply_exam_year(path=path).example == []
    assert not Exam.objects.get().example


# --- Export ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_applying_an_export_changes_nothing(path: Path, tmp_path: Path) -> None:
    apply_exam_year(path=path)
    before = {model: list(model.objects.order_by("pk").values()) for model in MODELS}
    export = tmp_path / "export.toml"
    export.write_text(export_exam_year(code=path.stem), encoding="utf-8")
    assert not apply_exam_year(path=export).written
    assert {model: list(model.objects.order_by("pk").values()) for model in MODELS} == before


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


# --- Two at once ----------------------------------------------------------------------------------


def _two_at_once(monkeypatch: pytest.MonkeyPatch) -> list[Applied | Exception]:
    """Apply the same new file in two connections that meet, where they can, between reading and writing."""
    meeting, write = Barrier(2, timeout=2), apply._write
    results: list[Applied | Exception] = []

    def meet_and_write(*args: Any) -> Any:
        with suppress(BrokenBarrierError):
            meeting.wait()
        return write(*args)

    def run() -> None:
        try:
            results.append(apply_exam_year(path=HEALTH))
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    monkeypatch.setattr(apply, "_write", meet_and_write)
    threads = [Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_two_applies_without_taking_turns_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "_take_turn", lambda: None)
    results = _two_at_once(monkeypatch)
    assert [type(result) for result in results if isinstance(result, Exception)] == [IntegrityError]


@pytest.mark.django_db(transaction=True)
def test_two_applies_take_turns_and_the_second_has_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    results = _two_at_once(monkeypatch)
    assert sorted(result.written for result in results if isinstance(result, Applied)) == [False, True]
