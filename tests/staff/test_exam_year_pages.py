"""The pages on which staff look at an exam year and change it (R11, R28)."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.actors import SYSTEM, working_as
from accounts.models import Candidate, Point, Region, Site, StaffAssignment
from accounts.services import staff
from exam_portal import clock
from registration.models import Exam, ExamRegion, ExamSite, ExamYearChange
from tests import factories
from tests.registration.changing import BEFORE, administrator, approve, hunan, point, propose
from tests.staff.exam_year import Browser, Tags, browser, change_url, edit_url, filled, framed, preview
from tests.staffing import staff_client

pytestmark = pytest.mark.django_db


# --- Proposing ------------------------------------------------------------------------------------
@pytest.mark.rule("R11", "R28")
def test_a_preview_shows_both_sides_and_writes_nothing(exam: Exam) -> None:
    client = browser()
    page = preview(client, hunan(exam), notice="## 须知\n\n请携带原件。", confirmation_closes_at="2023-12-22 24:00")
    text = page.content.decode()
    assert "2023年12月20日 17:00" in text and "2023年12月22日 24:00" in text
    old, new = (
        f"<{tag}>{line}</{tag}>" for tag, line in (("del", "请在规定时间内办理报名确认。"), ("ins", "请携带原件。"))
    )
    assert old in text and new in text
    assert text.index(old) < text.index(new)
    inner = framed(page)
    assert "<h2>须知</h2>" in inner and "2023年12月22日 24:00" in inner
    assert hunan(exam).notice == "请在规定时间内办理报名确认。"
    assert not ExamYearChange.objects.exists()


def test_the_frame_is_the_candidates_own_page_part(exam: Exam, client: Client) -> None:
    inner = framed(preview(browser(), hunan(exam), notice="新须知"))
    propose(hunan(exam), administrator(), at=BEFORE, alone=True, notice="新须知")
    public = client.get(reverse("registration:region_notice", args=[exam.code, "43"])).content.decode()

    def part(page: str) -> str:
        start = page.index('<p class="text-body-secondary mb-0">')
        return " ".join(page[start : page.index("</main>")].split())

    assert part(inner) == part(public)


@pytest.mark.rule("R28")
def test_in_an_open_window_the_page_hands_it_on_whatever_is_sent(exam: Exam) -> None:
    client = browser()
    assert b'value="alone"' not in preview(client, hunan(exam), notice="x").content
    page = client.post(edit_url(hunan(exam)), filled(client, hunan(exam), act="alone", notice="x"))
    assert page.status_code == 200 and "正在报名或确认期间，须由另一人审批。" in page.content.decode()
    assert not ExamYearChange.objects.exists()
    done = client.post(edit_url(hunan(exam)), filled(client, hunan(exam), act="propose", notice="x"))
    change = ExamYearChange.objects.get()
    assert done.headers["Location"] == change_url(change)
    assert (change.state, change.proposed_by, change.reason) == ("proposed", client.staff.user, "考点已迁址")


def test_outside_a_window_it_is_carried_out_or_handed_on_as_one_likes(exam: Exam, at_time: Any) -> None:
    at_time(BEFORE)
    client = browser()
    page = preview(client, point(), telephone="0731-1").content
    assert b'value="alone"' in page and b'value="propose"' in page
    client.post(edit_url(point()), filled(client, point(), act="alone", telephone="0731-1"))
    assert point().telephone == "0731-1"
    client.post(edit_url(point()), filled(client, point(), act="propose", telephone="0731-2"))
    assert point().telephone == "0731-1"


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"confirmation_closes_at": "2023-12-04 08:00"}, "confirmation_closes_at", "截止时间须晚于开始时间。"),
        ({"confirmation_closes_at": "明天"}, "confirmation_closes_at", "请输入日期和时间，例如 2023-12-14 24:00。"),
        ({"confirmation_opens_at": "2023-11-30 08:00"}, "confirmation_opens_at", "报名确认不能早于网上报名开始。"),
        ({"notice": ""}, "notice", "此项为必填项。"),
        ({"reason": ""}, "reason", "此项为必填项。"),
    ],
    ids=str,
)
def test_a_mistake_is_told_beside_its_field_and_nothing_typed_is_lost(
    exam: Exam, changes: dict[str, str], field: str, said: str
) -> None:
    page = preview(browser(), hunan(exam), **{"notice": "新须知，很长的一段", **changes})
    form = page.context["form"]
    assert form.errors == {field: [said]}
    assert form["notice"].value() == changes.get("notice", "新须知，很长的一段")
    assert not ExamYearChange.objects.exists()


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_that_nobody_means_is_told_beside_its_field(exam: Exam, day: str) -> None:
    page = preview(browser(""), exam, opens_at=f"{day} 00:00", closes_at=f"{day} 24:00", days=day, cutoff=day)
    assert set(page.context["form"].errors) == {"opens_at", "closes_at", "days", "cutoff"}
    assert not ExamYearChange.objects.exists()


def test_going_back_from_the_preview_keeps_what_was_typed(exam: Exam) -> None:
    client = browser()
    page = client.post(edit_url(hunan(exam)), filled(client, hunan(exam), act="again", notice="新须知"))
    assert page.context["form"]["notice"].value() == "新须知"
    assert not page.context["form"].errors


def test_what_another_changed_meanwhile_is_not_turned_back_but_shown(exam: Exam) -> None:
    client = browser()
    data = filled(client, point(), telephone="0731-1")
    Point.objects.filter(pk="4301").update(address="长沙市新址1号")
    page = client.post(edit_url(point()), {**data, "act": "propose"})
    assert "内容已被他人改动" in page.content.decode()
    again = {**data, "act": "preview", "seen": page.context["form"]["seen"].value()}
    text = client.post(edit_url(point()), again).content.decode()
    assert "长沙市新址1号" in text, "the old address in the form shows as a change"


def test_the_form_reads_times_as_people_write_them(exam: Exam) -> None:
    client = browser("")
    assert filled(client, exam)["closes_at"] == "2023-12-14 24:00"
    assert filled(client, exam)["days"] == "2024-04-13 2024-04-14"
    data = {"closes_at": "２０２３-12-16 24:00", "days": "2024-04-20，2024-04-13", "opens_at": "2023/12/01 00:00"}
    client.post(edit_url(exam), filled(client, exam, act="propose", **data))
    assert ExamYearChange.objects.get().new == {
        "closes_at": "2023-12-17T00:00:00+08:00",
        "days": ["2024-04-13", "2024-04-20"],
        "source": "staff",
    }


def test_example_data_is_marked_until_staff_vouch_for_the_entry(exam: Exam) -> None:
    client = browser()
    assert "示例数据" in client.get(change_url(point())).content.decode()
    page = preview(client, point(), telephone="0731-1", vouched="on").content.decode()
    assert "工作人员填写" in page
    assert "示例数据" not in Tags(page).frame.partition("</h3>")[0]
    client.post(edit_url(point()), filled(client, point(), act="propose", telephone="0731-1", vouched="on"))
    approve(ExamYearChange.objects.get(), administrator())
    page = client.get(change_url(point())).content.decode()
    assert "示例数据" not in page.partition("操作记录")[0].partition("报名点</h2>")[0]


# --- Deciding -------------------------------------------------------------------------------------
@pytest.mark.rule("R28")
def test_the_second_person_finds_it_on_the_home_page_the_first_does_not(exam: Exam) -> None:
    first, second = browser(), browser(role="region_reviewer")
    first.post(edit_url(hunan(exam)), filled(first, hunan(exam), act="propose", notice="x"))
    label = "考试年度信息变更：待审批"
    (queue,) = [queue for queue in second.get(reverse("admin:index")).context["queues"] if str(queue.label) == label]
    assert queue.count.number == 1
    assert [row.pk for row in second.get(queue.url).context["cl"].result_list] == [ExamYearChange.objects.get().pk]
    (queue,) = [queue for queue in first.get(reverse("admin:index")).context["queues"] if str(queue.label) == label]
    assert queue.count.number == 0
    assert list(first.get(queue.url).context["cl"].result_list) == []


@pytest.mark.rule("R28")
def test_approving_refusing_and_withdrawing_on_the_page(exam: Exam) -> None:
    first, second = browser(), browser(role="region_reviewer")
    changes = [propose(row, first.actor, **{name: "x"}) for row, name in ((hunan(exam), "notice"), (point(), "name"))]
    withdrawn = propose(Site.objects.get(pk="430101"), first.actor, name="y")
    decide = [reverse("admin:registration_examyearchange_decide", args=[change.pk]) for change in changes]

    first.post(decide[0], {"verdict": "approve"})
    assert hunan(exam).notice != "x", "the first person is no second"
    second.post(decide[0], {"verdict": "approve"})
    assert hunan(exam).notice == "x"

    page = second.post(decide[1], {"verdict": "refuse", "reason": " "})
    assert page.context["form"].errors == {"reason": ["此项为必填项。"]}
    second.post(decide[1], {"verdict": "refuse", "reason": "名称有误"})
    assert "名称有误" in first.get(change_url(changes[1])).content.decode()

    url = reverse("admin:registration_examyearchange_withdraw", args=[withdrawn.pk])
    first.get(url)
    assert ExamYearChange.objects.get(pk=withdrawn.pk).state == "proposed", "looking withdraws nothing"
    browser().post(url)
    assert ExamYearChange.objects.get(pk=withdrawn.pk).state == "proposed", "it is somebody else's"
    first.post(url)
    assert ExamYearChange.objects.get(pk=withdrawn.pk).state == "withdrawn"


def test_an_outdated_proposal_says_so_and_offers_no_approval(exam: Exam) -> None:
    change = propose(point(), administrator(), telephone="0731-1")
    Point.objects.filter(pk="4301").update(telephone="0731-9")
    page = browser().get(change_url(change)).content.decode()
    assert "现在的内容已与提出时不同" in page
    assert "disabled" in page[page.index('value="approve"') :].partition(">")[0]


def test_a_change_of_what_is_gone_is_still_shown(exam: Exam) -> None:
    change = approve(propose(hunan(exam), administrator(), notice="x"), administrator())
    exam.regions.get(region="43").delete()
    assert browser().get(change_url(change)).status_code == 200


@pytest.mark.rule("R28")
def test_a_history_shows_what_one_may_open_and_no_more(exam: Exam) -> None:
    row = hunan(exam)
    change = propose(row, administrator(), notice="新须知")
    clerk = Browser(factories.make_staff(Point.objects.get(code="4301"), role="site_clerk", site="430101"))
    for client, seen in ((browser(), [change]), (clerk, [])):
        assert [each for each, _changed in client.get(change_url(row)).context["history"]] == seen
        opened = client.get(reverse("admin:registration_examyearchange_change", args=[change.pk])).status_code
        assert opened == (200 if seen else 404)


def test_the_history_says_who_when_what_and_why(exam: Exam) -> None:
    client = browser()
    approve(propose(hunan(exam), client.actor, notice="x", reason="省厅通知"), administrator())
    propose(point(), client.actor, telephone="1")
    page = client.get(change_url(hunan(exam)))
    ((change, differences),) = page.context["history"]
    names = StaffAssignment.objects.order_by("pk").values_list("name", flat=True)
    assert (change.proposer, change.decider, change.reason) == (names[0], names[1], "省厅通知")
    assert [str(difference.label) for difference in differences] == ["须知"]
    assert "2023年12月5日 09:00" in page.content.decode().partition("操作记录")[2]


def test_who_proposed_and_is_now_a_reviewer_is_offered_no_withdrawal(exam: Exam) -> None:
    member = factories.make_staff(region="43", role="region_admin")
    change = propose(point(), working_as(member), telephone="0731-1")
    withdraw = reverse("admin:registration_examyearchange_withdraw", args=[change.pk])
    assert withdraw in staff_client(member).get(change_url(change)).content.decode()
    staff.end(actor=SYSTEM, assignment=member, at=clock.now())
    demoted = staff_client(factories.make_staff(region="43", since=clock.now(), user=member.user))
    page = demoted.get(change_url(change))
    assert (page.status_code, page.context["may_withdraw"]) == (200, False)
    assert withdraw not in page.content.decode()
    assert demoted.post(withdraw).status_code == 403


def test_an_outdated_change_says_beside_the_button_why_it_cannot_be_approved(exam: Exam) -> None:
    change = propose(point(), administrator(), telephone="0731-1")
    Point.objects.filter(pk="4301").update(telephone="0731-9")
    page = browser("").get(change_url(change)).content.decode()
    assert '<p id="outdated" class="notice">' in page
    assert re.search(r'value="approve"[^>]*disabled aria-describedby="outdated"', page)


# --- Rows of one's own, few queries ---------------------------------------------------------------
@pytest.mark.rule("R28")
def test_each_sees_the_regions_and_points_of_their_own(exam: Exam, candidate: Candidate) -> None:
    regions = [region.region_id for region in browser().get(change_url(exam)).context["regions"]]
    assert regions == ["43"]
    nation = browser("")
    assert [region.region_id for region in nation.get(change_url(exam)).context["regions"]] == ["11", "12", "43"]
    found = nation.get(change_url(exam), {"q": "天"}).context["regions"]
    assert [region.region_id for region in found] == ["12"]
    listed = browser().get(reverse("admin:accounts_point_changelist")).context["cl"].result_list
    assert [row.pk for row in listed] == ["4301", "4302"]
    clerk = staff_client(factories.make_staff(point(), role="site_clerk", site="430101"))
    ((place, sites),) = clerk.get(change_url(hunan(exam))).context["places"]
    assert (place.pk, [site.pk for site in sites]) == ("4301", ["430101"])


def more_rows(exam: Exam, numbers: range) -> None:
    """So many exams, points, sites and changes, and regions while their codes of two digits last."""
    exam_region, admin, region = hunan(exam), administrator(), Region.objects.get(pk="43")
    for each in numbers:
        Exam.objects.create(**_columns(exam, code=f"other-{each}", form_prefix=f"{each:04d}"))
        far = Region.objects.create(code=f"{chr(97 + each // 10)}{each % 10}", name=f"省{each}")
        ExamRegion.objects.create(**_columns(exam_region, region_id=far.pk))
        own = Point.objects.create(**_columns(point(), code=f"43x{each}"))
        for home in (own, point()):
            site = Site.objects.create(**_columns(point().sites.earliest("pk"), code=f"{home.pk}y{each}", point=home))
            ExamSite.objects.create(exam_region=exam_region, site=site)
        propose(point(), admin, name=f"新名{each}")
        propose(hunan(exam), admin, notice=f"新{each}")
    assert region.points.count() > len(numbers)


def _columns(row: Any, **other: Any) -> dict[str, Any]:
    """The columns of a row for another one like it."""
    names = [field.attname for field in row._meta.concrete_fields if field.attname not in {"id", "example"}]
    columns = {name: getattr(row, name) for name in names}
    return {name: value for name, value in columns.items() if name.removesuffix("_id") not in other} | other


PAGES = {
    "admin:registration_exam_changelist": None,
    "admin:registration_exam_change": lambda exam: exam.pk,
    "admin:registration_examregion_change": lambda exam: hunan(exam).pk,
    "admin:registration_examregion_edit": lambda exam: hunan(exam).pk,
    "admin:accounts_point_changelist": None,
    "admin:accounts_point_change": lambda _exam: "4301",
    "admin:accounts_site_change": lambda _exam: "430101",
    "admin:registration_examyearchange_changelist": None,
    "admin:registration_examyearchange_change": lambda _exam: ExamYearChange.objects.latest("pk").pk,
    "admin:index": None,
}


def test_every_page_takes_as_many_queries_for_a_hundred_rows_as_for_three(exam: Exam) -> None:
    client = browser("")

    def counts() -> dict[str, int]:
        found = {}
        for name, key in PAGES.items():
            url = reverse(name, args=[key(exam)] if key else [])
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            found[name] = len(queries)
        return found

    more_rows(exam, range(3))
    few = counts()
    more_rows(exam, range(3, 100))
    assert counts() == few
    assert max(few.values()) <= 15, few
