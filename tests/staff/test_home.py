"""The home page of staff: what waits, since when, and until when (issue of everybody's own region)."""

import re
from datetime import timedelta

import pytest

from accounts.models import IdentityRequest, Point
from exam_portal import clock
from exam_portal.kit import hooks
from exam_portal.kit.counts import Count
from exam_portal.kit.staff_work import Deadline, Queue
from registration.models import Exam
from tests import factories
from tests.accounts.requests import ask_deletion
from tests.staffing import staff_client

pytestmark = pytest.mark.django_db


def home(role: str, *, point: str = "", region: str = "", site: str = "") -> tuple[list[Queue], list[Deadline], str]:
    staff = factories.make_staff(Point.objects.filter(code=point).first(), region, role=role, site=site)
    response = staff_client(staff).get("/staff/")
    return response.context["queues"], response.context["deadlines"], response.content.decode()


def test_the_point_reads_how_many_wait_and_since_when(exam: Exam) -> None:
    point = Point.objects.get(code="4301")
    first = ask_deletion(factories.make_candidate(), point)
    ask_deletion(factories.make_candidate(), point)
    ask_deletion(factories.make_candidate(), Point.objects.get(code="4302"))
    (queue, _photos), _deadlines, page = home("point_reviewer", point="4301")
    assert (queue.count, queue.oldest) == ((2, True), first.made_at)
    assert queue.url == "/staff/accounts/identityrequest/?state__exact=made"
    assert queue.url in page


def test_the_region_reads_what_its_points_checked(exam: Exam) -> None:
    candidate, point = factories.make_candidate(), Point.objects.get(code="4301")
    request = ask_deletion(candidate, point)
    IdentityRequest.objects.filter(pk=request.pk).update(
        state="checked",
        candidate=candidate,
        checked_by=factories.make_staff(point).user,
        checked_at=clock.now() - timedelta(hours=1),
        proof="identity/x",
    )
    (queue, *_others), _deadlines, _page = home("region_reviewer", region="43")
    assert (queue.count.number, queue.url[-7:]) == (1, "checked")
    (other, *_others), _deadlines, _page = home("region_reviewer", region="12")
    assert (other.count.number, other.oldest) == (0, None)


def test_queues_come_the_oldest_first_empty_ones_last_and_deadlines_the_next_first(
    exam: Exam, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = clock.now()
    work = [
        Queue("empty", "/", Count(0), None),
        Queue("new", "/", Count(3), now - timedelta(hours=1)),
        Deadline("far", now + timedelta(days=9), "/"),
        Queue("old", "/", Count(1), now - timedelta(days=3)),
        Deadline("near", now + timedelta(days=1), "/"),
        Queue("empty too", "/", Count(0), None),
    ]
    monkeypatch.setattr(hooks, "load", lambda _setting: [lambda **_how: work])
    queues, deadlines, _page = home("region_reviewer", region="43")
    assert [queue.label for queue in queues] == ["old", "new", "empty", "empty too"]
    assert [deadline.label for deadline in deadlines] == ["near", "far"]


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (Count(9_999), "9999"),
        (Count(10_000, exact=False), "more than 10000"),
        (Count(12_345, exact=False), "about 12345"),
    ],
)
def test_what_was_not_counted_to_the_end_is_said_in_words(
    exam: Exam, monkeypatch: pytest.MonkeyPatch, count: Count, said: str
) -> None:
    monkeypatch.setattr(hooks, "load", lambda _setting: [lambda **_how: [Queue("many", "/", count, clock.now())]])
    client = staff_client(factories.make_staff(region="43"))
    client.cookies["django_language"] = "en"
    figure = re.search(r'<td class="figure num">(.*?)</td>', client.get("/staff/").content.decode(), re.DOTALL)
    assert figure and " ".join(figure[1].split()) == said


def test_everything_that_the_menu_leads_to_has_a_chinese_title(exam: Exam) -> None:
    client = staff_client(factories.make_staff(region="43", role="region_admin"))
    addresses = [entry.url for _heading, entries in client.get("/staff/").context["menu"] for entry in entries]
    assert len(addresses) == 9
    for address in addresses:
        title = re.search(r"<h1>(.*?)</h1>", client.get(address).content.decode(), re.DOTALL)
        assert title and re.fullmatch(r"\s*[\u4e00-\u9fff]+\s*", title[1]), address


def test_deadlines_are_those_of_one_s_own_region(exam: Exam) -> None:
    exam.regions.filter(region="43").update(confirmation_closes_at=clock.now() + timedelta(days=30))
    _queues, deadlines, page = home("region_reviewer", region="43")
    # Registering and confirming have begun; the next are their ends, the nearest first.
    assert [item.at for item in deadlines] == [exam.closes_at, exam.regions.get(region="43").confirmation_closes_at]
    assert "2023年12月14日 24:00" in page
    assert f'href="{deadlines[1].url}"' in page
    region = exam.regions.get(region="43")
    assert deadlines[1].url == f"/staff/registration/examregion/{region.pk}/change/"


def test_the_nation_reads_when_registering_ends(exam: Exam) -> None:
    for role in ("national_admin", "auditor"):
        (deadline,) = home(role)[1]
        assert (deadline.at, deadline.url) == (exam.closes_at, f"/staff/registration/exam/{exam.pk}/change/")


def test_no_page_names_another_host_or_carries_inline_script(exam: Exam) -> None:
    _queues, _deadlines, page = home("region_admin", region="43")
    assert "http" not in page.replace("http://www.w3.org", "")
    assert "<style" not in page and "onclick" not in page
    assert "style=" not in page
