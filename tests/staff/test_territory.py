"""Everybody of staff sees their own territory, and nothing else (R28)."""

import pytest
from django.contrib import admin
from django.db.models import Model

from accounts.actors import SYSTEM, VISITOR, Actor, acting, working_as
from accounts.models import Candidate, IdentityRequest, Message, Point, Region, Site, StaffAssignment
from accounts.roles import Right
from accounts.territory import check_sees, visible_to
from exam_portal.kit.errors import Refused
from exam_portal.staff.checks import check_scopes
from registration.models import Application, Exam, ExamRegion
from tests import factories
from tests.accounts.requests import ask_deletion, check, report

pytestmark = pytest.mark.django_db


def staff(role: str, *, point: str = "", region: str = "", site: str = "") -> Actor:
    return working_as(factories.make_staff(Point.objects.filter(code=point).first(), region, role=role, site=site))


def sees(actor: Actor, row: Model) -> bool:
    return visible_to(actor, type(row)).filter(pk=row.pk).exists()


@pytest.mark.rule("R28")
def test_on_site_any_site_of_the_point_sees_the_application(exam: Exam) -> None:
    candidate = factories.make_candidate()
    application = factories.make_draft(candidate, exam, region="43")  # point 4301
    Site.objects.create(code="430102", point_id="4301", name="第二报名点", address="x", telephone="1", hours="9")
    for actor, expected in (
        (staff("site_clerk", point="4301", site="430101"), True),
        (staff("site_clerk", point="4301", site="430102"), True),
        (staff("site_clerk", point="4302", site="430201"), False),
        (staff("point_reviewer", point="4301"), True),
        (staff("point_reviewer", point="4302"), False),
        (staff("region_reviewer", region="43"), True),
        (staff("region_reviewer", region="12"), False),
        (staff("national_admin"), True),
        (staff("auditor"), True),
    ):
        assert (sees(actor, application), sees(actor, candidate)) == (expected, expected), actor.role


@pytest.mark.rule("R28")
def test_online_only_the_chosen_site_sees_the_application(exam: Exam) -> None:
    candidate = factories.make_candidate()
    application = factories.make_draft(candidate, exam, region="12")  # site 120101
    Site.objects.create(code="120102", point_id="1201", name="第二报名点", address="x", telephone="1", hours="9")
    for site, expected in (("120101", True), ("120102", False)):
        actor = staff("site_clerk", point="1201", site=site)
        assert (sees(actor, application), sees(actor, candidate)) == (expected, expected)
    assert sees(staff("point_reviewer", point="1201"), application)


@pytest.mark.rule("R28")
def test_whom_no_institution_has_only_the_nation_sees(exam: Exam) -> None:
    newcomer = factories.CandidateFactory()
    assert not sees(staff("region_admin", region="43"), newcomer)
    assert sees(staff("national_admin"), newcomer)


@pytest.mark.rule("R07", "R28")
def test_the_point_sees_whom_an_open_application_about_an_identity_is_about(exam: Exam) -> None:
    newcomer = factories.CandidateFactory()
    request = ask_deletion(newcomer, Point.objects.get(code="4301"))
    for actor, expected in (
        (staff("site_clerk", point="4301", site="430101"), True),
        (staff("region_reviewer", region="43"), True),
        (staff("point_reviewer", point="4302"), False),
        (staff("region_admin", region="12"), False),
    ):
        assert (sees(actor, newcomer), sees(actor, request)) == (expected, expected)
    IdentityRequest.objects.filter(pk=request.pk).delete()
    assert not sees(staff("point_reviewer", point="4301"), newcomer)


@pytest.mark.rule("R07", "R28")
def test_a_report_that_anybody_makes_shows_nobody_to_the_point_or_region(exam: Exam) -> None:
    newcomer, point = factories.CandidateFactory(), Point.objects.get(code="4301")
    clerk, region = staff("site_clerk", point="4301", site="430101"), staff("region_reviewer", region="43")
    request = report(newcomer.id_number, point)
    for when in ("made", "checked"):
        assert [sees(actor, newcomer) for actor in (clerk, region)] == [False, False], when
        assert sees(clerk, request) and sees(region, request)
        if when == "made":
            check(request, clerk)
    ask_deletion(newcomer, point)
    assert sees(clerk, newcomer)


@pytest.mark.rule("R28")
def test_places_and_staff_of_one_s_own(exam: Exam) -> None:
    reviewer, region = staff("point_reviewer", point="4301"), staff("region_admin", region="43")
    assert [point.code for point in visible_to(reviewer, Point)] == ["4301"]
    assert [point.code for point in visible_to(region, Point)] == ["4301", "4302"]
    assert [row.region_id for row in visible_to(region, ExamRegion)] == ["43"]
    assert [row.code for row in visible_to(region, Region)] == ["43"]
    assert [site.code for site in visible_to(staff("site_clerk", point="4301", site="430101"), Site)] == ["430101"]
    assert visible_to(reviewer, StaffAssignment).count() == 0
    assert {row.region_id for row in visible_to(region, StaffAssignment)} == {"43"}


@pytest.mark.rule("R28", "R32")
def test_nobody_but_staff_sees_anything(exam: Exam, candidate: Candidate) -> None:
    factories.make_draft(candidate, exam)
    for actor in (SYSTEM, VISITOR, acting(candidate), Actor(kind="staff", id="1", region="43")):
        assert visible_to(actor, Candidate).count() == visible_to(actor, Application).count() == 0


def test_a_model_without_a_scope_is_seen_by_nobody(exam: Exam) -> None:
    with pytest.raises(LookupError, match="Message has no scope"):
        visible_to(staff("national_admin"), Message)


def test_the_right_counts_beside_the_territory(exam: Exam, candidate: Candidate) -> None:
    factories.make_draft(candidate, exam)
    check_sees(staff("point_reviewer", point="4301"), Right.REVEAL_ID, candidate)
    for actor in (staff("auditor"), staff("point_reviewer", point="4302")):
        with pytest.raises(Refused) as refused:
            check_sees(actor, Right.REVEAL_ID, candidate)
        assert refused.value.code == "forbidden"


# --- The system check ---------------------------------------------------------------------------
def test_a_model_registered_without_scope_fails_the_system_check() -> None:
    assert check_scopes() == []
    admin.site.register(Message)
    try:
        assert [(error.id, "accounts.Message" in error.msg) for error in check_scopes()] == [
            ("portal.E003", True),
            ("portal.E004", True),
        ]
    finally:
        admin.site.unregister(Message)


@pytest.mark.parametrize("option", ["inlines", "autocomplete_fields", "raw_id_fields"])
def test_a_page_that_would_read_rows_past_the_territory_fails_the_system_check(
    monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setattr(type(admin.site._registry[Candidate]), option, ["user"])
    assert [(error.id, option in error.msg) for error in check_scopes()] == [("portal.E005", True)]
