"""Two persons are two: not one with an account that the same person gave out (R07, R28)."""

from collections.abc import Callable

import pytest

from accounts.actors import SYSTEM, Actor, working_as
from accounts.models import Candidate, Point, StaffAssignment, User
from accounts.queries import first_persons
from accounts.services import staff
from accounts.services.second_person import is_second_person
from exam_portal import clock
from tests import factories
from tests.accounts.requests import approve, ask_change, check, refusal
from tests.factories import resident_id
from tests.staff.desks import page
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R28")]


def give_a_role(actor: Actor) -> User:
    how = {"username": "another.account", "name": "王另", "role": "region_reviewer", "code": "43"}
    return staff.add(actor=actor, at=clock.now(), **how).user


def make_a_link(actor: Actor) -> User:
    user = factories.make_staff(region="43").user
    staff.make_link(actor=actor, user=user, at=clock.now())
    return user


GIVE = pytest.mark.parametrize("give", [give_a_role, make_a_link], ids=lambda give: give.__name__)


def administrator() -> StaffAssignment:
    return factories.make_staff(region="43", role="region_admin")


def comes_to_the_point(member: StaffAssignment, point: Point) -> Actor:
    """Whoever administered a region and now works at a point."""
    staff.end(actor=factories.staff_of(None, role="national_admin"), assignment=member, at=clock.now())
    how = {"name": member.name, "role": "point_reviewer", "point": point, "region_id": point.region_id}
    return working_as(StaffAssignment.objects.create(user=member.user, valid_from=clock.now(), **how))


@GIVE
def test_who_got_a_role_or_a_link_from_somebody_is_no_second_person_after_them(
    exam: object, give: Callable[[Actor], User]
) -> None:
    first, other = administrator(), administrator()
    user = give(working_as(first))
    actor = working_as(StaffAssignment.objects.get(user=user))
    assert first_persons(actor) == {user.pk, first.user_id}
    assert not is_second_person(actor, first=first.user_id)
    assert is_second_person(actor, first=other.user_id)
    assert is_second_person(working_as(first), first=user.pk), "who gives roles oversees those to whom they are given"
    assert is_second_person(working_as(other), first=first.user_id)


@pytest.mark.rule("R07")
@GIVE
def test_what_somebody_checked_is_not_approved_by_an_account_that_they_gave_out(
    candidate: Candidate, point: Point, give: Callable[[Actor], User]
) -> None:
    member = administrator()
    user = give(working_as(member))
    request = check(ask_change(candidate, point, id_number=resident_id(7)), comes_to_the_point(member, point))
    given_out = StaffAssignment.objects.get(user=user)
    assert refusal(lambda: approve(request, working_as(given_out))) == "same_person"
    shown = staff_client(given_out).get(page(request))
    assert list(shown.context["acts"]) == ["refuse"]
    assert str(shown.context["another_decides"]) in shown.content.decode()
    independent = factories.make_staff(region="43")
    assert list(staff_client(independent).get(page(request)).context["acts"]) == ["approve", "refuse"]
    assert approve(request, working_as(independent)).state == "done"


@pytest.mark.rule("R07")
def test_who_gave_out_the_account_that_checked_does_not_approve(candidate: Candidate, point: Point) -> None:
    administrator_here = administrator()
    how = {"username": "their.clerk", "name": "李给", "role": "point_reviewer", "code": point.pk}
    clerk = staff.add(actor=working_as(administrator_here), at=clock.now(), **how)
    request = check(ask_change(candidate, point, id_number=resident_id(7)), working_as(clerk))
    assert refusal(lambda: approve(request, working_as(administrator_here))) == "same_person"
    assert list(staff_client(administrator_here).get(page(request)).context["acts"]) == ["refuse"]
    how = {"username": "their.reviewer", "name": "王审", "role": "region_reviewer", "code": "43"}
    colleague = staff.add(actor=working_as(administrator_here), at=clock.now(), **how)
    assert approve(request, working_as(colleague)).state == "done", "two whom one person appointed are two"


@pytest.mark.rule("R07")
def test_two_accounts_that_one_person_opened_anew_are_one(candidate: Candidate, point: Point) -> None:
    clerk, reviewer, master = factories.make_staff(point), factories.make_staff(region="43"), administrator()
    request = check(ask_change(candidate, point, id_number=resident_id(7)), working_as(clerk))
    for member in (clerk, reviewer):
        staff.reset_two_step(actor=working_as(master), user=member.user, reason="手机丢失", at=clock.now())
    assert refusal(lambda: approve(request, working_as(reviewer))) == "same_person"
    assert approve(request, working_as(factories.make_staff(region="43"))).state == "done"


def test_what_the_portal_gave_out_itself_stands_against_nobody(exam: object) -> None:
    user = give_a_role(SYSTEM)
    assert first_persons(working_as(StaffAssignment.objects.get(user=user))) == {user.pk}
