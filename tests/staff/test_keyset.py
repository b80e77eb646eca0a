"""Lists of the staff site: paged by key, never counted to the end."""

import base64
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import Model, QuerySet
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from accounts.models import IdentityRequest, Point
from exam_portal import clock
from exam_portal.kit import counts
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


def test_beyond_ten_thousand_the_count_is_an_estimate(
    clerk: Client, requests: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "COUNTED", 20)
    requests(60)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE accounts_identityrequest")
    with CaptureQueriesContext(connection) as queries:
        page = clerk.get(LIST).content.decode()
    assert "约 60 条" in page
    counting = [query["sql"] for query in queries if "COUNT(*)" in query["sql"]]
    assert counting and all("LIMIT 21" in sql for sql in counting)


def test_where_the_plan_knows_less_the_list_says_more_than_ten_thousand(
    clerk: Client, requests: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts, "COUNTED", 20)
    requests(60)
    monkeypatch.setattr(QuerySet, "explain", lambda *_args, **_how: '[{"Plan": {"Plan Rows": 3}}]')
    listed = clerk.get(LIST).context["cl"]
    assert (listed.count, listed.count.more_than) == ((20, False), True)
    with translation.override("en"):
        assert "more than 20 entries" in render_to_string("admin/pagination.html", {"cl": listed})


# --- Odd values ---------------------------------------------------------------------------------
LISTS = [model for model, model_admin in admin.site._registry.items() if "changelist" in model_admin.pages]
LONG = "9" * 30
KEYS = (
    [int(LONG)],
    [LONG, LONG],
    ["\ud800", 1],
    ["9999-12-31T23:59:59+00:00", LONG],
    ["0001-01-01T00:00:00+14:00", 1],
    ["2023-12-05T09:00", 1],
    [True],
    [None, 1],
    [1.5],
    [[1], {}],
)
ODD = ["", "x", "(", "%", "\0", "'", "-1", LONG, "\ud800", "٣", "True", "[]"]


def odd_addresses(model: type[Model]) -> list[str]:
    """Queries that no page of ours makes."""
    keys = [json.dumps(key) for key in KEYS] + ["[" * 2000, "{}", "null"]
    cursors = [base64.urlsafe_b64encode(key.encode()).decode().rstrip("=") for key in keys]
    names = [field.name for field in model._meta.fields] + ["waits", "when", "role", "person", "since", "subject"]
    lookups = [f"{name}{how}" for name in names for how in ("", "__exact", "__isnull", "__in", "__regex", "__x__y")]
    pairs = [(cursor, value) for cursor in ("after", "before") for value in [*cursors, *ODD]]
    pairs += [(name, value) for name in lookups for value in ("(", LONG)]
    pairs += [(name, value) for name in ("q", "p", "o", "all", "e", "_popup", "_to_field", "_facets") for value in ODD]
    return [urlencode([pair], errors="surrogatepass") for pair in pairs]


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model.__name__)
def test_odd_values_in_an_address_break_no_list(exam: object, model: type[Model]) -> None:
    client = staff_client(factories.make_staff(role="national_admin"))
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    answers = {query: client.get(f"{url}?{query}").status_code for query in odd_addresses(model)}
    assert {query: status for query, status in answers.items() if status not in {200, 302, 400}} == {}
    assert answers["q=x"] == 200


@pytest.mark.parametrize("how", ["regex", "in", "gt", "startswith", "iexact"])
def test_of_a_filter_only_what_its_own_links_ask_is_answered(clerk: Client, how: str) -> None:
    assert clerk.get(f"{LIST}?state__exact=made").status_code == 200
    assert clerk.get(f"{LIST}?state__{how}=made").status_code == 400
