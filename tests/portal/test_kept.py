"""A session that ends in the middle of a form: after signing in, everything typed stands there again."""

from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core import signing
from django.test import Client
from django.urls import reverse

from accounts.models import BasicInformation, Candidate, EmailCode, IdentityRequest, User
from accounts.services import keys
from accounts.services.registering import NOTICE_VERSION
from accounts.views.registering import ACCEPTED
from exam_portal.kit import kept
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
    again = client.get(page)  # as after a reload, or after a look at another page
    assert {key: again.context["form"][key].value() for key in typed} == typed


def mark_of(user: User) -> str:
    """The mark that this person's forms carry."""
    theirs = Client()
    theirs.force_login(user)
    return open_form(theirs, reverse("accounts:education"))


def left_behind(client: Client, user: User, *forms: tuple[str, dict[str, str]]) -> None:
    """Send forms of this person in a browser in which nobody is signed in any more."""
    mark = mark_of(user)
    for page, typed in forms:
        client.post(page, {**typed, "whose": mark})


def test_forms_of_several_tabs_are_all_kept_until_each_is_saved(client: Client, newcomer: Candidate) -> None:
    education, basic = reverse("accounts:education"), reverse("accounts:basic_information")
    tabs = [(education, EDUCATION), (basic, {**factories.BASIC, "mobile": "139"})]
    left_behind(client, newcomer.user, *tabs)
    client.force_login(newcomer.user)
    for page, typed in tabs * 2:
        form = client.get(page).context["form"]
        assert {key: form[key].value() for key in typed} == typed
    # What is refused stays, what is saved goes, and only for its own page.
    assert client.post(basic, {**factories.BASIC, "mobile": "13"}).status_code == 200
    assert client.get(basic).context["form"]["mobile"].value() == "139"
    assert client.post(basic, factories.BASIC).status_code == 302
    assert client.get(basic).context["form"]["mobile"].value() == factories.BASIC["mobile"]
    assert client.get(education).context["form"]["school"].value() == EDUCATION["school"]


def test_what_was_sent_last_from_a_page_is_kept_of_at_most_five_pages(client: Client, newcomer: Candidate) -> None:
    page = reverse("accounts:education")
    pages = [page, *(f"{page}?tab={number}" for number in range(5)), f"{page}?tab=2"]
    typed = [{"major": str(number)} for number in range(7)]
    left_behind(client, newcomer.user, *zip(pages, typed, strict=True))
    client.force_login(newcomer.user)
    majors = [client.get(one).context["form"]["major"].value() for one in pages]
    assert majors == [None, "1", "2", "6", "4", "5", "6"]
    assert len(client.session[kept.KEY]["forms"]) == kept.MOST


def test_what_is_longer_than_any_form_is_not_kept(client: Client, newcomer: Candidate) -> None:
    page = reverse("accounts:education")
    tabs = [(page, {"major": "x" * 20_000}), (f"{page}?{'x' * 20_000}", {"major": "药学"})]
    left_behind(client, newcomer.user, *tabs)
    assert kept.KEY not in client.session


def test_signing_out_drops_what_is_kept(client: Client, newcomer: Candidate) -> None:
    page = reverse("accounts:education")
    left_behind(client, newcomer.user, (page, EDUCATION))
    client.force_login(newcomer.user)
    client.post(reverse("account_logout"))
    client.force_login(newcomer.user)
    assert client.get(page).context["form"]["school"].value() is None


def test_what_another_person_left_is_not_kept_beside_ones_own(client: Client, newcomer: Candidate) -> None:
    page, basic = reverse("accounts:education"), reverse("accounts:basic_information")
    left_behind(client, newcomer.user, (page, EDUCATION))
    other = factories.CandidateFactory().user
    left_behind(client, other, (basic, factories.BASIC))
    client.force_login(newcomer.user)
    assert client.get(page).context["form"]["school"].value() is None


def test_what_a_dropped_key_encrypted_counts_as_nothing_kept(
    client: Client, newcomer: Candidate, settings: Any
) -> None:
    page, basic = reverse("accounts:education"), reverse("accounts:basic_information")
    left_behind(client, newcomer.user, (page, EDUCATION), (basic, factories.BASIC))
    settings.PORTAL_ENCRYPTION_KEYS = ["another key", *settings.PORTAL_ENCRYPTION_KEYS]
    assert [progress.problems for progress in keys.rotate() if progress.problems] == []
    left_behind(client, newcomer.user, (basic, {**factories.BASIC, "mobile": "139"}))
    settings.PORTAL_ENCRYPTION_KEYS = ["another key"]
    client.force_login(newcomer.user)
    shown = client.get(page)
    assert shown.context["form"]["school"].value() is None
    assert list(shown.context["messages"]) == []
    assert list(client.session[kept.KEY]["forms"]) == [basic]
    assert client.get(basic).context["form"]["mobile"].value() == "139"


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
        assert kept.KEY not in client.session
    client.force_login(newcomer.user)
    mark = open_form(client, page)
    end_session(client)
    client.post(page, {**EDUCATION, "whose": mark})
    assert "某医科大学" not in str(dict(client.session))
    assert kept.KEY in client.session


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


@pytest.mark.rule("R05")
def test_a_sign_up_under_which_somebody_signed_in_stands_there_again_without_passwords() -> None:
    client = Client(enforce_csrf_checks=True)
    typed = {**FORM, ACCEPTED: signing.dumps(NOTICE_VERSION, salt=ACCEPTED), "csrfmiddlewaretoken": "b" * 32}
    other = factories.CandidateFactory(user__username="somebody.else").user
    client.force_login(other)
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    for _press in range(2):  # with the old token, then with the new one: nothing is done, and nothing is lost
        shown = client.post(reverse("account_signup"), typed)
        assert shown.status_code == 200
        values = {name: shown.context["form"][name].value() for name in FORM}
        assert values == {**FORM, "password1": "", "password2": ""}
        assert FORM["password1"] not in shown.content.decode()
        (message,) = shown.context["messages"]
        assert "somebody.else" in str(message)
        assert "no-store" in shown.headers["Cache-Control"]
        typed |= {"csrfmiddlewaretoken": str(shown.context["csrf_token"])}
    assert User.objects.count() == 1
    client.post(reverse("account_logout"), {"csrfmiddlewaretoken": typed["csrfmiddlewaretoken"]})
    assert client.post(reverse("account_signup"), typed).headers["Location"] == reverse("portal:dashboard")
    assert User.objects.get(username="zhangsan").candidate.id_number == FORM["id_number"]


def test_a_sign_up_sent_again_after_it_was_done_leads_to_the_account() -> None:
    client = Client(enforce_csrf_checks=True)
    user = factories.CandidateFactory(user__username="zhangsan").user
    client.force_login(user)
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    response = client.post(reverse("account_signup"), {**FORM, "csrfmiddlewaretoken": "b" * 32})
    assert response.headers["Location"] == reverse("portal:dashboard")


@pytest.mark.rule("R07")
@pytest.mark.parametrize("signed_in", [True, False], ids=["somebody signed in", "and out again"])
def test_an_application_under_which_somebody_signed_in_stands_there_again(exam: Any, signed_in: bool) -> None:
    client = Client(enforce_csrf_checks=True)
    page = reverse("accounts:identity_apply", args=["taken", "43"])
    typed = {"name": "李四", "id_type": "resident_id", "id_number": factories.resident_id(5), "point": "4301"}
    typed |= {"telephone": "138 0000 0000", "reason": "长长的理由"}
    if signed_in:
        client.force_login(factories.CandidateFactory(user__username="somebody.else").user)
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    shown = client.post(page, {**typed, "csrfmiddlewaretoken": "b" * 32, "whose": "of nobody"})
    assert shown.status_code == 200
    assert {name: shown.context["form"][name].value() for name in typed} == typed
    (message,) = shown.context["messages"]
    assert ("somebody.else" in str(message)) == signed_in
    assert "no-store" in shown.headers["Cache-Control"]
    assert not IdentityRequest.objects.exists()
    again = {**typed, "csrfmiddlewaretoken": str(shown.context["csrf_token"])}
    assert client.post(page, again).headers["Location"] == reverse("accounts:identity_applications")
    made = IdentityRequest.objects.get()
    assert (made.kind, made.reason, made.candidate) == ("taken", "长长的理由", None)
    assert made.number in client.get(reverse("accounts:identity_applications")).content.decode()


def test_what_another_site_sent_as_an_application_is_shown_to_nobody(exam: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    page = reverse("accounts:identity_apply", args=["taken", "43"])
    response = client.post(page, {"reason": "长长的理由"}, headers={"Origin": "https://elsewhere.example"})
    assert response.status_code == 403
    assert "长长的理由" not in response.content.decode()


def test_an_application_of_ones_own_is_another_persons_business(exam: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    page = reverse("accounts:identity_apply", args=["change", "43"])
    mark = mark_of(factories.CandidateFactory().user)
    client.force_login(factories.CandidateFactory().user)
    client.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    response = client.post(page, {"reason": "长长的理由", "whose": mark, "csrfmiddlewaretoken": "b" * 32})
    assert response.status_code == 403
    assert "长长的理由" not in response.content.decode()
