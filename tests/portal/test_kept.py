"""A session that ends in the middle of a form: after signing in, everything typed stands there again."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client
from django.urls import reverse

from accounts.models import BasicInformation, Candidate, EmailCode, User
from accounts.services.registering import NOTICE_VERSION
from accounts.views.registering import ACCEPTED
from registration.models import Application
from tests import factories
from tests.accounts.test_registering import FORM, accept

pytestmark = pytest.mark.django_db

EDUCATION = {
    "qualification": "master",
    "degree": "master",
    "school_kind": "abroad",
    "school": "某医科大学",
    "school_note": "在某国",
    "major": "药学",
    "graduated": "2015-13",
    "certificate_kind": "graduation",
    "certificate_number": "X1",
    "certification_number": "",
}


def open_form(client: Client, page: str) -> str:
    """Open a page and tell the mark that its form carries."""
    return str(client.get(page).context["owner_mark"])


def end_session(client: Client) -> None:
    Session.objects.all().delete()


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("accounts:education", EDUCATION),
        (
            "accounts:basic_information",
            {
                "ethnicity": "苗族",
                "mobile": "139",
                "address": "某路 8 号",
                "postcode": "1",
                "employer": "某院",
                "employer_kind": "",
                "workplace": "某市",
            },
        ),
        ("accounts:credentials", {"kind": "physician_registration", "category": "", "since": "2015-13"}),
        ("accounts:email", {"address": "zhang@example"}),
    ],
)
def test_what_was_typed_comes_back_after_signing_in(
    client: Client, newcomer: Candidate, name: str, typed: dict[str, str]
) -> None:
    page = reverse(name)
    client.force_login(newcomer.user)
    mark = open_form(client, page)
    end_session(client)
    response = client.post(page, {**typed, "whose": mark})
    assert response.headers["Location"] == f"{reverse('account_login')}?next={page}"
    client.force_login(newcomer.user)
    shown = client.get(page)
    assert {key: shown.context["form"][key].value() for key in typed} == typed
    assert not BasicInformation.objects.exists()
    assert not newcomer.education.exists()
    assert not newcomer.credentials.exists()
    last = list(typed)[-1]
    assert client.get(page).context["form"][last].value() in {None, ""}


def test_a_search_for_a_school_is_kept_with_all_that_was_typed(client: Client, newcomer: Candidate) -> None:
    page = reverse("accounts:education")
    client.force_login(newcomer.user)
    mark = open_form(client, page)
    end_session(client)
    client.post(page, {**EDUCATION, "picker_query": "中南 医", "search": "1", "whose": mark})
    client.force_login(newcomer.user)
    shown = client.get(page).context
    assert {key: shown["form"][key].value() for key in EDUCATION} == EDUCATION
    assert (shown["picker"]["searched"], shown["picker"]["open"]) == ("中南 医", True)


@pytest.mark.parametrize("name", ["education_correct", "credential"])
def test_what_was_changed_on_a_saved_row_comes_back(client: Client, candidate: Candidate, name: str) -> None:
    record = candidate.education.get()
    page = reverse(f"accounts:{name}", args=[record.pk if name == "education_correct" else "nurse_registration"])
    typed = {"major": "药学", "graduated": "1999-99"} if name == "education_correct" else {"since": "1999-99"}
    client.force_login(candidate.user)
    mark = open_form(client, page)
    end_session(client)
    client.post(page, {**typed, "whose": mark})
    client.force_login(candidate.user)
    form = client.get(page).context["form"]
    assert {key: form[key].value() for key in typed} == typed


@pytest.mark.parametrize("step", ["region", "point", "specialty"])
def test_each_step_keeps_its_answer(client: Client, draft: Application, step: str) -> None:
    typed: dict[str, Any] = {
        "region": {"region": "12"},
        "point": {"place": "4302"},
        "specialty": {"specialty": "201", "subjects": ["2", "3"]},
    }[step]
    page = reverse(f"registration:{step}", args=[draft.exam.code]) + ("?level=2" if step == "specialty" else "")
    client.force_login(draft.candidate.user)
    mark = open_form(client, page)
    end_session(client)
    client.post(page, {**typed, "whose": mark})
    client.force_login(draft.candidate.user)
    form = client.get(page).context["form"]
    assert {key: form[key].value() for key in typed} == typed


def test_nobody_else_gets_what_was_typed(client: Client, newcomer: Candidate) -> None:
    page = reverse("accounts:education")
    client.force_login(newcomer.user)
    mark = open_form(client, page)
    end_session(client)
    client.post(page, {**EDUCATION, "whose": mark})
    client.force_login(factories.CandidateFactory().user)
    assert client.get(page).context["form"]["school"].value() is None
    client.force_login(newcomer.user)
    assert client.get(page).context["form"]["school"].value() is None


def test_what_is_laid_aside_is_encrypted_and_only_with_the_persons_own_mark(
    client: Client, newcomer: Candidate
) -> None:
    page = reverse("accounts:education")
    for mark in ("", "forged", open_form(Client(), reverse("portal:home"))):
        client.post(page, {**EDUCATION, "whose": mark})
        assert "kept" not in client.session
    client.force_login(newcomer.user)
    mark = open_form(client, page)
    end_session(client)
    client.post(page, {**EDUCATION, "whose": mark})
    assert "某医科大学" not in str(dict(client.session))
    assert "kept" in client.session


def test_a_form_of_an_older_session_comes_back_with_what_was_typed(newcomer: Candidate) -> None:
    client = Client(enforce_csrf_checks=True)
    page = reverse("accounts:education")
    client.force_login(newcomer.user)
    mark = open_form(client, page)
    response = client.post(page, {**EDUCATION, "whose": mark, "csrfmiddlewaretoken": "of-an-older-session"})
    assert response.headers["Location"] == page
    assert client.get(page).context["form"]["school"].value() == EDUCATION["school"]
    assert client.post(page, {**EDUCATION, "whose": "forged"}).status_code == 403


def test_signing_up_goes_on_after_the_session_has_ended(client: Client) -> None:
    accept(client)
    mark = client.get(reverse("account_signup")).context["accepted"]
    end_session(client)
    response = client.post(reverse("account_signup"), {**FORM, "accepted_notice": mark})
    assert response.headers["Location"] == reverse("portal:dashboard")
    assert User.objects.count() == 1
    assert Client().post(reverse("account_signup"), FORM).headers["Location"] == reverse("accounts:notice")


def test_the_code_for_an_address_is_asked_for_again_and_stands_there(client: Client, newcomer: Candidate) -> None:
    page = reverse("accounts:email_code")
    newcomer.user.set_password("moon over ward seven")
    newcomer.user.save()
    client.force_login(newcomer.user)
    client.post(reverse("accounts:email"), {"address": "zhang@example.org", "password": "moon over ward seven"})
    mark = open_form(client, page)
    end_session(client)
    code = EmailCode.objects.get().code
    client.post(page, {"code": code, "whose": mark})
    client.force_login(newcomer.user)
    assert client.get(page).context["form"]["code"].value() == code
    assert client.post(page, {"code": code}).headers["Location"] == reverse("accounts:security")
    newcomer.user.refresh_from_db()
    assert newcomer.user.email == "zhang@example.org"
    assert client.get(page).headers["Location"] == reverse("accounts:email")


@pytest.mark.rule("R30")
def test_the_rare_characters_found_and_chosen_outlive_the_session(client: Client) -> None:
    accept(client)
    mark = client.get(reverse("account_signup")).context["accepted"]
    typed = {**FORM, "name": "王?", "name_again": "王?", "accepted_notice": mark, "picker_query": "zhe2"}
    end_session(client)
    found = client.post(reverse("account_signup"), {**typed, "search": "1"})
    assert (found.context["picker"]["open"], found.context["picker"]["searched"]) == (True, "zhe2")
    assert "喆" in [rare.character for rare in found.context["picker"]["found"]]
    end_session(client)
    form = client.post(reverse("account_signup"), {**typed, "pick": "喆"}).context["form"]
    assert {name: form[name].value() for name in FORM} == {**FORM, "name": "王喆", "name_again": "王喆"}


def test_a_sign_up_with_an_old_token_is_not_sent_and_stands_there_as_it_was_typed() -> None:
    client = Client(enforce_csrf_checks=True)
    mark = signing.dumps(NOTICE_VERSION, salt=ACCEPTED)
    typed = {**FORM, ACCEPTED: mark, "csrfmiddlewaretoken": "b" * 32}
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32  # somebody else has signed in and out here meanwhile
    shown = client.post(reverse("account_signup"), typed)
    assert shown.status_code == 200
    assert {name: shown.context["form"][name].value() for name in FORM} == FORM
    assert [message.level_tag for message in shown.context["messages"]] == ["warning"]
    assert "no-store" in shown.headers["Cache-Control"]
    assert not User.objects.exists()
    again = {**typed, "csrfmiddlewaretoken": str(shown.context["csrf_token"])}
    assert client.post(reverse("account_signup"), again).headers["Location"] == reverse("portal:dashboard")
    assert client.post(reverse("account_login"), typed).status_code == 403


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Origin": "null"}])
def test_a_sign_up_that_another_site_sent_is_shown_to_nobody(headers: dict[str, str]) -> None:
    client = Client(enforce_csrf_checks=True)
    mark = signing.dumps(NOTICE_VERSION, salt="accepted_notice")
    response = client.post(reverse("account_signup"), {**FORM, "accepted_notice": mark}, headers=headers)
    assert response.status_code == 403
    assert FORM["password1"] not in response.content.decode()
