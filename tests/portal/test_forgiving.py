"""What the portal bears: requests that no browser sends, odd encodings, buttons pressed twice."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.actors import acting
from accounts.models import Candidate, User
from exam_portal import clock
from registration.models import Application, Exam
from registration.services import applications
from tests import factories
from tests.accounts.test_registering import FORM, sign_up
from tests.conftest import CLOSES, OPENS
from tests.registration.test_pages import submit, url

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("charset", ["utf-16", "utf-7", "hex", "zlib", "nonsense"])
def test_a_form_in_another_encoding_is_refused(client: Client, charset: str) -> None:
    kind = f"application/x-www-form-urlencoded; charset={charset}"
    response = client.generic("POST", reverse("account_login"), b"login=a", content_type=kind)
    assert response.status_code == 400
    assert "<title>" in response.content.decode()


@pytest.mark.parametrize("host", ["elsewhere.example", "", "a b", "localhost:99999x", "[::1", "127.0.0.1@elsewhere"])
@pytest.mark.parametrize("path", ["/", "/account/login/", "/healthz", "/nowhere/"])
def test_a_host_that_is_not_ours_is_refused(client: Client, host: str, path: str) -> None:
    for response in (client.get(path, headers={"Host": host}), client.post(path, headers={"Host": host})):
        assert response.status_code == 400
        assert "<title>" in response.content.decode()


def test_pressing_sign_up_twice_leads_to_the_account_made(client: Client) -> None:
    sign_up(Client())
    response = sign_up(client)
    assert response.headers["Location"] == reverse("portal:dashboard")
    assert User.objects.count() == 1
    stranger = Client()
    assert sign_up(stranger, password1="another long password", password2="another long password").status_code == 200
    assert stranger.get(reverse("portal:dashboard")).status_code == 302


@pytest.mark.parametrize("password", [FORM["id_number"], "11010119900307002x", "19900307", "1101 0119 9003 07"])
def test_the_id_number_is_no_password(client: Client, password: str) -> None:
    response = sign_up(client, password1=password, password2=password)
    assert "password1" in response.context["form"].errors
    assert not User.objects.exists()


def test_withdrawing_twice_is_withdrawing_once(signed_in: Client, draft: Application) -> None:
    submit(draft)
    page = url("withdraw", draft.exam)
    first, second = (signed_in.post(page, follow=True) for _press in range(2))
    assert [str(m) for m in first.context["messages"]] == [str(m) for m in second.context["messages"]]


@pytest.mark.rule("R27")
def test_the_same_education_record_twice_is_one(signed_in: Client, candidate: Candidate) -> None:
    typed = {**factories.EDUCATION, "certificate_number": candidate.education.get().certificate_number}
    assert signed_in.post(reverse("accounts:education"), typed).status_code == 302
    assert candidate.education.count() == 1


def test_digits_are_understood_however_they_are_typed_and_invisible_characters_go(
    signed_in: Client, candidate: Candidate
) -> None:
    typed = {
        "ethnicity": "\u202e汉族\u2060",
        "mobile": "＋８６ １３８ ０００-０００００",
        "address": "某路\u200b8号",
        "postcode": "３１００００",
        "employer": "某医院",
        "employer_kind": "clinic",
        "workplace": "浙江省杭州市",
    }
    assert signed_in.post(reverse("accounts:basic_information"), typed).status_code == 302
    basic = candidate.basic_information
    basic.refresh_from_db()
    assert (basic.ethnicity, basic.mobile, basic.address, basic.postcode) == (
        "汉族",
        "13800000000",
        "某路8号",
        "310000",
    )
    response = signed_in.post(reverse("accounts:basic_information"), {**typed, "employer": "\u200b"})
    assert list(response.context["form"].errors) == ["employer"]


@pytest.mark.rule("R01")
@pytest.mark.parametrize(("days", "says"), [(-30, "not open yet"), (400, "has closed")])
def test_the_dashboard_says_what_the_calendar_says(
    signed_in: Client, exam: Exam, at_time: Any, days: int, says: str
) -> None:
    at_time(OPENS + timedelta(days=days))
    signed_in.cookies["django_language"] = "en"
    assert says in signed_in.get(reverse("portal:dashboard")).content.decode()


@pytest.mark.rule("R09")
def test_after_the_window_withdrawing_is_not_offered(signed_in: Client, draft: Application, arriving: Any) -> None:
    submit(draft)
    arriving(CLOSES)
    assert signed_in.get(url("withdraw", draft.exam)).headers["Location"] == url("overview", draft.exam)


def test_a_step_saved_too_late_says_that_nothing_was_saved(signed_in: Client, draft: Application) -> None:
    submit(draft)
    response = signed_in.post(url("region", draft.exam), {"region": "11"}, follow=True)
    assert [message.level_tag for message in response.context["messages"]] == ["error"]


@pytest.mark.rule("R03")
def test_a_page_of_an_application_not_begun_leads_to_choosing_the_exam(signed_in: Client, exam: Exam) -> None:
    response = signed_in.get(url("overview", exam))
    assert response.status_code == 409
    assert reverse("registration:exams") in response.content.decode()


@pytest.mark.rule("R09")
def test_withdrawn_and_closed_reads_so_and_nothing_is_in_progress(
    signed_in: Client, draft: Application, arriving: Any
) -> None:
    submit(draft)
    applications.withdraw(application=draft, actor=acting(draft.candidate), at=clock.now())
    arriving(CLOSES)
    context = signed_in.get(url("overview", draft.exam)).context
    assert "current" not in [node.state for node in context["nodes"]]
    assert context["next_step"].url == ""
