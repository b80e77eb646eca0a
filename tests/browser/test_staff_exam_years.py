"""A region changes its notice while its window is open: seen before, approved by somebody else, read by candidates."""

from collections.abc import Callable

import pytest

from registration.models import ExamRegion, ExamYearChange
from tests import factories
from tests.browser.conftest import DESK, PHONE, Walker
from tests.browser.test_staff_homes import sign_in

OLD = """## 现场确认须知

1. 时间：12月4日至20日。
2. 地点：各考点报名点。
3. 请携带**身份证**原件。"""
NEW = """## 现场确认须知

1. 时间：12月4日至22日。
2. 地点：各考点报名点。
3. 请携带**身份证**、学历证书原件。
4. [省卫生人才网](https://example.org/)

<script>document.title = 'taken'</script>"""


@pytest.mark.rule("R11", "R28")
@pytest.mark.parametrize(("script", "dark"), [(True, False), (False, False), (True, True)])
def test_a_region_changes_its_notice_in_the_open_window(
    walker: Callable[..., Walker], transactional_db: None, script: bool, dark: bool
) -> None:
    factories.make_exam()
    ExamRegion.objects.filter(region="43").update(notice=OLD)
    row = ExamRegion.objects.get(region="43")
    admin = factories.make_staff(region="43", role="region_admin")
    reviewer = factories.make_staff(region="43", role="region_reviewer")

    desk = walker(DESK, dark=dark, script=script)
    sign_in(desk, admin)
    desk.go("/staff/")
    desk.look("home-administrator")
    desk.page.click("#staff-menu a:has-text('考试与考区')")
    desk.look("exams")
    desk.page.click("#result_list a")
    desk.look("exam")
    desk.page.click("#regions a:has-text('湖南')")
    desk.look("region")
    desk.page.click("a:has-text('提出变更')")
    desk.look("form")
    desk.fill(confirmation_closes_at="2023-12-04 08:00", reason="")
    press(desk, "preview")
    desk.look("form-mended")
    desk.fill(confirmation_closes_at="2023-12-22 24:00", notice=NEW, reason="省厅通知延期两天")
    press(desk, "preview")
    desk.page.wait_for_timeout(300)  # until the frame is drawn
    desk.look("preview")
    frame = desk.page.frame_locator("iframe.as-seen")
    assert frame.locator(".prose li").nth(0).inner_text() == "时间：12月4日至22日。"
    assert frame.locator("script").count() == 0
    assert "2023年12月22日 24:00" in frame.locator(".facts").inner_text()
    assert "taken" not in desk.page.title()
    press(desk, "propose")
    desk.look("proposed")
    assert ExamYearChange.objects.get().state == "proposed"

    candidate = walker(PHONE, script=script)
    candidate.go(f"/regions/2024-health/{row.region_id}/")
    assert "12月4日至20日" in candidate.page.content()

    second = walker(DESK, dark=dark, script=script)
    sign_in(second, reviewer)
    second.go("/staff/")
    second.look("home-reviewer")
    second.page.click(".queues a:has-text('考试年度信息变更')")
    second.look("queue")
    second.page.click("#result_list a")
    frame = second.page.frame_locator("iframe.as-seen")
    second.page.locator("iframe.as-seen").scroll_into_view_if_needed()
    assert "学历证书" in frame.locator(".prose").inner_text()
    second.page.wait_for_timeout(300)
    second.look("decision")
    second.page.click("button[value=approve]")
    second.page.wait_for_load_state()
    second.look("approved")
    second.page.click("dd a")
    second.look("region-afterwards")

    candidate.page.reload()
    candidate.look("candidate-reads")
    assert "12月4日至22日" in candidate.page.content()
    assert "2023年12月22日 24:00" in candidate.page.content()


def press(walk: Walker, act: str) -> None:
    walk.page.click(f"main button[name=act][value={act}]")
    walk.page.wait_for_load_state()


def test_the_nation_looks_at_exams_and_points(walker: Callable[..., Walker], transactional_db: None) -> None:
    exam = factories.make_exam()
    desk = walker(DESK)
    sign_in(desk, factories.make_staff(role="national_admin"))
    for name, path in {
        "exam": f"registration/exam/{exam.pk}/change/",
        "exam-form": f"registration/exam/{exam.pk}/edit/",
        "points": "accounts/point/",
        "point": "accounts/point/4301/change/",
        "point-form": "accounts/point/4301/edit/",
        "site": "accounts/site/430101/change/",
        "changes": "registration/examyearchange/",
    }.items():
        desk.go(f"/staff/{path}")
        desk.look(name)
    desk.go("/staff/accounts/point/4301/edit/")
    desk.fill(telephone="0731-84444444", vouched="on", reason="已与考点核对")
    press(desk, "preview")
    frame = desk.page.frame_locator("iframe.as-seen")
    assert "0731-84444444" in frame.locator(".place").inner_text()
    assert "示例数据" not in frame.locator("h3").inner_text()
    desk.look("point-preview")
