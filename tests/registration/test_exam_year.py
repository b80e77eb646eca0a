"""Applying exam years: a new year is data."""

from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Barrier, BrokenBarrierError, Thread
from typing import Any

import pytest
from django.db import IntegrityError, connection
from pytest_django import DjangoAssertNumQueries

from accounts.models import LedgerEvent, Point, Region, Site
from exam_portal import clock
from registration.models import (
    AppliedExamYear,
    Exam,
    ExamRegion,
    Level,
    RegionFee,
    Specialty,
)
from registration.services.exam_year import (
    Applied,
    ExamYearRefused,
    apply,
    apply_exam_year,
)
from tests import factories
from tests.registration.exam_years import ALL, HEALTH, LAST_YEAR, NURSE, PATH, edited, everything, telephone

pytestmark = pytest.mark.django_db

# Within the transaction that the test runs in, a savepoint and its release count as well.
FIRST, AGAIN, CHANGED = 25, 23, 26


@pytest.fixture
def health() -> Exam:
    apply_exam_year(path=HEALTH)
    return Exam.objects.get(code="2024-health")


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
        assert ("线上确认" if region.online else "现场确认") in region.notice
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
    assert first.written and first.plan.counts["created"] == 687
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
    actor = factories.staff_of(None, role="national_admin")
    apply_exam_year(path=edited(tmp_path, telephone("0571-1")), actor=actor)
    event = LedgerEvent.objects.filter(stream="exam", stream_id="2024-health").last()
    applied = AppliedExamYear.objects.get()
    assert event and event.action == "exam_year.applied" and (event.actor_kind, event.actor_id) == ("staff", actor.id)
    assert event.payload == {
        "created": 0,
        "changed": 1,
        "removed": 0,
        "kept": 0,
        "conflicts": 0,
        "digest": applied.digest,
    }
    assert applied.applied_by == f"staff {actor.id}" and applied.document[PATH] == "0571-1"


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
    monkeypatch.setattr(apply, "take_turn", lambda: None)
    results = _two_at_once(monkeypatch)
    assert [type(result) for result in results if isinstance(result, Exception)] == [IntegrityError]


@pytest.mark.django_db(transaction=True)
def test_two_applies_take_turns_and_the_second_has_nothing_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    results = _two_at_once(monkeypatch)
    assert sorted(result.written for result in results if isinstance(result, Applied)) == [False, True]
