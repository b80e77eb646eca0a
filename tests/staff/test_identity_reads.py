"""Reading what is hidden of an application about an identity: asked why, put on record, shown once (R07, R28)."""

from datetime import date, timedelta
from io import BytesIO
from itertools import product
from typing import Any

import pytest
from PIL import Image
from stdnum.iso7064 import mod_11_2

from accounts import identity
from accounts.actors import working_as
from accounts.models import Candidate, LedgerEvent, Point
from accounts.services import identity_desk
from tests import factories
from tests.accounts.requests import PROOF, ask_change, ask_deletion, check
from tests.factories import resident_id
from tests.staff.desks import clerk, of_nation, of_region, page, text_of
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R07", "R28")]


def test_the_number_shows_in_full_once_with_a_reason_on_record(candidate: Candidate, point: Point) -> None:
    row, member = ask_change(candidate, point, id_number=resident_id(7)), clerk()
    desk = staff_client(member)
    asked = desk.get(page(row, "reveal"))
    refused = desk.post(page(row, "reveal"), {"reason": " "})
    for response in (asked, refused):
        assert candidate.id_number not in text_of(response) and resident_id(7) not in text_of(response)
    assert b'id="id_reason_error"' in refused.content
    assert LedgerEvent.objects.filter(action="id_number.revealed").count() == 0
    response = desk.post(page(row, "reveal"), {"reason": "与身份证原件核对"})
    assert candidate.id_number in text_of(response)
    assert resident_id(7) in text_of(response)
    assert response.content.count(b"<mark>") == sum(
        2 for old, new in zip(candidate.id_number, resident_id(7), strict=True) if old != new
    )
    assert "no-store" in response.headers["Cache-Control"]
    for again in ("reveal", "change"):
        assert candidate.id_number not in text_of(desk.get(page(row, again)))
    event = LedgerEvent.objects.get(action="id_number.revealed")
    assert (event.stream, event.stream_id, event.reason) == ("identity_request", row.number, "与身份证原件核对")
    assert (event.actor_kind, event.actor_id, event.payload) == ("staff", str(member.user_id), {})
    assert "查看完整证件号码 与身份证原件核对" in text_of(desk.get(page(row)))


@pytest.mark.parametrize("act", ["reveal", "proof"])
def test_proof_of_a_short_while_ago_is_asked_for_before_the_reason(
    candidate: Candidate, point: Point, act: str
) -> None:
    """The page asks first, so that no reason is typed in vain, and leads back to itself."""
    row = check(ask_change(candidate, point, id_number=resident_id(7)), working_as(clerk()))
    desk = staff_client(of_region(), proved=False)
    before = LedgerEvent.objects.count()
    for response in (desk.get(page(row, act)), desk.post(page(row, act), {"reason": "核对"})):
        assert response.status_code == 302
        assert response.headers["Location"] == f"/account/confirm/?next={page(row, act).replace('/', '%2F')}"
    assert LedgerEvent.objects.count() == before


@pytest.mark.parametrize(
    ("content", "kind"), [(PROOF, "application/pdf"), ("jpeg", "image/jpeg"), ("png", "image/png")]
)
def test_the_scan_opens_with_a_reason_for_those_who_decide_and_each_time_is_on_record(
    candidate: Candidate, point: Point, content: Any, kind: str
) -> None:
    if isinstance(content, str):
        file = BytesIO()
        Image.new("RGB", (20, 20)).save(file, content)
        content = file.getvalue()
    row = check(ask_change(candidate, point, id_number=resident_id(7)), working_as(clerk()), content)
    member = of_region()
    desk = staff_client(member)
    for asked in (desk.get(page(row, "proof")), desk.post(page(row, "proof"), {"reason": " "})):
        assert asked.headers["Content-Type"].startswith("text/html")
    assert LedgerEvent.objects.filter(action="proof.read").count() == 0
    response = desk.post(page(row, "proof"), {"reason": "审批前核对原件"})
    assert response.content == content
    assert response.headers["Content-Type"] == kind
    assert response.headers["Content-Disposition"].startswith("inline; filename=")
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in response.headers["Cache-Control"]
    event = LedgerEvent.objects.get(action="proof.read")
    assert (event.stream, event.stream_id, event.actor_id) == ("identity_request", row.number, str(member.user_id))
    assert event.reason == "审批前核对原件"
    desk.post(page(row, "proof"), {"reason": "再看一次"})
    assert LedgerEvent.objects.filter(action="proof.read").count() == 2


def test_without_a_scan_there_is_nothing_to_open(candidate: Candidate, point: Point) -> None:
    row, desk = ask_deletion(candidate, point), staff_client(clerk())
    assert "打开扫描件" not in text_of(desk.get(page(row)))
    assert "没有扫描件" in text_of(desk.post(page(row, "proof"), {"reason": "核对"}))
    assert LedgerEvent.objects.filter(action="proof.read").count() == 0


def test_the_page_offers_the_scan_to_whom_the_service_gives_it(candidate: Candidate, point: Point) -> None:
    row = check(ask_change(candidate, point, id_number=resident_id(7)), working_as(clerk()))
    for member, may in ((clerk(), True), (of_region(), True), (of_nation(), False), (of_region("12"), False)):
        assert identity_desk.may_read_proof(request=row, actor=working_as(member)) is may
    auditors = staff_client(of_nation()).get(page(row))
    assert (auditors.status_code, "打开扫描件" in text_of(auditors)) == (200, False)


# --- What masked numbers and all beside them leave open -------------------------------------------
def told_days(text: str, year: int) -> list[date]:
    """The days of a year that stand in a text, in any way in which days are written; without one all of them."""
    days = [date(year, 1, 1) + timedelta(n) for n in range(366) if (date(year, 1, 1) + timedelta(n)).year == year]
    ways = ("{0.month}月{0.day}日", "{0:%m-%d}", "{0:%m%d}", "{0:%m/%d}", "{0:%m.%d}", "{0.month}/{0.day}/")
    return [day for day in days if any(way.format(day) in text for way in ways)] or days


def possible(number: str, text: str) -> list[str]:
    """The valid numbers that fit the masked one on a page, for whoever knows the year of birth and reads the page."""
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    named = told_days(text, born.year)
    days = named if born in named else told_days("", born.year)
    bodies = (f"{number[:4]}{place:02d}{day:%Y%m%d}{number[14:17]}" for place, day in product(range(100), days))
    return [body + number[17] for body in bodies if mod_11_2.calc_check_digit(body) == number[17]]


def numbered(day: str) -> str:
    body = f"110101{day}002"
    return body + mod_11_2.calc_check_digit(body)


def test_the_count_would_see_a_day_that_is_told() -> None:
    number = numbered("19900823")
    assert len(possible(number, "女 · 1990")) > 3_000
    for written in ("1990年8月23日", "1990-08-23", "19900823", "8/23/1990"):
        assert len(possible(number, written)) < 100, written


def test_beside_a_masked_number_at_least_a_hundred_remain_possible_on_the_candidates_page(
    exam: Any, point: Point
) -> None:
    number = numbered("19900823")
    candidate = factories.make_candidate(id_number=number, birth_date=date(1990, 8, 23), sex="F")
    factories.make_draft(candidate, exam)
    shown = text_of(staff_client(clerk()).get(f"/staff/accounts/candidate/{candidate.pk}/change/"))
    assert identity.mask(number) in shown and "1990" in shown
    assert number in (left := possible(number, shown)) and len(left) >= 100


@pytest.mark.parametrize(
    "wanted", ["19900824", "19910823", "19850823"], ids=["another day", "another year", "two places"]
)
def test_beside_masked_numbers_at_least_a_hundred_remain_possible_on_the_page_of_a_change(
    point: Point, exam: Any, wanted: str
) -> None:
    """Of both, though it is told which places differ: the old one fits if a new one fits that differs just there."""
    old, new = numbered("19900823"), numbered(wanted)
    candidate = factories.make_candidate(id_number=old, birth_date=date(1990, 8, 23), sex="F")
    row = ask_change(candidate, point, id_number=new)
    shown = text_of(staff_client(clerk()).get(page(row)))
    places = identity.compare(old, new).places
    assert identity.mask(old) in shown and identity.mask(new) in shown and ", ".join(map(str, places)) in shown

    def fits(one: str) -> bool:
        """Whether some valid number with the other's shown characters differs from this one in just these places."""
        hidden = [place - 1 for place in places if 4 < place <= 14]
        for digits in product("0123456789", repeat=len(hidden)):
            if any(one[at] == digit for at, digit in zip(hidden, digits, strict=True)):
                continue
            other = [*one[:14], *new[14:]]
            for at, digit in zip(hidden, digits, strict=True):
                other[at] = digit
            if mod_11_2.is_valid("".join(other)):
                return True
        return False

    left = [one for one in possible(old, shown) if fits(one)]
    assert old in left and len(left) >= 100
