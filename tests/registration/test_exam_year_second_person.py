"""In an open window a change of the exam year is decided by a second person, not by an account given out (R28)."""

import pytest

from accounts.actors import Actor, working_as
from accounts.models import Site, StaffAssignment
from accounts.services import staff
from exam_portal import clock
from registration import queries
from registration.models import Exam, ExamYearChange
from registration.services import exam_year_changes
from tests import factories
from tests.registration.changing import INSIDE, administrator, approve, propose, refusal
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R28")]


def given_out(actor: Actor) -> StaffAssignment:
    how = {"username": "another.account", "name": "王另", "role": "region_reviewer", "code": "43"}
    return staff.add(actor=actor, valid_from=clock.now(), **how)


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
