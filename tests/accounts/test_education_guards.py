"""What the database itself holds of R21 and R27: each guard against somebody who goes around the services."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pgtrigger
import pytest
from django.db import Error, IntegrityError, InternalError, connection, transaction

from accounts.models import Candidate, EducationRecord
from exam_portal import clock
from tests import factories
from tests.accounts.educating import add, correct

pytestmark = pytest.mark.django_db


@contextmanager
def refused(by: str, error: type[Error] = InternalError) -> Iterator[None]:
    """Refused by a constraint or a trigger, at the latest when it would be committed; everything is as before."""
    before = list(EducationRecord.objects.order_by("pk").values())
    with pytest.raises(error, match=by), transaction.atomic():  # noqa: PT012
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert list(EducationRecord.objects.order_by("pk").values()) == before


def insert(candidate: Candidate, **more: Any) -> EducationRecord:
    row = {
        **factories.education(),
        "candidate": candidate,
        "position": 1,
        "school_code": "4143010541",
        "created_at": clock.now(),
        **more,
    }
    return EducationRecord.objects.create(**row)


def supersede(record: EducationRecord) -> None:
    EducationRecord.objects.filter(pk=record.pk).update(superseded_at=clock.now())


def run(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


# --- Five, each in its place (R27) ----------------------------------------------------------------
@pytest.mark.rule("R27")
@pytest.mark.parametrize("position", [0, 6])
def test_there_are_places_one_to_five(newcomer: Candidate, position: int) -> None:
    with refused("education_at_most_five", IntegrityError):
        insert(newcomer, position=position)


@pytest.mark.rule("R27")
def test_one_record_stands_in_a_place(newcomer: Candidate) -> None:
    insert(newcomer)
    with refused("education_position_once", IntegrityError):
        insert(newcomer, certificate_number="2")


# --- Never deleted (R27) --------------------------------------------------------------------------
@pytest.mark.rule("R27")
@pytest.mark.parametrize(
    "act",
    [
        lambda: EducationRecord.objects.all().delete(),
        lambda: EducationRecord.objects.standing().delete(),
        lambda: EducationRecord.objects.exclude(superseded_at=None).delete(),
        lambda: run("DELETE FROM accounts_educationrecord"),
        lambda: run("DELETE FROM accounts_educationrecord WHERE superseded_at IS NOT NULL"),
    ],
)
def test_neither_a_standing_record_nor_a_superseded_one_is_deleted(newcomer: Candidate, act: Callable[[], Any]) -> None:
    correct(add(newcomer, "1"), "2")
    with refused("a saved education record is never deleted"):
        act()


@pytest.mark.rule("R27")
def test_a_candidate_is_not_deleted_together_with_education(newcomer: Candidate) -> None:
    add(newcomer)
    with refused(".*", Error):
        Candidate.objects.filter(pk=newcomer.pk).delete()


# --- Never altered (R27) --------------------------------------------------------------------------
@pytest.mark.rule("R27")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("qualification", "master"),
        ("degree", "master"),
        ("school_kind", "adult"),
        ("school", "中南大学"),
        ("school_code", "4143010533"),
        ("school_note", "x"),
        ("major", "药学"),
        ("graduated", date(2012, 7, 1)),
        ("certificate_kind", "degree"),
        ("certificate_number", "2"),
        ("certification_number", "2"),
        ("position", 2),
        ("created_at", clock.now()),
    ],
)
def test_nothing_of_a_record_is_altered_whether_it_stands_or_not(newcomer: Candidate, field: str, value: Any) -> None:
    old = add(newcomer, "1")
    for record in (old, correct(old, "3")):
        with refused("education_is_never_altered"):
            EducationRecord.objects.filter(pk=record.pk).update(**{field: value})


@pytest.mark.rule("R27")
def test_a_record_is_not_given_to_another_candidate(candidate: Candidate, newcomer: Candidate) -> None:
    with refused("education_is_never_altered"):
        candidate.education.update(candidate=newcomer)


@pytest.mark.rule("R27")
def test_what_a_record_supersedes_is_not_altered(newcomer: Candidate) -> None:
    corrected = correct(add(newcomer, "1"), "2")
    other = add(newcomer, "3")
    for value in (None, other):
        with refused("education_is_never_altered"):
            EducationRecord.objects.filter(pk=corrected.pk).update(supersedes=value)


# --- Superseded for good, and by exactly one corrected record (R27) -------------------------------
@pytest.mark.rule("R27")
@pytest.mark.parametrize("value", [None, clock.now()])
def test_a_superseded_record_does_not_stand_again(newcomer: Candidate, value: Any) -> None:
    record = add(newcomer, "1")
    correct(record, "2")
    with refused("education_superseded_for_good"):
        EducationRecord.objects.filter(pk=record.pk).update(superseded_at=value)


@pytest.mark.rule("R27")
def test_a_record_is_not_done_away_with_by_marking_it(newcomer: Candidate) -> None:
    record = add(newcomer)
    with refused("a record is superseded by a corrected one"):
        supersede(record)


@pytest.mark.rule("R27")
def test_a_marked_record_is_not_replaced_by_one_that_does_not_supersede_it(newcomer: Candidate) -> None:
    record = add(newcomer, "1")
    with refused("a record is superseded by a corrected one"):
        supersede(record)
        insert(newcomer, certificate_number="2")


@pytest.mark.rule("R27")
def test_a_correction_is_of_a_record_that_no_longer_stands(newcomer: Candidate) -> None:
    record = add(newcomer, "1")
    with refused("a correction takes the place of a record of the same candidate"):
        insert(newcomer, supersedes=record)


@pytest.mark.rule("R27")
@pytest.mark.parametrize("position", [2, 5])
def test_a_correction_takes_the_very_place(newcomer: Candidate, position: int) -> None:
    record = add(newcomer, "1")
    with refused("a correction takes the place of a record of the same candidate"):
        supersede(record)
        insert(newcomer, supersedes=record, position=position)


@pytest.mark.rule("R27")
def test_a_correction_is_of_the_same_candidate(candidate: Candidate, newcomer: Candidate) -> None:
    record = candidate.education.get()
    with refused("a correction takes the place of a record of the same candidate"):
        supersede(record)
        insert(newcomer, supersedes=record)


@pytest.mark.rule("R27")
def test_a_record_is_superseded_by_one_only(newcomer: Candidate) -> None:
    record = add(newcomer, "1")
    corrected = correct(record, "2")
    with refused("supersedes_id", IntegrityError):
        supersede(corrected)
        insert(newcomer, supersedes=record, certificate_number="3")


@pytest.mark.rule("R27")
def test_a_record_does_not_begin_as_a_superseded_one(newcomer: Candidate) -> None:
    with refused("education_begins_standing"):
        insert(newcomer, superseded_at=clock.now())


@pytest.mark.rule("R27")
def test_a_record_is_not_done_away_with_by_a_correction_that_never_stood(newcomer: Candidate) -> None:
    record = add(newcomer)
    with refused("education_begins_standing"):
        supersede(record)
        insert(newcomer, supersedes=record, superseded_at=clock.now())


@pytest.mark.rule("R27")
def test_a_correction_is_not_done_away_with_by_marking_it_too(newcomer: Candidate) -> None:
    record = add(newcomer)
    with refused("a record is superseded by a corrected one"):
        supersede(record)
        supersede(insert(newcomer, supersedes=record))


# --- What counts (R21) ----------------------------------------------------------------------------
@pytest.mark.rule("R21")
@pytest.mark.parametrize(
    ("more", "constraint"),
    [
        ({"school_kind": "party"}, "education_recognised"),
        ({"school_kind": "unapproved"}, "education_recognised"),
        ({"school_kind": "x"}, "education_recognised"),
        ({"certificate_kind": "completion"}, "education_recognised"),
        ({"certificate_kind": "attendance"}, "education_recognised"),
        ({"certificate_kind": "training"}, "education_recognised"),
        ({"certificate_kind": "x"}, "education_recognised"),
        ({"certificate_kind": ""}, "education_recognised"),
        ({"school_kind": "military"}, "education_certified"),
        ({"school_kind": "abroad"}, "education_certified"),
        ({"certificate_kind": "degree", "degree": "none"}, "education_degree_named"),
        ({"school_kind": "secondary", "qualification": "college", "degree": "none"}, "education_secondary"),
        ({"qualification": "college"}, "education_degree_fits"),
        ({"school_code": "999999"}, "education_other_school_noted"),
        ({"graduated": date(2013, 7, 2)}, "education_month"),
    ],
)
def test_what_does_not_count_is_not_stored(newcomer: Candidate, more: dict[str, Any], constraint: str) -> None:
    with refused(constraint, IntegrityError):
        insert(newcomer, **more)


@pytest.mark.rule("R21")
@pytest.mark.parametrize("more", [{"school_kind": "", "certificate_kind": ""}, {"school_kind": ""}])
def test_a_new_record_says_its_kinds(newcomer: Candidate, more: dict[str, str]) -> None:
    with refused("education_says_all"):
        insert(newcomer, **more)


@pytest.mark.rule("R21")
def test_a_record_of_earlier_days_stays_and_is_corrected_into_one_that_says_all(newcomer: Candidate) -> None:
    with pgtrigger.ignore("accounts.EducationRecord:education_says_all"):
        old = insert(newcomer, school_kind="", certificate_kind="", school_code="")
    assert not old.complete
    corrected = correct(old, "1")
    assert (corrected.complete, corrected.supersedes, corrected.position) == (True, old, 1)
    with refused("education_is_never_altered"):
        EducationRecord.objects.filter(pk=old.pk).update(school_kind="regular", certificate_kind="graduation")


# --- Verification ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "more",
    [
        {"verification": "passed"},
        {"verification": "failed"},
        {"verification": "x"},
        {"verification": ""},
        {"verified_at": clock.now()},
        {"verification": "x", "verified_at": clock.now()},
    ],
)
def test_the_state_of_verification_is_known_and_has_its_time(newcomer: Candidate, more: dict[str, Any]) -> None:
    record = add(newcomer)
    with refused("education_verification_known", IntegrityError):
        EducationRecord.objects.filter(pk=record.pk).update(**more)
