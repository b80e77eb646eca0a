"""The list of applications about identities, and what is looked for above it (R07)."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import Candidate, IdentityRequest, Point
from accounts.territory import visible_to
from tests import factories
from tests.accounts.requests import ask_deletion, report
from tests.factories import resident_id
from tests.staff.desks import REQUESTS, clerk, page
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R07")]

SEARCH = f"{REQUESTS}search/"


def look_for(desk: Client, typed: str) -> Any:
    return desk.post(SEARCH, {"typed": typed})


def shown(desk: Client, query: str = "") -> list[str]:
    """The names on the list."""
    return [row.name for row in desk.get(REQUESTS + query).context["cl"].result_list]


def test_a_scanned_number_leads_straight_to_its_page(candidate: Candidate, point: Point) -> None:
    row = ask_deletion(candidate, point)
    desk = staff_client(clerk())
    for typed in (row.number, f" {row.number[:4]} {row.number[4:8]}-{row.number[8:]}"):
        assert look_for(desk, typed).headers["Location"] == page(row)
    elsewhere = look_for(staff_client(clerk("1201")), row.number)
    assert (elsewhere.status_code, elsewhere.context["not_found"]) == (200, True), "as if there were none"


def test_the_list_shows_masked_numbers_and_finds_their_ends(candidate: Candidate, point: Point) -> None:
    row, other = ask_deletion(candidate, point), report(resident_id(8), point, name="欧阳𠮷·努尔")
    again = report(resident_id(8), point, name="李四", browser="another")
    desk = staff_client(clerk())
    content = desk.get(REQUESTS).content.decode()
    for each in (row, other):
        assert each.name in content
        assert f"{each.id_number[:4]}**********{each.id_number[-4:]}" in content
        assert each.id_number not in content
    assert look_for(desk, candidate.id_number[-4:].lower()).headers["Location"] == page(row)
    assert look_for(desk, other.id_number[-4:]).headers["Location"] == REQUESTS
    assert shown(desk) == [again.name, other.name]
    assert look_for(desk, "").headers["Location"] == REQUESTS
    assert len(shown(desk)) == 3


def test_what_names_somebody_finds_nothing_and_stays_in_no_session(candidate: Candidate, point: Point) -> None:
    row, desk = ask_deletion(candidate, point), staff_client(clerk())
    for typed in (row.name, row.id_number, row.telephone, "%", "12345678901234"):
        response = look_for(desk, typed)
        assert (response.status_code, response.context["not_found"]) == (200, True), typed
        assert "no-store" in response.headers["Cache-Control"]
        assert row.id_number not in str(dict(desk.session))
    assert desk.get(REQUESTS).context["typed"] == ""


@pytest.mark.parametrize("name", ["q", "typed"])
def test_an_address_searches_nothing(candidate: Candidate, point: Point, name: str) -> None:
    """What stands in an address is logged, and told to the next page: so nothing is looked for there."""
    row, desk = ask_deletion(candidate, point), staff_client(clerk())
    for typed in (row.number, row.id_number[-4:], "0000"):
        assert desk.get(SEARCH, {name: typed}).headers["Location"] == REQUESTS
    assert shown(desk, "?q=0000") == [row.name]
    content = desk.get(REQUESTS).content.decode()
    form = content[content.index('id="changelist-search"') :].split("</form>")[0]
    assert 'method="post"' in form and f'action="{SEARCH}"' in form


def test_a_link_to_what_waits_shows_all_that_waits_whatever_was_looked_for(candidate: Candidate, point: Point) -> None:
    ask_deletion(candidate, point)
    for browser in ("one", "two"):
        report(resident_id(8), point, browser=browser)
    desk = staff_client(clerk())
    look_for(desk, resident_id(8)[-4:])
    assert len(shown(desk)) == 2
    assert len(shown(desk, "?state__exact=made")) == len(shown(desk)) == 3


def test_the_list_goes_by_its_index(point: Point) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_sort = off")
    rows = visible_to(factories.staff_of(None), IdentityRequest).order_by("-made_at", "-pk")
    assert "identity_request_by_time" in rows[:51].explain()


@pytest.mark.parametrize(
    ("query", "found"), [("state__exact=made", 2), ("state__exact=done", 0), ("kind__exact=taken", 1)]
)
def test_the_list_is_filtered_by_state_and_kind(candidate: Candidate, point: Point, query: str, found: int) -> None:
    ask_deletion(candidate, point)
    report(resident_id(8), point)
    assert staff_client(clerk()).get(f"{REQUESTS}?{query}").content.count(b'<th class="field-') == found


@pytest.mark.parametrize("rows", [3, 100])
def test_the_list_takes_as_many_queries_for_three_rows_as_for_a_hundred(
    point: Point, rows: int, django_assert_num_queries: Any
) -> None:
    for number in range(rows):
        report(resident_id(number), point)
    desk = staff_client(clerk())
    with django_assert_num_queries(5):
        assert desk.get(REQUESTS).status_code == 200
