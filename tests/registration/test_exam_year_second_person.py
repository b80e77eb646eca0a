"""In an open window a change of the exam year is decided by a second person, not by an account given out (R28)."""

from itertools import product

import pytest

from accounts.actors import Actor, working_as
from accounts.models import Site, StaffAssignment
from accounts.services import staff
from accounts.territory import visible_to
from exam_portal import clock
from registration import queries
from registration.models import Exam, ExamYearChange
from registration.services import exam_year_changes
from tests import factories
from tests.registration.changing import INSIDE, administrator, approve, hunan, point, propose, refusal
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R28")]


def given_out(actor: Actor) -> StaffAssignment:
    how = {"username": "another.account", "name": "王另", "role": "region_reviewer", "code": "43"}
    return staff.add(actor=actor, at=clock.now(), **how)


def test_who_got_the_role_from_who_proposed_neither_approves_nor_refuses(exam: Exam) -> None:
    first = administrator()
    assignment = given_out(first)
    second = working_as(assignment)
    change = propose(Site.objects.get(code="430101"), first, telephone="0731-1")
    refuse = {"change": change, "actor": second, "reason": "x", "at": INSIDE}
    assert refusal(lambda: approve(change, second)) == "same_person"
    assert refusal(lambda: exam_year_changes.refuse(**refuse)) == "same_person"
    assert not exam_year_changes.may_decide(second, change)
    assert not queries.waiting_for(second, ExamYearChange.objects.all()).exists()
    shown = staff_client(assignment).get(f"/staff/registration/examyearchange/{change.pk}/change/")
    assert not shown.context["may_decide"]
    assert str(shown.context["another_decides"]) in shown.content.decode()
    independent = factories.staff_of(None, "43")
    assert list(queries.waiting_for(independent, ExamYearChange.objects.all())) == [change]
    assert approve(change, independent).state == "live"


def test_what_waits_for_somebody_is_what_they_may_decide(exam: Exam) -> None:
    """The list asks the database, the page the row: each change, of each kind, for each who approves and sees it."""
    nation, region, elsewhere = administrator(""), administrator(), administrator("12")
    given = working_as(given_out(region))
    site, values = Site.objects.get(code="430101"), {"telephone": "0731-1"}
    rows = ((exam, {"days": ["2024-04-13"]}), (hunan(exam), {"notice": "新"}), (point(), values), (site, values))
    for (row, changes), actor in product(rows, (nation, region)):
        if exam_year_changes.may_propose(actor, row):
            propose(row, actor, **changes)
    refused = propose(point(), region, telephone="0731-2")
    exam_year_changes.refuse(change=refused, actor=nation, reason="x", at=INSIDE)
    waiting = set()
    for actor in (nation, administrator(""), region, given, factories.staff_of(None, "43"), elsewhere):
        seen = visible_to(actor, ExamYearChange)
        theirs = set(queries.waiting_for(actor, seen))
        waits = seen.filter(state=ExamYearChange.State.PROPOSED)
        assert theirs == {change for change in waits if exam_year_changes.may_decide(actor, change)}, actor
        waiting.add(len(theirs))
    assert waiting == {0, 3, 6, 7}, "the cases differ"
