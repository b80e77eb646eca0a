"""A day at the desks: a clerk's case, the region's decision, an administrator's new clerk, an auditor's look.

At 1366 × 768, by keyboard: what is reached with Tab, Enter and typing alone.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from accounts.actors import acting, working_as
from accounts.models import Candidate, IdentityRequest, LedgerEvent, LedgerVerification, Point, StaffAssignment
from accounts.services import identity_desk, ledger
from exam_portal import clock
from registration.models import Exam
from registration.services import applications
from tests import factories
from tests.accounts.requests import PROOF, ask_change, check, report
from tests.browser.conftest import DESK, Walker
from tests.browser.test_staff_homes import sign_in
from tests.factories import resident_id
from tests.staff.desks import clerk, of_nation, of_region

pytestmark = [pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def private_files(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def point(transactional_db: None) -> Point:
    factories.make_exam()
    return Point.objects.get(code="4301")


def sit_down(walk: Walker, assignment: StaffAssignment) -> None:
    """Sign somebody of staff in, who has just proved to be it."""
    sign_in(walk, assignment)
    walk.go("/staff/")


def reach(walk: Walker, selector: str, *, most: int = 60) -> None:
    """Press Tab until the focus is on this element."""
    wanted = walk.page.locator(selector).first
    for _ in range(most):
        if wanted.evaluate("e => e === document.activeElement"):
            return
        walk.page.keyboard.press("Tab")
    raise AssertionError(f"{selector} is not reached with {most} presses of Tab")


def press_enter(walk: Walker) -> None:
    """Press Enter where it leads to a page."""
    with walk.page.expect_navigation():
        walk.page.keyboard.press("Enter")


@pytest.mark.rule("R07")
@pytest.mark.parametrize(
    ("script", "dark"), [(True, False), (True, True), (False, False)], ids=["light", "dark", "no-script"]
)
def test_a_clerks_case_from_search_to_done(
    walker: Callable[..., Walker], point: Point, script: bool, dark: bool, tmp_path: Any
) -> None:
    candidate = factories.make_candidate()
    row = ask_change(candidate, point, name="张𠮷珊")
    report(resident_id(8), point, name="阿依古丽·买买提")
    walk = walker(DESK, script=script, dark=dark)
    sit_down(walk, clerk())
    walk.look("home")
    reach(walk, "main .queues a")
    press_enter(walk)
    walk.look("list")
    reach(walk, "#searchbar")
    walk.page.keyboard.type(row.number)
    press_enter(walk)
    assert walk.page.url.endswith(f"/{row.pk}/change/")
    walk.look("case")
    reach(walk, "main a[href$='/reveal/']")
    press_enter(walk)
    reach(walk, "#id_reason")
    walk.page.keyboard.type("与身份证原件核对")
    reach(walk, "main form button")
    press_enter(walk)
    assert candidate.id_number in walk.page.locator(".revealed").inner_text()
    walk.look("revealed")
    reach(walk, "main a[href$='/change/']")
    press_enter(walk)
    reach(walk, "#check_remark")
    walk.page.keyboard.type("户口簿与身份证相符")
    reach(walk, "form[action$='/check/'] button")
    press_enter(walk)
    assert walk.page.locator("#check_proof_error").count() == 1
    assert walk.page.locator("#check_remark").input_value() == "户口簿与身份证相符"
    walk.look("mistake")
    scanned = tmp_path / "scan.pdf"
    scanned.write_bytes(PROOF)
    walk.page.locator("#check_proof").set_input_files(scanned)
    reach(walk, "form[action$='/check/'] button")
    press_enter(walk)
    walk.look("done")
    assert Candidate.objects.get(pk=candidate.pk).name == "张𠮷珊"
    assert IdentityRequest.objects.get(pk=row.pk).state == "done"


@pytest.mark.rule("R07", "R28")
def test_the_region_closes_what_stands_against_it_and_approves_a_changed_number(
    walker: Callable[..., Walker], point: Point
) -> None:
    candidate = factories.make_candidate()
    row = check(ask_change(candidate, point, id_number=resident_id(7)), working_as(clerk()))
    draft = factories.make_draft(candidate, Exam.objects.get())
    applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    walk = walker(DESK)
    sit_down(walk, of_region())
    walk.look("home")
    reach(walk, "main .queues a[href$='checked']")
    press_enter(walk)
    walk.page.get_by_role("link", name=" ".join([row.number[:4], row.number[4:8], row.number[8:]])).click()
    walk.look("stands-against")
    reach(walk, ".against a")
    press_enter(walk)
    walk.look("close")
    reach(walk, "#id_reason")
    walk.page.keyboard.type("证件号码登记错误，先关闭报名")
    reach(walk, "main form button")
    press_enter(walk)
    walk.look("closed")
    reach(walk, "#approve_remark")
    walk.page.keyboard.type("同意变更")
    reach(walk, "form[action$='/approve/'] button")
    press_enter(walk)
    walk.look("approved")
    assert Candidate.objects.get(pk=candidate.pk).id_number == resident_id(7)


@pytest.mark.rule("R07", "R28")
def test_the_region_looks_at_a_taken_number(walker: Callable[..., Walker], point: Point) -> None:
    row = check(report(factories.make_candidate().id_number, point), working_as(clerk()))
    walk = walker(DESK, dark=True)
    sit_down(walk, of_region("43", "region_admin"))
    walk.go(f"/staff/accounts/identityrequest/{row.pk}/change/")
    walk.look("taken")
    reach(walk, "#refuse_reason")
    walk.page.keyboard.type("证件与申请人不符")
    reach(walk, "form[action$='/refuse/'] button")
    press_enter(walk)
    walk.look("refused")
    row.refresh_from_db()
    assert row.state == "refused"


@pytest.mark.rule("R28", "R32")
def test_a_region_administrator_adds_a_clerk(walker: Callable[..., Walker], point: Point) -> None:
    clerk()
    walk = walker(DESK)
    sit_down(walk, of_region("43", "region_admin"))
    reach(walk, "#staff-menu a[href$='/staffassignment/']")
    press_enter(walk)
    walk.look("list")
    reach(walk, ".list-act a")
    press_enter(walk)
    walk.look("empty")
    reach(walk, "#id_username")
    walk.page.keyboard.type("liuyang")
    reach(walk, "#id_name")
    walk.page.keyboard.type("刘洋")
    walk.fill(role="point_reviewer", code="430101")
    reach(walk, "main form button")
    press_enter(walk)
    assert walk.page.locator("#id_code_error").count() == 1
    walk.look("mistake")
    walk.fill(role="site_clerk")
    reach(walk, "main form button")
    press_enter(walk)
    assert "/account/welcome/" in walk.page.locator("output").inner_text()
    walk.look("welcome")
    added = StaffAssignment.objects.get(user__username="liuyang")
    walk.go(f"/staff/accounts/staffassignment/{added.pk}/change/")
    walk.look("member")
    reach(walk, "main a[href$='/link/']")
    press_enter(walk)
    walk.look("help")
    reach(walk, "#id_reason")
    walk.page.keyboard.type("忘记密码，本人到场")
    reach(walk, "main form button")
    press_enter(walk)
    assert "/account/welcome/" in walk.page.locator("output").inner_text()
    walk.look("link")
    walk.go(f"/staff/accounts/staffassignment/{added.pk}/change/")
    reach(walk, "main a[href$='/end/']")
    press_enter(walk)
    walk.look("end")
    reach(walk, "main form button")
    press_enter(walk)
    walk.look("ended")
    added.refresh_from_db()
    assert added.valid_until is not None


@pytest.mark.rule("R28")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_an_auditors_day(walker: Callable[..., Walker], point: Point, dark: bool) -> None:
    candidate, member = factories.make_candidate(), clerk()
    exam = factories.make_exam("2024-nurse", prefix="24N")
    factories.make_draft(candidate, exam)
    row = check(ask_change(candidate, point, id_number=resident_id(7)), working_as(member))
    identity_desk.reveal(request=row, actor=working_as(member), reason="与身份证原件核对", at=clock.now())
    identity_desk.read_proof(request=row, actor=working_as(of_region()), reason="审批", at=clock.now())
    identity_desk.refuse(request=row, actor=working_as(of_region()), reason="材料不足", at=clock.now())
    walk = walker(DESK, dark=dark)
    sit_down(walk, of_nation())
    walk.look("home-never-verified")
    ledger.verify_and_note(at=clock.now())
    walk.go("/staff/")
    assert walk.page.locator(".warning-line").count() == 0
    reach(walk, "#staff-menu a[href$='/ledgerevent/']")
    press_enter(walk)
    walk.look("ledger")
    reach(walk, "#audit_person")
    walk.page.keyboard.type(member.user.username)
    press_enter(walk)
    assert walk.page.locator(".history tbody tr").count() == 2
    walk.look("by-person")
    walk.page.locator("#audit_person").fill("")
    walk.page.locator("#audit_action").select_option("reads.*")
    walk.page.locator("#audit_since").fill("2023-12-05")
    reach(walk, "#audit button")
    press_enter(walk)
    assert walk.page.locator(".history tbody tr").count() == 2
    walk.look("reads")
    walk.page.locator("#audit_until").fill("2023-12-04")
    walk.page.locator("#audit_person").fill("nobody.here")
    reach(walk, "#audit button")
    press_enter(walk)
    walk.look("mistakes")
    LedgerVerification.objects.create(
        at=datetime(2023, 12, 5, 3, 20, tzinfo=clock.BEIJING),
        events=LedgerEvent.objects.count(),
        faults=2,
        first_faults="candidate:17 event 3: was altered\nstaff:4: ends otherwise than its head says (2 events)",
    )
    walk.go("/staff/")
    walk.look("home-faults")
    reach(walk, ".warning-line a")
    press_enter(walk)
    walk.look("faults")
