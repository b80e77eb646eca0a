"""Changing an exam year in the database: who, what, and when a second person decides (R01, R11, R28)."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.actors import SYSTEM, VISITOR, Actor, acting
from accounts.models import Candidate, LedgerEvent, Point, Site
from registration.models import Application, Exam, ExamRegion, ExamYearChange
from registration.services import exam_year_changes
from tests import factories
from tests.conftest import TICK
from tests.registration.changing import (
    BEFORE,
    INSIDE,
    administrator,
    approve,
    beijing,
    hunan,
    point,
    propose,
    refusal,
)

pytestmark = pytest.mark.django_db

NEW_NOTICE = "## 报名确认\n\n请携带原件。"


def drafted(row: Any, values: dict[str, Any], *, at: datetime) -> exam_year_changes.Draft:
    seen = exam_year_changes.shown(row)
    return exam_year_changes.draft(row=row, values=values, vouched=False, seen=seen, at=at)


# --- Proposing and carrying out -------------------------------------------------------------------
@pytest.mark.rule("R11", "R28")
def test_in_an_open_window_a_change_waits_for_a_second_person(exam: Exam) -> None:
    first, second = administrator(), factories.staff_of(None, "43")
    change = propose(hunan(exam), first, notice=NEW_NOTICE)
    assert (change.state, change.kind, change.key, change.region_id) == ("proposed", "region", "2024-health/43", "43")
    assert change.old == {"notice": "请在规定时间内办理报名确认。"}
    assert change.new == {"notice": NEW_NOTICE}
    assert hunan(exam).notice == "请在规定时间内办理报名确认。"
    approve(change, second)
    change.refresh_from_db()
    assert (change.state, change.decided_by_id, change.decided_at) == ("live", int(second.id), INSIDE)
    assert hunan(exam).notice == NEW_NOTICE
    events = LedgerEvent.objects.filter(stream="exam_year", stream_id=str(change.pk)).order_by("position")
    assert list(events.values_list("action", "actor_id", "reason")) == [
        ("exam_year.proposed", first.id, "考点已迁址"),
        ("exam_year.live", second.id, ""),
    ]
    assert events[0].payload == {"kind": "region", "key": "2024-health/43", "fields": ["notice"]}


def test_before_the_window_one_person_carries_it_out_at_once(exam: Exam) -> None:
    change = propose(hunan(exam), administrator(), at=BEFORE, alone=True, notice=NEW_NOTICE)
    assert change.state == "live"
    assert hunan(exam).notice == NEW_NOTICE
    assert drafted(hunan(exam), {"notice": "x"}, at=BEFORE).second is False


@pytest.mark.rule("R28")
@pytest.mark.parametrize(
    "row", [hunan, lambda _exam: point(), lambda _exam: Site.objects.get(pk="430101")], ids=["region", "point", "site"]
)
def test_nobody_carries_out_alone_in_an_open_window(exam: Exam, row: Callable[[Exam], Any]) -> None:
    found = row(exam)
    values = {"notice": NEW_NOTICE} if isinstance(found, ExamRegion) else {"address": "长沙市新址1号"}
    assert refusal(lambda: propose(found, administrator(), alone=True, **values)) == "second_person"


# The exam is open from 1 to 14 December, confirming from 4 December 9:00 to 20 December 17:00.
MOMENTS = {
    beijing(2023, 12, 1) - TICK: False,
    beijing(2023, 12, 1): True,
    beijing(2023, 12, 15): True,
    beijing(2023, 12, 20, 17) - TICK: True,
    beijing(2023, 12, 20, 17): False,
}


@pytest.mark.rule("R01")
@pytest.mark.parametrize(("at", "second"), MOMENTS.items(), ids=str)
@pytest.mark.parametrize("kind", ["exam", "region", "point", "site"])
def test_windows_are_half_open_in_the_service_and_in_the_trigger(
    exam: Exam, kind: str, at: datetime, second: bool
) -> None:
    row: Any = {"exam": exam, "region": hunan(exam), "point": point(), "site": Site.objects.get(pk="430101")}[kind]
    values = {"exam": {"cutoff": date(2023, 12, 30)}, "region": {"notice": "x"}}.get(kind, {"telephone": "0731-1"})
    actor = administrator("" if kind == "exam" else "43")
    assert drafted(row, values, at=at).second is second
    change = propose(row, actor, at=at, **values)
    decided = {"state": "live", "decided_by": int(actor.id), "decided_at": at}
    if second:
        with pytest.raises(IntegrityError, match="two persons"), transaction.atomic():
            ExamYearChange.objects.filter(pk=change.pk).update(**decided)
    else:
        assert ExamYearChange.objects.filter(pk=change.pk).update(**decided) == 1


def test_opening_a_closed_window_again_takes_a_second_person(exam: Exam) -> None:
    after = beijing(2023, 12, 25)
    admin = administrator("")
    change = {"closes_at": beijing(2024, 1, 1), "at": after}
    assert refusal(lambda: propose(exam, admin, alone=True, **change)) == "second_person"
    proposed = propose(exam, admin, **change)
    with pytest.raises(IntegrityError, match="two persons"), transaction.atomic():
        ExamYearChange.objects.filter(pk=proposed.pk).update(state="live", decided_by=int(admin.id), decided_at=after)
    approve(proposed, administrator(""), at=after)
    exam.refresh_from_db()
    assert exam.is_open(after)
    again = {"confirmation_closes_at": beijing(2024, 1, 1), "at": beijing(2024, 1, 2) - timedelta(days=2)}
    exam.closes_at = beijing(2023, 12, 15)
    exam.save()
    assert refusal(lambda: propose(hunan(exam), administrator(), alone=True, **again)) == "second_person"


def test_raw_sql_alone_inserts_nothing_live_in_an_open_window(exam: Exam) -> None:
    admin = administrator()
    row: dict[str, Any] = {
        "kind": "point",
        "key": "4301",
        "region_id": "43",
        "title": "x",
        "old": {"telephone": "000-00000000"},
        "new": {"telephone": "1"},
        "reason": "x",
        "proposed_by_id": int(admin.id),
        "proposed_at": INSIDE,
        "state": "live",
        "decided_by_id": int(admin.id),
        "decided_at": INSIDE,
    }
    with pytest.raises(IntegrityError, match="two persons"), transaction.atomic():
        ExamYearChange.objects.create(**row)
    ExamYearChange.objects.create(**row | {"decided_at": BEFORE})


def test_a_point_that_takes_part_in_no_open_exam_is_changed_alone(exam: Exam) -> None:
    exam.regions.get(region="43").exam_sites.all().delete()
    propose(point(), administrator(), alone=True, telephone="0731-1")
    assert point().telephone == "0731-1"


# --- Who ------------------------------------------------------------------------------------------
@pytest.mark.rule("R28")
def test_only_administrators_propose_and_only_in_their_own_region(exam: Exam) -> None:
    others = [
        administrator("12"),
        factories.staff_of(None, "43"),
        factories.staff_of(point()),
        factories.staff_of(None, role="auditor"),
        acting(factories.make_candidate()),
        VISITOR,
        SYSTEM,
    ]
    for row in (hunan(exam), point(), Site.objects.get(pk="430101")):
        for actor in others:
            values = {"notice": "x"} if isinstance(row, ExamRegion) else {"telephone": "1"}
            assert refusal(lambda: propose(row, actor, **values)) == "forbidden", (row, actor)  # noqa: B023
    assert propose(point(), administrator(""), telephone="1").state == "proposed"


@pytest.mark.rule("R28")
def test_an_exam_is_the_nations(exam: Exam) -> None:
    for actor in (administrator(), factories.staff_of(None, role="auditor")):
        assert refusal(lambda: propose(exam, actor, cutoff=date(2023, 12, 30))) == "forbidden"  # noqa: B023
    change = propose(exam, administrator(""), cutoff=date(2023, 12, 30))
    for actor in (administrator(), factories.staff_of(None, "43")):
        assert refusal(lambda: approve(change, actor)) == "forbidden"  # noqa: B023
    approve(change, administrator(""))
    exam.refresh_from_db()
    assert exam.cutoff == date(2023, 12, 30)


@pytest.mark.rule("R28")
def test_the_second_person_is_of_the_region_and_not_the_first(exam: Exam) -> None:
    first = administrator()
    change = propose(hunan(exam), first, notice=NEW_NOTICE)
    assert refusal(lambda: approve(change, first)) == "same_person"
    assert refusal(lambda: exam_year_changes.refuse(change=change, actor=first, reason="x", at=INSIDE)) == "same_person"
    for actor in (administrator("12"), factories.staff_of(point()), factories.staff_of(None, role="auditor"), SYSTEM):
        assert refusal(lambda: approve(change, actor)) == "forbidden"  # noqa: B023
    for possible in (administrator(), administrator(""), factories.staff_of(None, "43")):
        assert exam_year_changes.may_decide(possible, change)
    approve(change, administrator(""))


def test_the_same_person_does_not_approve_after_the_window_either(exam: Exam) -> None:
    first = administrator()
    change = propose(hunan(exam), first, notice=NEW_NOTICE)
    assert refusal(lambda: approve(change, first, at=beijing(2024, 1, 1))) == "same_person"


# --- Refusing and withdrawing ---------------------------------------------------------------------
def test_refused_with_a_reason_changes_nothing_and_is_final(exam: Exam) -> None:
    change, second = propose(hunan(exam), administrator(), notice=NEW_NOTICE), factories.staff_of(None, "43")
    refuse = {"change": change, "actor": second, "at": INSIDE}
    assert refusal(lambda: exam_year_changes.refuse(reason=" ", **refuse)) == "no_reason"
    exam_year_changes.refuse(reason="日期有误", **refuse)
    change.refresh_from_db()
    assert (change.state, change.refusal) == ("refused", "日期有误")
    assert hunan(exam).notice == "请在规定时间内办理报名确认。"
    assert refusal(lambda: approve(change, second)) == "wrong_state"
    assert LedgerEvent.objects.filter(action="exam_year.refused").get().reason == "日期有误"


@pytest.mark.rule("R28")
def test_only_who_proposed_withdraws_and_only_while_it_waits(exam: Exam) -> None:
    first = administrator()
    change = propose(hunan(exam), first, notice=NEW_NOTICE)
    for actor in (administrator(), administrator("12"), factories.staff_of(None, "43")):
        act = {"change": change, "actor": actor, "at": INSIDE}
        assert refusal(lambda: exam_year_changes.withdraw(**act)) == "forbidden"  # noqa: B023
    exam_year_changes.withdraw(change=change, actor=first, at=INSIDE)
    change.refresh_from_db()
    assert change.state == "withdrawn"
    assert refusal(lambda: approve(change, administrator())) == "wrong_state"
    assert refusal(lambda: exam_year_changes.withdraw(change=change, actor=first, at=INSIDE)) == "wrong_state"


# --- What stands there now ------------------------------------------------------------------------
def test_a_row_changed_since_the_form_was_shown_is_not_turned_back(exam: Exam) -> None:
    seen = exam_year_changes.shown(point())
    Point.objects.filter(pk="4301").update(address="长沙市新址1号")
    assert refusal(lambda: propose(point(), administrator(), telephone="1", seen=seen)) == "outdated"


def test_a_value_changed_since_it_was_proposed_is_outdated_another_is_not(exam: Exam) -> None:
    one, two = (propose(point(), administrator(), telephone=number) for number in ("0731-1", "0731-2"))
    Point.objects.filter(pk="4301").update(address="长沙市新址1号")
    approve(one, administrator())
    assert point().telephone == "0731-1"
    assert refusal(lambda: approve(two, administrator())) == "outdated"


def test_what_is_gone_is_not_changed(exam: Exam) -> None:
    change = propose(hunan(exam), administrator(), notice=NEW_NOTICE)
    exam.regions.get(region="43").delete()
    assert refusal(lambda: approve(change, administrator())) == "gone"


# --- What an exam-year file could not say ---------------------------------------------------------
@pytest.mark.rule("R01")
@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"closes_at": beijing(2023, 12, 1)}, "invalid_closes_at"),
        ({"closes_at": beijing(2024, 4, 14)}, "invalid_days"),
        ({"days": [date(2023, 12, 14)]}, "invalid_days"),
        ({"days": []}, "invalid_days"),
        ({"opens_at": beijing(2023, 12, 4, 9, 1)}, "invalid_opens_at"),
    ],
    ids=str,
)
def test_an_exam_says_nothing_that_its_file_could_not(exam: Exam, values: dict[str, Any], code: str) -> None:
    assert refusal(lambda: propose(exam, administrator(""), **values)) == code


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"confirmation_closes_at": beijing(2023, 12, 4, 9)}, "invalid_confirmation_closes_at"),
        ({"confirmation_opens_at": beijing(2023, 11, 30)}, "invalid_confirmation_opens_at"),
        ({"notice": " "}, "invalid_notice"),
        ({"notice": "请在规定时间内办理报名确认。"}, "unchanged"),
    ],
    ids=str,
)
def test_a_region_says_nothing_that_its_file_could_not(exam: Exam, values: dict[str, Any], code: str) -> None:
    assert refusal(lambda: propose(hunan(exam), administrator(), **values)) == code


def test_what_has_become_impossible_meanwhile_is_not_carried_out(exam: Exam) -> None:
    change = propose(hunan(exam), administrator(), confirmation_opens_at=beijing(2023, 12, 1))
    Exam.objects.update(opens_at=beijing(2023, 12, 2))
    assert refusal(lambda: approve(change, administrator())) == "invalid_confirmation_opens_at"


def test_without_a_reason_nothing_is_proposed(exam: Exam) -> None:
    assert refusal(lambda: propose(hunan(exam), administrator(), notice="x", reason=" ")) == "no_reason"


def test_the_way_of_confirming_stays_once_a_candidate_has_chosen_the_region(exam: Exam, draft: Application) -> None:
    assert refusal(lambda: propose(hunan(exam), administrator(), online=True)) == "invalid_online"
    assert refusal(lambda: propose(hunan(exam), administrator(), automatic=True)) == "invalid_automatic"
    tianjin = exam.regions.select_related("exam", "region").get(region="12")
    approve(propose(tianjin, administrator("12"), automatic=True), administrator("12"))
    tianjin.refresh_from_db()
    assert (tianjin.online, tianjin.automatic) == (True, True)


# --- Example data ---------------------------------------------------------------------------------
def test_one_true_value_leaves_the_rest_of_the_entry_an_example(exam: Exam) -> None:
    approve(propose(point(), administrator(), telephone="0731-1"), administrator())
    assert (point().source, point().example) == ("example", True)


def test_an_entry_that_staff_vouch_for_is_no_example_any_more(exam: Exam) -> None:
    change = propose(point(), administrator(), telephone="0731-1", vouched=True)
    assert change.new == {"telephone": "0731-1", "source": "staff"}
    approve(change, administrator())
    assert (point().source, point().example) == ("staff", False)
    approve(propose(point(), administrator(), telephone="0731-2"), administrator())
    assert point().source == "staff"


@pytest.mark.parametrize(("before", "after"), [("S", "staff"), ("D", "D"), ("staff", "staff")])
def test_what_staff_change_bears_the_weaker_grade(exam: Exam, before: str, after: str) -> None:
    Point.objects.filter(pk="4301").update(source=before)
    approve(propose(point(), administrator(), telephone="0731-1"), administrator())
    assert point().source == after


def test_the_exam_is_no_example_once_nothing_in_it_is(exam: Exam) -> None:
    Exam.objects.update(example=True)
    exam.levels.update(source="S")
    exam.regions.exclude(region="43").update(source="S")
    Point.objects.exclude(pk="4301").update(source="S")
    Site.objects.update(source="S")
    admin, second = administrator(), administrator()
    approve(propose(hunan(exam), admin, vouched=True), second)
    exam.refresh_from_db()
    assert exam.example is True, "a point of it is still invented"
    approve(propose(point(), admin, vouched=True), second)
    exam.refresh_from_db()
    assert exam.example is False


# --- What the database keeps ----------------------------------------------------------------------
@pytest.fixture
def decided(exam: Exam) -> ExamYearChange:
    return approve(propose(hunan(exam), administrator(), notice=NEW_NOTICE), administrator())


def test_what_was_decided_is_never_altered(decided: ExamYearChange) -> None:
    for values in ({"state": "proposed"}, {"reason": "x"}, {"decided_at": BEFORE}):
        with pytest.raises(Exception, match="never altered"), transaction.atomic():
            ExamYearChange.objects.filter(pk=decided.pk).update(**values)


@pytest.mark.parametrize("values", [{"new": {"notice": "x"}}, {"reason": "x"}, {"key": "2024-health/12"}], ids=str)
def test_what_was_proposed_is_never_altered(exam: Exam, values: dict[str, Any]) -> None:
    change = propose(hunan(exam), administrator(), notice=NEW_NOTICE)
    with pytest.raises(Exception, match="what was proposed is never altered"), transaction.atomic():
        ExamYearChange.objects.filter(pk=change.pk).update(**values)


def test_changes_are_never_deleted(exam: Exam) -> None:
    change = propose(hunan(exam), administrator(), notice=NEW_NOTICE)
    with pytest.raises(Exception, match="never deleted"), transaction.atomic():
        change.delete()


def test_changes_are_never_emptied() -> None:
    with pytest.raises(Exception, match="never emptied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE registration_examyearchange")


def test_the_database_wants_somebody_who_decided_and_why(exam: Exam) -> None:
    change = propose(hunan(exam), administrator(), notice=NEW_NOTICE)
    rows, second = ExamYearChange.objects.filter(pk=change.pk), administrator()
    for values, constraint in (
        ({"state": "live"}, "decided_by_somebody"),
        ({"state": "refused", "decided_by": int(second.id), "decided_at": INSIDE}, "has_reasons"),
        ({"state": "done", "decided_by": int(second.id), "decided_at": INSIDE}, "state_known"),
    ):
        with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
            rows.update(**values)


@pytest.mark.rule("R28")
def test_changes_are_seen_where_the_row_is(exam: Exam, candidate: Candidate) -> None:
    from accounts.territory import visible_to

    def sees(actor: Actor) -> set[str]:
        return set(visible_to(actor, ExamYearChange).values_list("key", flat=True))

    propose(exam, administrator(""), cutoff=date(2023, 12, 30))
    propose(hunan(exam), administrator(), notice="x")
    for code in ("4301", "4302", "1201"):
        row = Point.objects.select_related("region").get(pk=code)
        propose(row, administrator(code[:2]), telephone="1")
    propose(Site.objects.get(pk="430101"), administrator(), hours="9:00-12:00")
    of_region = {"2024-health", "2024-health/43", "4301", "4302", "430101"}
    assert sees(administrator()) == of_region
    assert sees(administrator("")) == of_region | {"1201"}
    assert sees(factories.staff_of(point())) == {"2024-health", "4301", "430101"}
    assert sees(acting(candidate)) == set()
