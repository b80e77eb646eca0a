"""Searching a school within the form of an education record, without script: nothing that was typed is lost."""

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from accounts import schools
from accounts.models import Candidate, EducationRecord
from tests.accounts.educating import add, typed

pytestmark = pytest.mark.django_db

LIST = "/account/education/"
ELSE = {
    "qualification": "college",
    "degree": "none",
    "school_kind": "adult",
    "school": "某校 <1>",
    "school_note": "在某市",
    "major": "药学",
    "graduated": "2013-99",
    "certificate_kind": "completion",
    "certificate_number": "A & B",
    "certification_number": "9",
}


@pytest.fixture
def page(client: Client, newcomer: Candidate) -> Client:
    """A browser in English, in which `newcomer` is signed in."""
    client.force_login(newcomer.user)
    client.cookies["django_language"] = "en"
    return client


def shown(response: Any) -> dict[str, Any]:
    """What stands in the fields of the record."""
    form = response.context["form"]
    return {name: form[name].value() for name in form.fields}


def names(response: Any) -> list[str]:
    return [found.name for found in response.context["picker"]["found"]]


def press(client: Client, address: str = LIST, **pressed: str) -> Any:
    """Send the form with everything in it, by one of its buttons."""
    response = client.post(address, {**ELSE, **pressed})
    assert response.status_code == 200
    assert not response.context["form"].is_bound  # nothing is judged yet
    return response


# --- Searching ----------------------------------------------------------------------------------
def test_before_a_search_there_is_only_the_field(page: Client) -> None:
    picker = page.get(LIST).context["picker"]
    assert (picker["open"], picker["searched"], list(picker["found"]), picker["next"]) == (False, "", [], None)


@pytest.mark.parametrize("pressed", [{"search": "1"}, {"enter": "1"}])
def test_a_search_by_its_button_or_by_enter_shows_schools_and_keeps_the_form(
    page: Client, pressed: dict[str, str]
) -> None:
    response = press(page, picker_query=" hnzyydx ", picker_searched="", **pressed)
    assert names(response) == [
        "河南中医药大学",
        "湖南中医药大学",
        "湖南中医药大学湘杏学院",
        "湖南中医药高等专科学校",
    ]
    assert shown(response) == ELSE
    assert not EducationRecord.objects.exists()
    html = response.content.decode()
    assert 'name="picker_query" value="hnzyydx"' in html
    assert 'name="picker_searched" value="hnzyydx"' in html
    assert "4 schools: press yours to choose it" in html


def test_more_schools_follow_page_by_page_until_all_were_shown(page: Client) -> None:
    total, number, seen = len(schools.find("湖南")), 1, []
    while number:
        response = press(page, picker_query="湖南", search=str(number))
        assert response.context["picker"]["total"] == total > 2 * schools.AT_ONCE
        seen += names(response)
        assert shown(response) == ELSE
        number = response.context["picker"]["next"]
    assert seen == [found.name for found in schools.find("湖南")]


@pytest.mark.parametrize(("number", "first"), [("0", -1), ("x", 0), ("", 0), ("-1", -1), ("999", -1)])
def test_a_page_that_there_is_not_is_the_first_or_the_last(page: Client, number: str, first: int) -> None:
    found = [one.name for one in schools.find("湖南")]
    pages = [found[at : at + schools.AT_ONCE] for at in range(0, len(found), schools.AT_ONCE)]
    assert names(press(page, picker_query="湖南", search=number)) == pages[first]


@pytest.mark.parametrize("query", ["某某某", "zzzzzz", "学大南中", "<b>某某", "x" * 5000])
def test_where_none_is_found_it_is_said_and_the_form_kept(page: Client, query: str) -> None:
    response = press(page, picker_query=query, search="1")
    assert names(response) == []
    assert "No school was found." in response.content.decode()
    assert "<b>" not in response.content.decode().split('id="schools"', 1)[1]
    assert shown(response) == ELSE


def test_searching_for_nothing_keeps_the_form_and_says_nothing(page: Client) -> None:
    response = press(page, picker_query="  ", search="1")
    assert (names(response), response.context["picker"]["open"]) == ([], True)
    assert "No school was found." not in response.content.decode()
    assert shown(response) == ELSE


def test_a_former_name_is_shown_with_the_present_one(page: Client) -> None:
    response = press(page, picker_query="湘雅", search="1")
    assert names(response) == ["湘雅医学院"]
    assert "today 中南大学" in response.content.decode()


# --- Choosing -----------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["湖南中医药大学", "湘雅医学院"])
def test_a_school_that_is_pressed_stands_in_its_field_and_the_rest_is_kept(page: Client, name: str) -> None:
    response = press(page, picker_query="x", picker_searched="x", pick=name)
    assert shown(response) == {**ELSE, "school": name, "school_note": ""}
    assert f"{name} now stands as the school." in response.content.decode()
    assert response.context["picker"]["searched"] == ""
    assert 'name="picker_query" value' not in response.content.decode()


def test_the_school_that_was_chosen_is_saved_with_its_code(page: Client, newcomer: Candidate) -> None:
    response = page.post(LIST, {**typed(school=""), "picker_query": "湘雅", "search": "1"})
    response = page.post(LIST, {**shown(response), "picker_query": "湘雅", "pick": names(response)[0]})
    assert page.post(LIST, shown(response)).status_code == 302
    record = newcomer.education.get()
    assert (record.school, record.school_code, record.school_note) == ("湘雅医学院", "4143010533", "")


def test_what_is_not_in_the_list_is_not_chosen(page: Client) -> None:
    response = page.post(LIST, {**ELSE, "pick": "某某学院<script>"})
    assert response.context["picker"]["chosen"] == ""
    assert "<script>某" not in response.content.decode()
    assert shown(response) == ELSE
    assert not EducationRecord.objects.exists()


# --- Saving from the same form ------------------------------------------------------------------
@pytest.mark.parametrize(
    "pressed",
    [
        {},
        {"picker_query": "湖南"},
        {"enter": "1", "picker_query": ""},
        {"enter": "1", "picker_query": "湖南", "picker_searched": "湖南"},
    ],
)
def test_saving_saves_whatever_was_sought(page: Client, newcomer: Candidate, pressed: dict[str, str]) -> None:
    assert page.post(LIST, {**typed(), **pressed}).status_code == 302
    assert newcomer.education.count() == 1


def test_what_is_wrong_is_told_and_what_was_sought_is_kept(page: Client) -> None:
    response = page.post(LIST, {**ELSE, "picker_query": "湖南", "picker_searched": "湖南"})
    assert sorted(response.context["form"].errors) == ["certificate_kind", "graduated"]
    assert shown(response) == ELSE
    assert 'name="picker_query" value="湖南"' in response.content.decode()


def test_enter_saves_after_a_mistake_was_mended_though_something_had_been_sought(
    page: Client, newcomer: Candidate
) -> None:
    """Somebody searches in vain, types the name, presses Enter, is told of a mistake, mends it, presses Enter."""
    wrong = {**typed(graduated="x"), "picker_query": "湖南", "picker_searched": "湖南", "enter": "1"}
    response = page.post(LIST, wrong)
    html = response.content.decode()
    sought = html.split('name="picker_searched" value="', 1)[1].split('"', 1)[0]
    query = response.context["picker"]["form"]["picker_query"].value()
    again = {**typed(), "picker_query": query, "picker_searched": sought, "enter": "1"}
    assert page.post(LIST, again).status_code == 302
    assert newcomer.education.count() == 1


# --- Correcting, and sessions that end ----------------------------------------------------------
def test_the_search_works_in_the_correction_of_a_record_too(page: Client, newcomer: Candidate) -> None:
    record = add(newcomer)
    address = f"{LIST}{record.pk}/"
    response = press(page, address, picker_query="zndx", search="1")
    assert names(response)[0] == "中南大学"
    response = press(page, address, pick="中南大学")
    assert shown(response) == {**ELSE, "school": "中南大学", "school_note": ""}
    assert newcomer.education.get() == record


def test_a_search_in_a_session_that_has_ended_is_answered_after_signing_in(page: Client, newcomer: Candidate) -> None:
    mark = page.get(LIST).context["owner_mark"]
    Session.objects.all().delete()
    response = page.post(LIST, {**ELSE, "whose": mark, "picker_query": "zndx", "search": "1"})
    assert response.status_code == 302
    session = page.session
    page.force_login(newcomer.user)
    assert session is not None
    response = page.get(LIST)
    assert shown(response) == ELSE
    assert names(response)[0] == "中南大学"
