"""Lists of the staff site: paged by key, never counted to the end, as many queries for three rows as for a hundred."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import IdentityRequest, Point
from exam_portal import clock
from exam_portal.kit import keyset
from tests import factories
from tests.staffing import staff_client

pytestmark = pytest.mark.django_db

LIST = "/staff/accounts/identityrequest/"


@pytest.fixture
def requests(exam: object) -> Callable[..., None]:
    """`requests(100)`: so many applications at the first point of Hunan, a minute after each other."""

    def make(count: int, **more: Any) -> None:
        begin = clock.now() - timedelta(days=1)
        IdentityRequest.objects.bulk_create(
            IdentityRequest(
                number=f"{number:012d}",
                kind="taken",
                point=Point.objects.get(code="4301"),
                name="李四",
                id_type="resident_id",
                id_number=factories.resident_id(number % 1000),
                telephone="1",
                reason="x",
                made_at=begin + timedelta(minutes=number // 2),  # two at the same moment
                **more,
            )
            for number in range(count)
        )

    return make


@pytest.fixture
def clerk(exam: object) -> Client:
    return staff_client(factories.make_staff(Point.objects.get(code="4301")))


def numbers(page: str) -> list[int]:
    return [int(found.replace(" ", "")) for found in re.findall(r">(\d{4} \d{4} \d{4})</a>", page)]


def link(page: str, rel: str) -> str | None:
    found = re.search(rf'rel="{rel}"\s+href="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else None


def test_pages_follow_each_other_without_gap_or_repeat_and_back(clerk: Client, requests: Callable[..., None]) -> None:
    requests(120)
    seen: list[list[int]] = []
    url: str | None = ""
    while url is not None:
        page = clerk.get(LIST + url).content.decode()
        seen.append(numbers(page))
        url = link(page, "next")
    assert [len(rows) for rows in seen] == [50, 50, 20]
    assert sorted(number for rows in seen for number in rows) == list(range(120))
    url = link(page, "prev")
    back = []
    while url is not None:
        page = clerk.get(LIST + url).content.decode()
        back.append(numbers(page))
        url = link(page, "prev")
    assert back == [seen[1], seen[0]]


def test_rows_that_come_meanwhile_move_nothing(clerk: Client, requests: Callable[..., None]) -> None:
    requests(60)
    first = clerk.get(LIST).content.decode()
    IdentityRequest.objects.create(
        number="9" * 12,
        kind="taken",
        point_id="4301",
        name="x",
        id_type="resident_id",
        id_number="1",
        telephone="1",
        reason="x",
        made_at=clock.now(),
    )
    second = clerk.get(LIST + str(link(first, "next"))).content.decode()
    assert sorted(numbers(first) + numbers(second)) == list(range(60))


def test_filters_and_pages_go_together(clerk: Client, requests: Callable[..., None]) -> None:
    requests(120)
    page = clerk.get(LIST + "?state__exact=made").content.decode()
    following = link(page, "next")
    assert following is not None and "state__exact=made" in following
    filtered = clerk.get(LIST + following).content.decode()
    assert len(numbers(filtered)) == 50
    # Filtering anew begins at the first page.
    assert "after" not in str(re.search(r'href="(\?kind__exact=taken[^"]*)"', filtered))


@pytest.mark.parametrize(
    "made_up",
    [
        "after=x",
        "after=W10",
        "before=WzFd",
        "after=WyJ4IiwgMV0",
        "after=%00",
        "after=e30",
        "after=W0luZmluaXR5LCAxXQ",
        "after=WyJcdTAwMDAiLCAxXQ",
    ],
)
def test_an_address_that_somebody_made_up_shows_the_first_page(
    clerk: Client, requests: Callable[..., None], made_up: str
) -> None:
    requests(60)
    first = numbers(clerk.get(LIST).content.decode())
    response = clerk.get(f"{LIST}?{made_up}")
    assert response.status_code == 400 if "%00" in made_up else numbers(response.content.decode()) == first


@pytest.mark.parametrize("guess", ["name__startswith=李", "id_number=1", "checked_by__password__startswith=a", "x=1"])
def test_a_list_is_asked_for_nothing_but_its_filters(clerk: Client, requests: Callable[..., None], guess: str) -> None:
    requests(3)
    assert clerk.get(f"{LIST}?{guess}").status_code == 400


def test_as_many_queries_for_three_rows_as_for_a_hundred(clerk: Client, requests: Callable[..., None]) -> None:
    counts = []
    for number in (3, 100):
        IdentityRequest.objects.filter(state="made").delete()
        requests(number)
        clerk.get(LIST)
        with CaptureQueriesContext(connection) as queries:
            clerk.get(LIST)
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 15


def test_beyond_ten_thousand_the_count_is_an_estimate(
    clerk: Client, requests: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyset, "COUNTED", 20)
    requests(60)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_identityrequest")
    with CaptureQueriesContext(connection) as queries:
        page = clerk.get(LIST).content.decode()
    assert "约 60 条" in page
    counting = [query["sql"] for query in queries if "COUNT(*)" in query["sql"]]
    assert counting and all("LIMIT 21" in sql for sql in counting)
