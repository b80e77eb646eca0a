"""What strangers may try on the pages that need no sign-in: nothing breaks, nothing is told, nothing is passed by."""

import re
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings as portal_settings
from django.contrib.auth import hashers
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from tests.accounts.recovering import BEGIN, CODE, LOGIN, OLD, PASSWORD, QUESTION
from tests.accounts.test_registering import FORM, accept, sign_up
from tests.factories import resident_id

pytestmark = pytest.mark.django_db

SIGN_UP, DASHBOARD = reverse("account_signup"), reverse("portal:dashboard")
NOBODYS = resident_id(9)


def sign_in(client: Client, login: str = "zhangsan", password: str = OLD, **more: str) -> Any:
    return client.post(LOGIN, {"login": login, "password": password, **more})


# --- Guessing ------------------------------------------------------------------------------------


@pytest.mark.rule("R04")
def test_sign_up_is_no_way_around_the_limit_of_wrong_passwords(client: Client) -> None:
    sign_up(Client())
    for number in range(10):
        guess = f"a wrong password {number}"
        assert sign_up(Client(), password1=guess, password2=guess).status_code == 200
    # The right one now leads nowhere, neither there nor at signing in.
    assert sign_up(client).status_code == 200
    assert client.get(DASHBOARD).status_code == 302
    refused = sign_in(client)
    assert "15" in str(refused.context["form"].errors["__all__"])


@pytest.mark.rule("R04")
def test_pressing_sign_up_twice_does_not_lead_into_an_account_of_the_same_username(client: Client) -> None:
    sign_up(Client())
    number = resident_id(5)
    assert sign_up(client, id_number=number, id_number_again=number).status_code == 200
    assert client.get(DASHBOARD).status_code == 302


def test_an_address_said_by_the_browser_does_not_pass_the_limit_of_an_address(
    client: Client, settings: Any, one_minute: None
) -> None:
    settings.PORTAL_SIGN_INS_PER_ADDRESS = 2
    statuses = [
        client.post(LOGIN, {}, headers={"X-Forwarded-For": f"203.0.113.{number}", "X-Real-IP": f"203.0.113.{number}"})
        for number in range(3)
    ]
    assert [response.status_code for response in statuses] == [200, 200, 429]


# --- Telling whether an account exists -----------------------------------------------------------


def work(client: Client, login: str) -> tuple[list[str], int, str]:
    """The queries of a failed sign-in without their values, the hashes it made, and the page without what was typed."""
    hashed: list[str] = []
    real = hashers.Argon2PasswordHasher.encode, hashers.Argon2PasswordHasher.verify
    with (
        CaptureQueriesContext(connection) as queries,
        patch.object(hashers.Argon2PasswordHasher, "encode", lambda *args: hashed.append("") or real[0](*args)),
        patch.object(hashers.Argon2PasswordHasher, "verify", lambda *args: hashed.append("") or real[1](*args)),
    ):
        response = sign_in(client, login, "a wrong password")
    assert response.status_code == 200
    page = response.content.decode().replace(f'value="{login}"', "")
    page = re.sub(r'csrfmiddlewaretoken" value="\w+"|\d\d:\d\d', "", page)
    return [re.sub(r"'[^']*'|\d+", "", query["sql"]) for query in queries], len(hashed), page


@pytest.mark.rule("R04")
def test_signing_in_wrongly_reads_and_costs_the_same_whether_there_is_an_account_or_not() -> None:
    sign_up(Client())
    client = Client()
    client.get(LOGIN)
    logins = ("zhangsan", "nobody99", FORM["id_number"], NOBODYS)
    for _number in range(10):  # each name has ten tries, whether or not it is somebody's
        first, *others = [work(client, login) for login in logins]
        assert first[1] == 1
        assert others == [first] * 3
    first, *others = [work(client, login) for login in logins]
    assert first[1] == 0
    assert "15" in first[2]
    assert others == [first] * 3


# --- Where one is sent, and as whom --------------------------------------------------------------

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "http:///evil.example",
    "javascript:alert(1)",
    "\thttps://evil.example",
    "https://testserver@evil.example/",
    "/" + "x" * 5000 + "@evil.example",
]


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_nobody_is_sent_to_another_host(wanted: str) -> None:
    sign_up(Client())
    client = Client()
    ways = [
        sign_in(client, next=wanted),
        client.get(LOGIN, {"next": wanted}),
        client.post(reverse("set_language"), {"language": "en", "next": wanted}),
        client.post(reverse("account_logout"), {"next": wanted}),
        sign_up(Client(), id_number=NOBODYS, id_number_again=NOBODYS, username="lisi", next=wanted),
    ]
    for response in ways:
        assert response.status_code == 302
        place = response.headers["Location"]
        assert place.startswith("/") and not place.startswith(("//", "/\\")), place


def test_who_planted_a_session_key_gets_nothing_by_it() -> None:
    fixed = Client()
    accept(fixed)
    before = fixed.session.session_key
    assert sign_up(fixed).status_code == 302
    assert before and fixed.session.session_key != before
    client = Client()
    client.post(BEGIN, {"login": "zhangsan"})
    before = client.session.session_key
    assert client.post(QUESTION, {"answer": "实验小学"}).headers["Location"] == PASSWORD
    planted = Client()
    planted.cookies[portal_settings.SESSION_COOKIE_NAME] = before
    assert (client.get(PASSWORD).status_code, planted.get(PASSWORD).status_code) == (200, 302)
    assert sign_in(client).status_code == 302
    assert client.session.session_key != before


def test_signing_out_and_changing_the_language_need_a_press_of_a_button(client: Client) -> None:
    sign_up(client)
    assert client.get(reverse("account_logout")).status_code == 200
    assert client.get(DASHBOARD).status_code == 200
    client.get(reverse("set_language"), {"language": "en"})
    assert portal_settings.LANGUAGE_COOKIE_NAME not in client.cookies
    client.post(reverse("set_language"), {"language": "en"})
    cookie = client.cookies[portal_settings.LANGUAGE_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize("page", [LOGIN, BEGIN, QUESTION, CODE, PASSWORD, reverse("accounts:notice")])
def test_forms_of_strangers_are_guarded_against_other_sites_too(page: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies[portal_settings.CSRF_COOKIE_NAME] = "a" * 32
    assert client.post(page, {"csrfmiddlewaretoken": "b" * 32}).status_code == 403


@pytest.mark.parametrize(
    ("page", "typed"),
    [
        (SIGN_UP, {**FORM, "username": "1"}),
        (LOGIN, {"login": "zhangsan", "password": "x"}),
        (BEGIN, {"login": ""}),
        (QUESTION, {"answer": "x"}),
        (CODE, {"code": "x"}),
    ],
)
def test_a_page_with_what_a_stranger_typed_is_kept_by_no_cache(
    client: Client, page: str, typed: dict[str, str]
) -> None:
    accept(client)
    client.post(BEGIN, {"login": "nobody"})
    response = client.post(page, typed)
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]


# --- Odd input -----------------------------------------------------------------------------------

ODD = [
    "a\0b",
    "\0",
    "\ud7ff\uffff",
    "\U0010ffff" * 30,
    "x" * 10_000,
    "１" * 5000,
    "%00",
    "../../etc",
    "{{ 7*7 }}",
    "ﷺ" * 300,
]


@pytest.mark.parametrize("odd", ODD, ids=lambda text: ascii(text)[:12])
def test_no_input_breaks_a_page(odd: str) -> None:
    sign_up(Client())
    client = Client()
    names = ["picker_query", "picker_searched", "search", "pick", "enter", "accepted_notice", "next", *FORM]
    statuses = [sign_up(client, name="1", **{name: odd}).status_code for name in names if name != "name"]
    statuses += [sign_up(client, name=odd).status_code, client.post(BEGIN, {"login": odd}).status_code]
    statuses += [sign_in(client, odd).status_code, sign_in(client, password=odd).status_code]
    client.post(BEGIN, {"login": "zhangsan"})
    statuses += [client.post(QUESTION, {"answer": odd}).status_code, client.post(CODE, {"code": odd}).status_code]
    statuses += [client.post(reverse("set_language"), {"language": odd}).status_code]
    assert max(statuses) < 400
    assert User.objects.count() == 1


@pytest.mark.parametrize("address", ["/account/recovery/exam-points/%00/", "/exams/%00/", "/account/login/?next=%00"])
def test_an_address_with_a_nul_is_refused(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 400
    assert "<title>" in response.content.decode()


def test_a_session_cookie_with_a_nul_is_refused() -> None:
    cookie = f'{portal_settings.SESSION_COOKIE_NAME}="abcdefghij\\000"'
    assert Client(HTTP_COOKIE=cookie).get(DASHBOARD).status_code == 400


@pytest.mark.parametrize("end", ["9" * 18, "9" * 19, "9" * 5000, "٣", "-1", "1\0"])
def test_a_session_of_any_number_is_asked_for_without_harm(client: Client, end: str) -> None:
    sign_up(client)
    assert client.post(reverse("accounts:security"), {"end": end}).status_code in {200, 302}
    assert client.get(DASHBOARD).status_code == 200


def test_a_huge_body_is_refused_before_it_is_looked_at(client: Client) -> None:
    accept(client)
    for body in ({**FORM, "password1": "x" * 3_000_000}, {f"field{number}": "x" for number in range(1500)}):
        response = client.post(SIGN_UP, body)
        assert response.status_code == 400
        assert "<title>" in response.content.decode()


def test_a_password_longer_than_anybody_types_is_not_hashed(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_up(Client())
    hashed: list[str] = []
    for name in ("encode", "verify"):
        monkeypatch.setattr(hashers.Argon2PasswordHasher, name, lambda *args: hashed.append(""))
    long = "correct horse battery " * 6
    assert list(sign_in(client, password=long).context["form"].errors) == ["password"]
    refused = sign_up(client, id_number=NOBODYS, id_number_again=NOBODYS, password1=long, password2=long)
    assert "password1" in refused.context["form"].errors
    assert hashed == []
