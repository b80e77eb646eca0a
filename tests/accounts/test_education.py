"""Education records through their services: five that stand, and corrected ones that are kept (R27)."""

from datetime import date
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import InternalError, transaction

from accounts import schools
from accounts.actors import acting
from accounts.models import Candidate, EducationRecord, LedgerEvent
from accounts.services import education as service
from exam_portal import clock
from registration.models import Application
from registration.services import snapshot
from tests import factories
from tests.accounts.educating import add, correct, events, numbers
from tests.accounts.requests import refusal

pytestmark = pytest.mark.django_db


def rows() -> list[dict[str, Any]]:
    """Everything that the table says."""
    return list(EducationRecord.objects.order_by("pk").values())


# --- Adding -------------------------------------------------------------------------------------
def test_a_record_is_saved_as_it_was_told_and_stands_unverified(newcomer: Candidate) -> None:
    record = add(newcomer, "105411201305000001")
    record.refresh_from_db()
    assert record.content == factories.education("105411201305000001")
    assert (record.position, record.school_code) == (1, "4143010541")
    assert (record.superseded_at, record.supersedes, record.verification) == (None, None, "unverified")
    assert record.created_at == record.ask_at
    assert events(newcomer) == [("education.added", {"record": record.pk, "position": 1})]
    assert LedgerEvent.objects.get(action="education.added").actor_id == str(newcomer.pk)


@pytest.mark.parametrize("day", [1, 2, 31])
def test_of_the_month_of_graduation_any_day_is_kept_as_the_first(newcomer: Candidate, day: int) -> None:
    content = {**factories.education(), "graduated": date(2013, 7, day)}
    record = service.add_education(candidate=newcomer, actor=acting(newcomer), **content)
    record.refresh_from_db()
    assert record.graduated == date(2013, 7, 1)


@pytest.mark.rule("R27")
def test_five_records_stand_and_a_sixth_is_refused(newcomer: Candidate) -> None:
    assert [add(newcomer, str(number)).position for number in range(1, 6)] == [1, 2, 3, 4, 5]
    before = rows()
    assert refusal(lambda: add(newcomer, "6")) == "education_full"
    assert (rows(), len(events(newcomer))) == (before, 5)


def test_the_same_record_twice_is_one_also_where_five_stand(newcomer: Candidate) -> None:
    records = [add(newcomer, str(number)) for number in range(1, 6)]
    assert [add(newcomer, str(number)) for number in range(1, 6)] == records
    assert (EducationRecord.objects.count(), len(events(newcomer))) == (5, 5)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("qualification", "master"),
        ("degree", "none"),
        ("school_kind", "adult"),
        ("school", "中南大学"),
        ("school_note", "湘雅校区"),
        ("major", "药学"),
        ("graduated", "2013-06"),
        ("certificate_kind", "degree"),
        ("certificate_number", "2"),
        ("certification_number", "X1"),
    ],
)
def test_a_record_with_one_thing_otherwise_is_another(newcomer: Candidate, field: str, value: str) -> None:
    assert add(newcomer) != add(newcomer, **{"number": "1", field: value})
    assert newcomer.education.count() == 2


@pytest.mark.parametrize(
    ("field", "value"), [("graduated", date(2024, 1, 1)), ("graduated", date(1949, 12, 1)), ("major", "药" * 61)]
)
def test_what_cannot_be_right_is_refused_and_nothing_saved(newcomer: Candidate, field: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        service.add_education(candidate=newcomer, actor=acting(newcomer), **{**factories.education(), field: value})
    assert list(refused.value.message_dict) == [field]
    assert (rows(), events(newcomer)) == ([], [])


@pytest.mark.parametrize(
    ("field", "value"),
    [("school_kind", "x"), ("certificate_kind", "x"), ("qualification", "x"), ("degree", "x"), ("school_kind", "")],
)
def test_an_unknown_kind_is_refused_and_nothing_saved(newcomer: Candidate, field: str, value: str) -> None:
    with pytest.raises(ValidationError) as refused:
        add(newcomer, **{field: value})
    assert list(refused.value.message_dict) == [field]
    assert rows() == []


def test_somebody_else_can_neither_add_nor_correct(candidate: Candidate, newcomer: Candidate) -> None:
    before, record = rows(), candidate.education.get()
    other = acting(newcomer)
    assert (
        refusal(lambda: service.add_education(candidate=candidate, actor=other, **factories.education())) == "forbidden"
    )
    assert (
        refusal(lambda: service.correct_education(record=record, actor=other, **factories.education())) == "forbidden"
    )
    assert (rows(), events(candidate)) == (before, [])


# --- Schools ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("school", "code"),
    [
        ("中南大学", "4143010533"),
        ("湘雅医学院", "4143010533"),
        (" 中南 大学 ", "4143010533"),
    ],
)
def test_a_school_of_the_list_is_kept_with_its_code_as_it_was_told(newcomer: Candidate, school: str, code: str) -> None:
    record = add(newcomer, school=school)
    assert (record.school, record.school_code, record.school_note) == (school, code, "")


def test_a_school_that_is_not_in_the_list_needs_a_note(newcomer: Candidate) -> None:
    with pytest.raises(ValidationError) as refused:
        add(newcomer, school="某某医科大学")
    assert list(refused.value.message_dict) == ["school_note"]
    assert rows() == []
    record = add(newcomer, school="某某医科大学", school_note="在某省某市")
    assert (record.school_code, record.school_note) == (schools.OTHER, "在某省某市")


# --- Correcting ---------------------------------------------------------------------------------
@pytest.mark.rule("R27")
def test_a_corrected_record_takes_the_place_of_the_old_one_which_is_kept(newcomer: Candidate) -> None:
    first, second = add(newcomer, "1"), add(newcomer, "2")
    (old,) = [row for row in rows() if row["id"] == first.pk]
    corrected = correct(first, "1a")
    (kept,) = [row for row in rows() if row["id"] == first.pk]
    superseded_at = kept.pop("superseded_at")
    old.pop("superseded_at")
    assert kept == old
    assert first.created_at < superseded_at <= corrected.created_at
    assert (corrected.position, corrected.supersedes) == (1, first)
    assert list(newcomer.education.standing()) == [corrected, second]
    assert events(newcomer)[-1] == (
        "education.corrected",
        {"record": corrected.pk, "position": 1, "supersedes": first.pk},
    )


@pytest.mark.rule("R27")
def test_a_correction_changes_every_field_and_begins_unverified(newcomer: Candidate) -> None:
    record = add(newcomer)
    EducationRecord.objects.filter(pk=record.pk).update(verification="passed", verified_at=clock.now(), ask_at=None)
    content = factories.education(
        "2",
        qualification="secondary",
        degree="none",
        school_kind="secondary",
        school="示例卫生学校",
        school_note="在某市",
        major="护理",
        graduated="2008-06",
        certification_number="3",
    )
    corrected = service.correct_education(record=record, actor=acting(newcomer), **content)
    corrected.refresh_from_db()
    assert (corrected.content, corrected.school_code) == (content, schools.OTHER)
    assert (corrected.verification, corrected.verified_at) == ("unverified", None)
    assert corrected.ask_at is not None
    record.refresh_from_db()
    assert record.verification == "passed"


@pytest.mark.rule("R27")
def test_with_five_records_each_can_be_corrected_a_sixth_time_and_more(newcomer: Candidate) -> None:
    records = [add(newcomer, str(number)) for number in range(1, 6)]
    for turn in range(7):
        records[turn % 5] = correct(records[turn % 5], f"{turn}a")
    assert numbers(newcomer) == ["5a", "6a", "2a", "3a", "4a"]
    assert [record.position for record in newcomer.education.standing()] == [1, 2, 3, 4, 5]
    assert newcomer.education.count() == 12
    assert refusal(lambda: add(newcomer, "6")) == "education_full"


@pytest.mark.rule("R27")
def test_superseded_records_do_not_count_towards_five(newcomer: Candidate) -> None:
    record = add(newcomer, "1")
    for number in range(2, 8):
        record = correct(record, str(number))
    assert newcomer.education.count() == 7
    assert [add(newcomer, f"{number}a").position for number in range(2, 6)] == [2, 3, 4, 5]
    assert numbers(newcomer) == ["7", "2a", "3a", "4a", "5a"]


def test_what_was_corrected_away_can_be_added_again(newcomer: Candidate) -> None:
    correct(add(newcomer, "1"), "2")
    assert add(newcomer, "1").position == 2
    assert numbers(newcomer) == ["2", "1"]


def test_correcting_back_to_what_it_was_is_a_third_record(newcomer: Candidate) -> None:
    first = add(newcomer, "1")
    third = correct(correct(first, "2"), "1")
    assert third.content == first.content
    assert list(newcomer.education.standing()) == [third]
    assert newcomer.education.count() == 3


def test_a_correction_that_changes_nothing_is_refused(newcomer: Candidate) -> None:
    record = add(newcomer)
    before = rows()
    assert refusal(lambda: correct(record)) == "unchanged"
    assert (rows(), len(events(newcomer))) == (before, 1)


def test_the_same_correction_twice_is_one(newcomer: Candidate) -> None:
    record = add(newcomer, "1")
    corrected = correct(record, "2")
    before = rows()
    assert correct(record, "2") == corrected
    assert (rows(), len(events(newcomer))) == (before, 2)


@pytest.mark.rule("R27")
@pytest.mark.parametrize("number", ["1", "3"])
def test_a_record_that_was_corrected_is_not_corrected_otherwise(newcomer: Candidate, number: str) -> None:
    record = add(newcomer, "1")
    correct(record, "2")
    before = rows()
    assert refusal(lambda: correct(record, number)) == "superseded"
    assert (rows(), len(events(newcomer))) == (before, 2)


def test_a_correction_that_does_not_count_leaves_the_old_record_standing(newcomer: Candidate) -> None:
    record = add(newcomer)
    before = rows()
    with pytest.raises(ValidationError):
        correct(record, certificate_kind="training")
    with pytest.raises(ValidationError):
        service.correct_education(
            record=record, actor=acting(newcomer), **{**factories.education("2"), "graduated": date(2024, 1, 1)}
        )
    assert (rows(), len(events(newcomer))) == (before, 1)


# --- Elsewhere ----------------------------------------------------------------------------------
@pytest.mark.rule("R27")
def test_a_snapshot_has_the_records_that_stand_only(draft: Application) -> None:
    first = draft.candidate.education.get()
    earlier = snapshot.take(draft)["education"]
    correct(first, "2", school="湘雅医学院", graduated="2010-06")
    add(draft.candidate, "3")
    later = snapshot.take(draft)["education"]
    assert [record["certificate_number"] for record in earlier] == ["100011201305000001"]
    assert [(record["certificate_number"], record["school_code"], record["graduated"]) for record in later] == [
        ("2", "4143010533", "2010-06"),
        ("3", "4143010541", "2013-07"),
    ]


@pytest.mark.rule("R27")
def test_a_record_is_not_deleted_through_its_model(newcomer: Candidate) -> None:
    record = add(newcomer, "1")
    correct(record, "2")
    for act in (newcomer.education.all().delete, newcomer.education.standing().delete, record.delete):
        with pytest.raises(InternalError, match="a saved education record is never deleted"), transaction.atomic():
            act()
    assert newcomer.education.count() == 2
