"""The staff of a region, as its administrators manage it (R28, R32)."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.actors import working_as
from accounts.models import LedgerEvent, StaffAssignment, User
from exam_portal import clock
from tests import factories
from tests.conftest import OPEN
from tests.staff.desks import clerk, of_nation, of_region, text_of
from tests.staffing import staff_client

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R28")]

LIST = "/staff/accounts/staffassignment/"
NEW = {
    "username": "liuyang",
    "name": "刘洋",
    "role": "site_clerk",
    "code": "430101",
    "valid_from": "2023-12-05",
    "valid_until": "2023-12-31",
}


def beijing(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=clock.BEIJING)  # type: ignore[arg-type,misc]


# --- The list -------------------------------------------------------------------------------------
def test_the_list_shows_the_staff_of_the_own_region_in_force_now_or_later(desk: Client) -> None:
    here, ended, elsewhere = clerk(), clerk(), clerk("1201")
    later = factories.make_staff(region="43", since=clock.now() + timedelta(days=3))
    StaffAssignment.objects.filter(pk=ended.pk).update(valid_until=clock.now() - timedelta(hours=1))

    def listed(**query: str) -> set[str]:
        content = desk.get(LIST, query).content.decode()
        return {row.user.username for row in (here, ended, later, elsewhere) if row.user.username in content}

    assert listed() == {here.user.username, later.user.username}
    assert listed(when="ended") == {ended.user.username}
    assert listed(when="all") == {here.user.username, later.user.username, ended.user.username}
    assert listed(q=here.user.username) == {here.user.username, later.user.username}, "an address searches nothing"


def search(desk: Client, typed: str) -> Any:
    return desk.post(f"{LIST}search/", {"typed": typed})


def test_a_part_of_name_or_username_finds_people_also_those_who_left(desk: Client) -> None:
    here, ended, elsewhere = clerk(), clerk(), clerk("1201")
    StaffAssignment.objects.exclude(pk=elsewhere.pk).filter(role="site_clerk").update(valid_until=clock.now())
    again = factories.make_staff(region="43", since=clock.now() + timedelta(days=3), user=here.user)
    assert search(desk, here.user.username).headers["Location"] == f"{LIST}{again.pk}/change/", "the latest role"
    assert search(desk, ended.name).headers["Location"] == f"{LIST}{ended.pk}/change/"
    found = search(desk, "职员")
    assert found.headers["Location"] == LIST, "no name stands in an address"
    listed = desk.get(LIST).context["cl"].result_list
    assert {ended.pk, again.pk} < {row.pk for row in listed}
    assert not {here.pk, elsewhere.pk} & {row.pk for row in listed}
    later = desk.get(LIST, {"when": "ended"}).context["cl"].result_list
    assert {row.pk for row in later} == {here.pk, ended.pk}, "a filter shows all that it lets through"


def test_what_finds_nobody_of_the_own_region_stands_on_the_page_this_once(desk: Client) -> None:
    elsewhere = clerk("1201")
    for typed in (elsewhere.user.username, "110101199001011237"):
        page = search(desk, typed)
        assert (page.status_code, page.context["not_found"]) == (200, True)
        assert f'value="{typed}"' in page.content.decode()
        assert typed not in desk.get(LIST).content.decode() + str(dict(desk.session))


@pytest.mark.parametrize("rows", [3, 100])
def test_the_list_takes_as_many_queries_for_three_rows_as_for_a_hundred(
    desk: Client, rows: int, django_assert_num_queries: Any
) -> None:
    for _ in range(rows):
        factories.make_staff(region="43")
    with django_assert_num_queries(5):
        assert desk.get(LIST).status_code == 200


# --- Adding ---------------------------------------------------------------------------------------
def test_the_region_adds_a_clerk_and_is_shown_the_welcome_address_once(admin: StaffAssignment, desk: Client) -> None:
    response = desk.post(f"{LIST}add/", NEW)
    text = text_of(response)
    assert re.search(r"http://localhost:8000/account/welcome/#[0-9a-z]+\.[0-9a-z]+-[0-9a-f]+", text)
    added = StaffAssignment.objects.get(user__username="liuyang")
    assert (added.role, added.site_id, added.point_id, added.region_id) == ("site_clerk", "430101", "4301", "43")
    assert (added.name, added.valid_until) == ("刘洋", beijing(2024, 1, 1)), "the last day is included"
    assert OPEN <= added.valid_from < OPEN + timedelta(minutes=5), "today is from now on"
    assert not added.user.has_usable_password()
    event = LedgerEvent.objects.get(action="staff.added")
    assert (event.stream_id, event.actor_id) == (str(added.user_id), str(admin.user_id))
    assert "welcome" not in desk.get(f"{LIST}{added.pk}/change/").content.decode()


def test_a_later_first_day_begins_at_its_midnight_and_an_empty_last_day_never_ends(desk: Client) -> None:
    desk.post(f"{LIST}add/", {**NEW, "valid_from": "2023-12-10", "valid_until": ""})
    added = StaffAssignment.objects.get(user__username="liuyang")
    assert (added.valid_from, added.valid_until) == (beijing(2023, 12, 10), None)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"username": "x"}, "username"),
        ({"username": "H12345678"}, "username"),
        ({"name": "?"}, "name"),
        ({"role": "auditor"}, "role"),
        ({"role": ""}, "role"),
        ({"code": "4301"}, "code"),
        ({"code": "120101"}, "code"),
        ({"code": ""}, "code"),
        ({"valid_from": "2023-12-04"}, "valid_from"),
        ({"valid_from": "today"}, "valid_from"),
        ({"valid_from": "0001-01-01"}, "valid_from"),
        ({"valid_from": "9999-12-31", "valid_until": ""}, "valid_from"),
        ({"valid_until": "9999-12-31"}, "valid_until"),
        ({"valid_until": "2023-12-04"}, "valid_until"),
    ],
)
def test_a_mistake_stands_beside_its_field_and_nothing_typed_is_lost(
    desk: Client, wrong: dict[str, str], field: str
) -> None:
    before = (StaffAssignment.objects.count(), User.objects.count(), LedgerEvent.objects.count())
    content = desk.post(f"{LIST}add/", {**NEW, **wrong}).content.decode()
    assert f'id="id_{field}_error"' in content
    assert content.count('class="field-error"') == 1
    for name, value in {**NEW, **wrong}.items():
        assert f'value="{value}"' in content or not value or name in {"role", "code"}
    assert (StaffAssignment.objects.count(), User.objects.count(), LedgerEvent.objects.count()) == before


@pytest.mark.rule("R32")
def test_a_candidates_account_the_own_and_one_with_a_role_get_none(admin: StaffAssignment, desk: Client) -> None:
    candidate, member = factories.make_candidate(), clerk()
    before = StaffAssignment.objects.count()
    for username in (candidate.user.username, admin.user.username, member.user.username):
        content = desk.post(f"{LIST}add/", {**NEW, "username": username}).content.decode()
        assert "field-error" in content or "error-summary" in content, username
    assert StaffAssignment.objects.count() == before


@pytest.mark.rule("R28")
def test_a_role_elsewhere_and_another_spelling_are_said_beside_the_username_and_nothing_is_done(desk: Client) -> None:
    later = clock.now() + timedelta(days=60)
    there = factories.make_staff(region="12", since=later)
    here = clerk()
    ended = {"valid_until": clock.now()}
    StaffAssignment.objects.filter(pk=here.pk).update(**ended)
    before = (list(StaffAssignment.objects.values()), User.objects.count(), LedgerEvent.objects.count())
    pages = []
    for username in (there.user.username, f"{here.user.username[:3]}-{here.user.username[3:]}"):
        response = desk.post(f"{LIST}add/", {**NEW, "username": username})
        assert set(response.context["form"].errors) == {"username"}, username
        pages.append(response.content.decode())
    assert "/account/welcome/" not in "".join(pages) and "天津" not in pages[0]
    assert (list(StaffAssignment.objects.values()), User.objects.count(), LedgerEvent.objects.count()) == before


def test_somebody_with_a_password_is_led_to_their_page_without_an_address(desk: Client) -> None:
    member = clerk()
    member.user.set_password("correct horse battery")
    member.user.save()
    StaffAssignment.objects.filter(pk=member.pk).update(valid_until=clock.now())
    response = desk.post(f"{LIST}add/", {**NEW, "username": member.user.username})
    added = StaffAssignment.objects.get(user=member.user, valid_until=beijing(2024, 1, 1))
    assert response.headers["Location"] == f"{LIST}{added.pk}/change/"


def test_only_institutions_of_the_own_territory_are_offered(desk: Client, exam: object) -> None:
    content = desk.get(f"{LIST}add/").content.decode()
    assert {code for code in ("43", "4301", "4302", "430101", "430201") if f'<option value="{code}">' in content} == {
        "43",
        "4301",
        "4302",
        "430101",
        "430201",
    }
    assert '<option value="12' not in content
    assert '<option value="auditor">' not in content
    nation = staff_client(of_nation("national_admin")).get(f"{LIST}add/").content.decode()
    assert '<option value="120101">' in nation
    assert '<option value="auditor">' in nation


# --- A member, and ending a role ------------------------------------------------------------------
def test_a_members_page_shows_roles_and_what_was_done(admin: StaffAssignment, desk: Client) -> None:
    desk.post(f"{LIST}add/", NEW)
    member = StaffAssignment.objects.get(user__username="liuyang")
    text = text_of(desk.get(f"{LIST}{member.pk}/change/"))
    assert "报名点经办人 湖南第01报名点" in text
    assert "2023年12月31日 24:00" in text
    assert "赋予角色" in text
    assert "终止…… 报名点经办人 湖南第01报名点" in text, "the link says which role it ends"
    assert f"{admin.name} ({admin.user.username})" in text


def test_a_role_ends_after_a_confirmation_and_signs_out(desk: Client) -> None:
    member = clerk()
    theirs = staff_client(member)
    end = f"{LIST}{member.pk}/end/"
    assert "终止该角色" in text_of(desk.get(end))
    member.refresh_from_db()
    assert member.valid_until is None, "looking ends nothing"
    assert "角色已终止" in text_of(desk.post(end, follow=True))
    member.refresh_from_db()
    assert member.valid_until is not None
    assert theirs.get("/staff/").headers["Location"] == "/account/login/?next=/staff/"
    assert [event.action for event in LedgerEvent.objects.filter(stream_id=str(member.user_id))] == ["staff.ended"]
    assert desk.get(end).status_code == 302, "there is nothing left to end"


@pytest.mark.rule("R32")
def test_nobody_ends_the_own_role(admin: StaffAssignment, desk: Client) -> None:
    assert "终止……" not in text_of(desk.get(f"{LIST}{admin.pk}/change/"))
    assert desk.get(f"{LIST}{admin.pk}/end/").status_code == 302
    desk.post(f"{LIST}{admin.pk}/end/")
    admin.refresh_from_db()
    assert admin.valid_until is None
    assert not LedgerEvent.objects.filter(action="staff.ended").exists()


def test_another_regions_staff_is_not_found(desk: Client) -> None:
    member = of_region("12")
    for act in ("change", "end"):
        assert desk.get(f"{LIST}{member.pk}/{act}/").status_code == 404
    assert desk.post(f"{LIST}{member.pk}/end/").status_code == 404
    member.refresh_from_db()
    assert member.valid_until is None
    assert working_as(member).region == "12"
