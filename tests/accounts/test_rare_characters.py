"""生僻字输入: finding a rare character and putting it into the name (R30)."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts import rare_characters
from accounts.models import User
from tests.accounts.test_registering import FORM, accept, sign_up

pytestmark = pytest.mark.rule("R30")


@pytest.mark.parametrize(
    "typed", ["zhe", "ZHE", "zhé", "zhe2", " zhe 2", "ｚｈｅ", "U+5586", "u5586", "5586", "ｕ＋５５８６", "0x5586"]
)
def test_a_character_is_found_however_its_pinyin_or_code_point_is_typed(typed: str) -> None:
    assert "喆" in [rare.character for rare in rare_characters.find(typed)]


@pytest.mark.parametrize(
    ("typed", "character"),
    [
        ("lv4", "勴"),
        ("lü4", "勴"),
        ("lǜ", "勴"),
        ("20bb7", "𠮷"),
        ("ji2", "𠮷"),
        ("e863", "\ue863"),
        ("3134a", "\U0003134a"),
    ],
)
def test_umlauts_other_planes_and_characters_without_pinyin_are_found(typed: str, character: str) -> None:
    assert character in [rare.character for rare in rare_characters.find(typed)]


@pytest.mark.parametrize("typed", ["", " ", "zhe9", "zhe1", "U+0041", "d800", "ffffff", "喆", "xyzzy", "<b>", "\0"])
def test_what_is_no_pinyin_and_no_character_of_a_card_finds_no_name_character(typed: str) -> None:
    assert "喆" not in [rare.character for rare in rare_characters.find(typed)]
    if typed != "zhe1":
        assert rare_characters.find(typed) == []


def test_characters_that_names_often_have_come_first() -> None:
    found = rare_characters.find("zhe2")
    assert found[:2] == sorted(found[:2], key=lambda rare: rare.character)
    assert [rare.common for rare in found] == sorted((rare.common for rare in found), reverse=True)
    assert "喆" in [rare.character for rare in found[:10]]


@pytest.mark.parametrize(
    ("name", "again", "expected"),
    [
        ("王?", "王？", ("王喆", "王喆")),
        ("□明", "", ("喆明", "")),
        ("王??", "王", ("王喆?", "王")),
        ("王", "王", ("王喆", "王喆")),
        ("", "", ("喆", "喆")),
        ("王", "", ("王喆", "")),
        ("王喆", "王", ("王喆", "王喆")),
        ("王喆喆", "王喆", ("王喆喆", "王喆喆")),
    ],
)
def test_a_character_goes_where_its_place_is_kept_else_to_the_end(
    name: str, again: str, expected: tuple[str, str]
) -> None:
    assert rare_characters.insert(character="喆", name=name, again=again) == expected


def send(client: Client, **changes: str) -> Any:
    response = sign_up(client, **{"name": "王?", "name_again": "王?", "id_number": "11", **changes})
    assert response.status_code == 200
    assert not User.objects.exists()
    return response


def inputs(response: Any) -> dict[str, str]:
    form = response.context["form"]
    assert form.errors == {}
    return {name: form[name].value() for name in FORM}


@pytest.mark.django_db
def test_searching_and_choosing_lose_nothing_that_was_typed_and_complain_of_nothing(client: Client) -> None:
    typed = {**FORM, "name": "王?", "name_again": "王?", "id_number": "11"}
    response = send(client, search="1", picker_query="zhe")
    assert inputs(response) == typed
    html = response.content.decode()
    assert re.search(r'<button[^>]*name="pick"[^>]*value="喆"', html)
    assert 'value="correct horse battery"' in html
    assert '<option value="school" selected>' in html
    response = send(client, pick="喆", picker_query="zhe")
    assert inputs(response) == {**typed, "name": "王喆", "name_again": "王喆"}
    assert response.context["picker"]["chosen"] == "喆"
    assert 'name="picker_query" value' not in response.content.decode()


@pytest.mark.django_db
def test_many_characters_come_page_by_page(client: Client) -> None:
    response = send(client, search="1", picker_query="yi")
    first = [rare.character for rare in response.context["picker"]["found"]]
    assert len(first) == rare_characters.AT_ONCE
    assert response.context["picker"]["next"] == 2
    second = send(client, search="2", picker_query="yi").context["picker"]["found"]
    assert not set(first) & {rare.character for rare in second}
    last = send(client, search="9999", picker_query="yi").context["picker"]
    assert last["next"] is None


@pytest.mark.django_db
def test_enter_searches_while_there_is_something_new_to_find_and_else_signs_up(client: Client) -> None:
    assert send(client, enter="1", picker_query="zhe").context["picker"]["found"]
    done = sign_up(client, enter="1", picker_query="zhe", picker_searched="zhe")
    assert done.status_code == 302


@pytest.mark.django_db
def test_the_dot_is_chosen_like_a_character_and_nothing_else_gets_into_the_name(client: Client) -> None:
    assert inputs(send(client, pick="·", name="买买提", name_again="买买提"))["name"] == "买买提·"
    for pick in ("A", "喆喆", "<", "", "1"):
        response = sign_up(Client(), pick=pick, name="王?", name_again="王?")
        assert response.context["form"]["name"].value() == "王?"
        assert response.context["form"].errors["name"]


@pytest.mark.django_db
def test_nothing_found_is_said_and_leads_to_the_last_resort(client: Client) -> None:
    html = send(client, search="1", picker_query="xyzzy").content.decode()
    assert 'name="pick"' in html  # the dot
    assert "王zhe" in html
    assert 'role="status"' in html


@pytest.mark.django_db
def test_what_the_print_fonts_lack_is_told_beside_the_name_and_is_no_error(client: Client) -> None:
    accept(client)
    assert client.get(reverse("account_signup")).context["print_hint"] == ""
    response = send(client, pick="\U0003134a")
    assert "U+3134A" in response.context["print_hint"]
    assert "U+3134A" in response.content.decode()
    done = sign_up(client, name="王\U0003134a", name_again="王\U0003134a")
    assert done.status_code == 302
    assert "U+3134A" in client.get(done.headers["Location"]).content.decode()


@pytest.mark.django_db
def test_choosing_needs_the_notice_too(client: Client) -> None:
    response = client.post(reverse("account_signup"), {**FORM, "pick": "喆"})
    assert response.headers["Location"] == reverse("accounts:notice")
