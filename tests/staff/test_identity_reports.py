"""A report that somebody took a number is made by anybody: it opens nobody's account to staff (R07, R28)."""

from typing import Any

import pytest
from django.test import Client

from accounts.actors import acting, working_as
from accounts.models import Candidate, IdentityRequest, Point
from accounts.territory import visible_to
from exam_portal import clock
from registration.models import Application, Exam
from registration.services import applications
from tests import factories
from tests.accounts.requests import approve, ask_change, check, refusal, report
from tests.factories import resident_id
from tests.staff.desks import clerk, of_nation, of_region, page, scan, text_of
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R07", "R28")]


@pytest.fixture
def stranger(exam: Exam) -> Candidate:
    """Somebody who applies in another region."""
    candidate = factories.make_candidate(name="陌生人", user__username="stranger1990")
    draft = factories.make_draft(candidate, exam, region="12")
    applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    return candidate


def nothing_of(stranger: Candidate, response: Any) -> None:
    """Neither who it is, nor since when, nor where and for what the person applies."""
    text = response.content.decode()
    application = Application.objects.get(candidate=stranger)
    for personal in (stranger.name, stranger.user.username, stranger.id_number, application.exam.title, "天津"):
        assert personal not in text, personal
    assert application.number not in text
    assert "注册时间" not in text


def test_the_page_of_a_report_tells_nothing_of_whose_account_it_is(stranger: Candidate, point: Point) -> None:
    row = report(stranger.id_number, point)
    response = staff_client(clerk()).get(page(row))
    nothing_of(stranger, response)
    assert (response.context["has_account"], response.context["same_name"]) == (True, False)
    assert (response.context["obstacles"], response.context["more_against"]) == ([], False)
    assert response.context["looked_at_later"]
    assert "没有妨碍办理的事项" not in text_of(response)


def test_checking_it_opens_nothing_either(candidate: Candidate, point: Point) -> None:
    """Neither to the point nor to the region; the region decides by the originals and the scan."""
    member = clerk()
    row = check(report(candidate.id_number, point), working_as(member))
    assert row.candidate == candidate
    for assignment in (member, of_region()):
        actor = working_as(assignment)
        assert not visible_to(actor, Candidate).filter(pk=candidate.pk).exists()
        desk = staff_client(assignment)
        assert desk.get(f"/staff/accounts/candidate/{candidate.pk}/change/").status_code == 404
        assert candidate.user.username not in desk.get(page(row)).content.decode()


def test_what_stands_against_it_elsewhere_is_not_named_once_it_is_checked(stranger: Candidate, point: Point) -> None:
    row, member = report(stranger.id_number, point), clerk()
    response = staff_client(member).post(page(row, "check"), {"proof": scan(), "remark": ""}, follow=True)
    nothing_of(stranger, response)
    row.refresh_from_db()
    assert row.state == "checked"
    shown = staff_client(of_region()).get(page(row))
    nothing_of(stranger, shown)
    assert (shown.context["obstacles"], shown.context["more_against"]) == ([], True)
    assert refusal(lambda: approve(row, working_as(of_region()))) == "guarded"


def test_once_it_is_decided_nothing_of_the_account_is_told_any_more(candidate: Candidate, point: Point) -> None:
    desk = staff_client(clerk())
    reported, asked = report(candidate.id_number, point), ask_change(candidate, point, name="张珊")
    for row in (reported, asked):
        desk.post(page(row, "refuse"), {"reason": "证明不足"})
        shown = desk.get(page(row))
        assert not shown.context["has_account"] and shown.context["account"] is None
        assert "所涉账户" not in text_of(shown)
    assert candidate.user.username not in desk.get(page(reported)).content.decode()


@pytest.mark.rule("R07")
def test_nothing_is_closed_for_a_report_before_its_originals_were_seen(draft: Application, point: Point) -> None:
    """Anybody makes one: a reviewer who believes it, or made it, must not cost somebody the year."""
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    row, region = report(draft.candidate.id_number, point), staff_client(of_region())
    close = f"/staff/registration/application/{draft.pk}/close/"
    answer = region.post(close, {"request": row.number, "reason": "冒用他人证件号码"})
    assert answer.context["form"].has_error("request")
    draft.refresh_from_db()
    assert draft.state == "submitted"


def test_that_the_account_bears_the_applicants_own_name_is_told(candidate: Candidate, point: Point) -> None:
    desk = staff_client(clerk())
    own = desk.get(page(report(candidate.id_number, point, name=candidate.name)))
    assert (own.context["has_account"], own.context["same_name"]) == (True, True)
    none = desk.get(page(report(resident_id(9), point)))
    assert (none.context["has_account"], none.context["same_name"]) == (False, False)
    assert "该证件号码没有注册账户" in text_of(none)


def test_a_region_is_led_to_its_own_registration_and_to_no_other(draft: Application, point: Point) -> None:
    """What it closes it sees anyway; what another closes is only said to be there."""
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    row = check(report(draft.candidate.id_number, point), working_as(clerk()))

    def against(desk: Client) -> tuple[list[str], bool]:
        context = desk.get(page(row)).context
        return [obstacle.url for obstacle in context["obstacles"]], context["more_against"]

    close = f"/staff/registration/application/{draft.pk}/close/"
    assert against(staff_client(of_region())) == ([close], False)
    assert against(staff_client(clerk())) == against(staff_client(of_nation())) == ([], True)


def test_the_deletion_is_carried_out_without_any_more_being_shown(draft: Application, point: Point) -> None:
    """Point and region do their parts through their pages, in the order of the day: check, close, approve."""
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())
    row = report(draft.candidate.id_number, point)
    here, region = staff_client(clerk()), staff_client(of_region())
    here.post(page(row, "check"), {"proof": scan(), "remark": "本人持身份证原件到场"})
    asked = region.get(page(row))
    (obstacle,) = asked.context["obstacles"]
    assert f"…… {obstacle.label} {obstacle.where}" in text_of(asked), "the link says what it closes"
    region.post(f"{obstacle.url}?request={row.number}", {"request": row.number, "reason": "冒用他人证件号码"})
    region.post(page(row, "approve"), {"remark": "同意"})
    assert IdentityRequest.objects.get(pk=row.pk).state == "done"
    assert Candidate.objects.get(pk=draft.candidate_id).deleted_at is not None
    assert "该账户已删除" in text_of(region.get(page(row)))
