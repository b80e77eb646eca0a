"""A clerk's work on a candidate: found by ID number, revealed, signed out, looked at, and back, with pictures."""

from collections.abc import Callable

import pytest
from django.urls import reverse

from accounts.actors import acting
from accounts.models import LedgerEvent, Point
from exam_portal import clock
from registration.services import applications
from tests import factories
from tests.accounts.requests import ask_deletion
from tests.browser.conftest import DESK, Walker
from tests.browser.test_staff_homes import sign_in


@pytest.mark.rule("R28", "R30")
@pytest.mark.parametrize(
    ("script", "dark"), [(True, False), (True, True), (False, False)], ids=["light", "dark", "no-script"]
)
def test_a_clerk_finds_reveals_helps_and_looks(
    walker: Callable[..., Walker], transactional_db: None, script: bool, dark: bool
) -> None:
    exam = factories.make_exam()
    for name in ("王芳", "王芳芳", "买买提·吐尔逊"):
        other = factories.CandidateFactory(name=name)
        factories.give_basic_information(other)
        factories.give_photo(other)
        factories.give_education(other)
        factories.give_wechat(other)
        factories.make_draft(other, exam)
    candidate = factories.CandidateFactory(name="林𫖯")
    factories.give_basic_information(candidate)
    factories.give_photo(candidate)
    factories.give_education(candidate, 2)
    factories.give_wechat(candidate)
    draft = factories.make_draft(candidate, exam)
    applications.submit(application=draft, actor=acting(candidate), at=clock.now())
    point = Point.objects.get(code="4301")
    ask_deletion(candidate, point)
    staff = factories.make_staff(point, role="site_clerk", site="430101")

    walk = walker(DESK, dark=dark, script=script)
    sign_in(walk, staff)
    page = walk.page
    walk.go("/staff/")
    page.get_by_role("link", name="考生", exact=True).click()
    walk.look("list")
    search = page.get_by_role("searchbox")

    search.fill(factories.resident_id(7))
    page.keyboard.press("Enter")
    page.get_by_text("未找到考生").wait_for()
    walk.look("nobody")
    search.fill("王芳")
    page.keyboard.press("Enter")
    page.get_by_text("姓名为“王芳”").wait_for()
    walk.look("by-name")
    page.get_by_role("button", name="同时显示以此开头的姓名").click()
    page.get_by_text("姓名以“王芳”开头").wait_for()
    page.get_by_role("button", name="显示全部").click()

    search.fill(f" {candidate.id_number.lower()} ")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('admin:accounts_candidate_change', args=[candidate.pk])}")
    walk.look("candidate")

    page.get_by_role("link", name="查看完整证件号码").click()
    walk.look("why")
    page.get_by_role("button", name="查看完整证件号码").click()
    page.locator(".field-error").get_by_text("请填写").wait_for()
    page.get_by_label("原因").fill("核对身份证原件")
    page.get_by_role("button", name="查看完整证件号码").click()
    page.get_by_text(candidate.id_number).wait_for()
    walk.look("revealed")
    page.get_by_role("link", name="返回考生页面").click()

    page.locator("summary", has_text="全部退出登录").click()
    form = page.locator("form[action$='/sessions/']")
    form.get_by_role("button").click()
    walk.look("reason-missing")
    form.get_by_label("原因").fill("考生手机丢失")
    form.get_by_role("button").click()
    page.get_by_text("考生手机丢失").wait_for()
    walk.look("signed-out")

    page.locator("summary", has_text="登记核验结果").first.click()
    form = page.locator("form[action*='/education/']").first
    form.get_by_label("核验结果").select_option("passed")
    form.get_by_label("核对依据").fill("毕业证原件")
    form.get_by_role("button").click()
    page.get_by_text("核验通过").first.wait_for()

    page.locator("summary", has_text="以考生视角查看网站").click()
    form = page.locator("form[action$='/look/']")
    form.get_by_label("原因").fill("考生来电：看不到报名表")
    form.get_by_role("button").click()
    page.wait_for_url("**/dashboard/")
    walk.look("as-candidate")
    page.get_by_role("link", name=exam.title).click()
    walk.look("overview")
    walk.go(reverse("registration:form_pdf", args=[exam.code]))
    walk.look("paper-withheld")
    walk.go("/account/education/")
    page.locator("main form button[type=submit]").last.click()
    page.get_by_text("刚才的操作没有生效").wait_for()
    walk.look("nothing-sent")
    walk.go("/staff/")
    walk.look("home-while-looking")
    page.get_by_role("button", name="结束查看").click()
    page.wait_for_url(f"**{reverse('admin:accounts_candidate_change', args=[candidate.pk])}")
    walk.look("back")
    actions = LedgerEvent.objects.filter(actor_id=str(staff.user_id)).order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["id_number.revealed", "sessions.ended", "education.verification", "candidate.looked_at"]
