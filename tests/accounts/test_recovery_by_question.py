"""Recovering an account by its question, and with the help of the exam point (R05, R06)."""

import logging
import re
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import hashers
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Candidate, LedgerEvent, Message, Point, Question, RecoveryAttempts, Region, User
from accounts.services import recovery
from exam_portal.kit.errors import Refused
from registration.models import Exam
from tests.accounts.recovering import BEGIN, CODE, LOGIN, NEW, NUMBER, OLD, PASSWORD, QUESTION, begin, signed_in
from tests.conftest import OPEN
from tests.factories import resident_id
from tests.races import at_once, take_locks_out

pytestmark = pytest.mark.django_db


@pytest.mark.rule("R05", "R06")
@pytest.mark.parametrize("login", ["ZhangSan", NUMBER, "１１０１０１ 19900307 002x"])
def test_the_right_answer_leads_to_a_new_password_and_ends_all_sessions(somebody: Candidate, login: str) -> None:
    elsewhere, client = signed_in(), Client()
    page = begin(client, login)
    assert page.context["question"] == Question.TEACHER.label
    assert client.post(QUESTION, {"answer": " 实验 小学"}).headers["Location"] == PASSWORD
    done = client.post(PASSWORD, {"password1": NEW, "password2": NEW})
    assert done.headers["Location"] == LOGIN
    assert elsewhere.get(reverse("portal:dashboard")).status_code == 302
    assert client.post(LOGIN, {"login": login, "password": OLD}).status_code == 200
    assert client.post(LOGIN, {"login": login, "password": NEW}).headers["Location"] == reverse("portal:dashboard")
    event = LedgerEvent.objects.get(action="password.recovered")
    assert (event.stream_id, event.payload) == (str(somebody.pk), {"by": "question"})
    assert Message.objects.get(kind="password_recovered").candidate == somebody


@pytest.mark.rule("R06")
def test_a_wrong_answer_changes_nothing_and_the_candidate_is_told(somebody: Candidate) -> None:
    client = Client()
    begin(client)
    refused = client.post(QUESTION, {"answer": "别的学校"})
    assert list(refused.context["form"].errors) == ["answer"]
    assert client.get(PASSWORD).headers["Location"] == BEGIN
    client.post(QUESTION, {"answer": "第二次"})
    assert recovery.sweep_attempts() == 1
    message = Message.objects.get(kind="recovery_failed")
    assert (message.candidate, message.facts) == (somebody, {"count": 2})
    assert LedgerEvent.objects.get(action="recovery.failed").payload == {"wrong": 2}
    assert recovery.sweep_attempts() == 0
    page = signed_in().get(reverse("accounts:inbox")).content.decode()
    assert message.text.splitlines()[0] in page


@pytest.mark.rule("R06")
@pytest.mark.parametrize("login", ["zhangsan", "nobody", resident_id(9)])
def test_the_sixth_answer_of_a_day_is_not_looked_at_whether_there_is_an_account_or_not(
    somebody: Candidate, login: str, at_time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    begin(client, login)
    for _number in range(5):
        assert list(client.post(QUESTION, {"answer": "别的学校"}).context["form"].errors) == ["answer"]
    other = Client()  # another browser has no other tries
    begin(other, login)
    refused = other.post(QUESTION, {"answer": "实验小学"})
    assert list(refused.context["form"].errors) == ["__all__"]
    assert "24" in str(refused.context["form"].errors["__all__"])
    at_time(OPEN + timedelta(hours=24, minutes=1))
    again = other.post(QUESTION, {"answer": "实验小学"})
    assert (again.status_code == 302) == (login == "zhangsan")


@pytest.mark.rule("R06")
def test_an_unknown_name_has_a_question_that_stays_the_same_however_it_is_typed(somebody: Candidate) -> None:
    asked = {recovery.ask(login=login).question for login in ("x1234567", "X 1234-567", "ｘ１２３４５６７")}
    assert len(asked) == 1
    names = [f"nobody{number}" for number in range(60)]
    first = [recovery.ask(login=name).question for name in names]
    assert set(first) == set(Question.values)
    assert [recovery.ask(login=name).question for name in names] == first


@pytest.mark.rule("R06")
def test_the_question_of_a_name_that_nobody_has_outlives_the_look_up_key(settings: Any) -> None:
    names = [f"nobody{number}" for number in range(20)]
    before = [recovery.ask(login=name).question for name in names]
    settings.PORTAL_LOOKUP_KEY = "the next one"
    assert [recovery.ask(login=name).question for name in names] == before


@pytest.mark.rule("R06")
def test_a_closed_account_and_staff_are_asked_like_nobody(somebody: Candidate) -> None:
    User.objects.create(username="staff", kind=User.Kind.STAFF, is_staff=True)
    User.objects.filter(username="zhangsan").update(is_active=False)
    assert (recovery.ask(login="staff").candidates, recovery.ask(login="zhangsan").candidates) == ([0], [0])


def work(client: Client, url: str, data: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> tuple[list[str], int, str]:
    """The queries of a request without their values, how often it hashed, and its page without the token."""
    hashed: list[str] = []
    real = hashers.Argon2PasswordHasher.verify
    with monkeypatch.context() as patched, CaptureQueriesContext(connection) as queries:
        patched.setattr(hashers.Argon2PasswordHasher, "verify", lambda *args: hashed.append("") or real(*args))
        response = client.post(url, data)
    kinds = [re.sub(r"'[^']*'|\d+|_x\d+|NULL", "", query["sql"].split(" VALUES ")[0]) for query in queries]
    return kinds, len(hashed), re.sub(r'csrfmiddlewaretoken" value="\w+"|\d\d:\d\d', "", response.content.decode())


@pytest.mark.rule("R06")
def test_known_and_unknown_names_read_the_same_and_cost_the_same(
    somebody: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = next(name for name in map("nobody{}".format, range(99)) if recovery.ask(login=name).question == "teacher")
    recovery._nobodys_hash()
    found = []
    for name in ("zhangsan", unknown):
        client = Client()
        client.get(BEGIN)
        steps = [work(client, BEGIN, {"login": name}, monkeypatch)]
        steps += [work(client, QUESTION, {"answer": f"falsch {number}"}, monkeypatch) for number in range(6)]
        steps += [work(client, CODE, {"send": "1"}, monkeypatch), work(client, CODE, {"code": "000000x"}, monkeypatch)]
        found.append([*steps, client.get(QUESTION).status_code, client.get(CODE).status_code])
    assert found[0] == found[1]
    assert [step[1] for step in found[0][1:7]] == [1, 1, 1, 1, 1, 0]


def test_a_proof_works_once_and_for_fifteen_minutes(somebody: Candidate) -> None:
    asked = recovery.ask(login="zhangsan")
    proof = recovery.answer(asked=asked, typed="实验小学")
    late = recovery.Proof(user=proof.user, state=proof.state, by=proof.by, at=proof.at - 901)
    recovery.set_password(proof=proof, password=NEW)
    for void in (proof, late):
        with pytest.raises(Refused) as refused:
            recovery.set_password(proof=void, password="another one altogether")
        assert refused.value.code == "expired"
    assert User.objects.get().check_password(NEW)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        (("12345678", "12345678"), "password1"),
        (("zhangsan1", "zhangsan1"), "password1"),
        ((NUMBER, NUMBER), "password1"),
        (("long " * 26, "long " * 26), "password1"),
        ((NEW, "something else"), "password2"),
    ],
)
def test_a_weak_or_mistyped_password_is_told_beside_it(somebody: Candidate, typed: tuple[str, str], field: str) -> None:
    client = Client()
    begin(client)
    client.post(QUESTION, {"answer": "实验小学"})
    refused = client.post(PASSWORD, dict(zip(("password1", "password2"), typed, strict=True)))
    assert field in refused.context["form"].errors
    assert User.objects.get().check_password(OLD)


def test_the_service_too_takes_no_id_number_for_a_new_password(somebody: Candidate) -> None:
    proof = recovery.answer(asked=recovery.ask(login="zhangsan"), typed="实验小学")
    with pytest.raises(ValidationError):
        recovery.set_password(proof=proof, password=NUMBER)
    assert User.objects.get().check_password(OLD)


def test_a_new_password_is_kept_as_it_is_typed(somebody: Candidate) -> None:
    word, client = "👩\u200d⚕️ nurse at night", Client()
    begin(client)
    client.post(QUESTION, {"answer": "实验小学"})
    assert client.post(PASSWORD, {"password1": word, "password2": word}).status_code == 302
    signed_in(word)


@pytest.mark.rule("R06")
@pytest.mark.parametrize(
    ("page", "typed"), [(QUESTION, {"answer": "x"}), (CODE, {"code": "1"}), (PASSWORD, {"password1": "x"})]
)
def test_recovery_begins_again_when_the_session_has_ended_and_says_so(page: str, typed: dict[str, str]) -> None:
    client = Client()
    begin(client, "nobody")
    Session.objects.all().delete()
    response = client.post(page, typed, follow=True)
    assert response.redirect_chain == [(BEGIN, 302)]
    assert [message.level_tag for message in response.context["messages"]] == ["info"]


def test_whoever_failed_to_sign_in_ten_times_signs_in_after_recovery(somebody: Candidate) -> None:
    client = Client()
    for number in range(10):
        client.post(LOGIN, {"login": "zhangsan", "password": f"wrong {number}"})
    begin(client)
    client.post(QUESTION, {"answer": "实验小学"})
    client.post(PASSWORD, {"password1": NEW, "password2": NEW})
    signed_in(NEW)


def test_answers_are_limited_for_an_address(somebody: Candidate, settings: Any, one_minute: None) -> None:
    settings.PORTAL_RECOVERIES_PER_ADDRESS = 2
    client = Client()
    codes = [client.post(BEGIN, {"login": f"name{number}"}).status_code for number in range(3)]
    assert codes == [302, 302, 429]


def test_yesterdays_tries_are_forgotten(somebody: Candidate, at_time: Any) -> None:
    for login in ("zhangsan", "nobody"):
        with pytest.raises(Refused):
            recovery.answer(asked=recovery.ask(login=login), typed="x")
    recovery.sweep_attempts()
    assert RecoveryAttempts.objects.count() == 2
    at_time(OPEN + timedelta(hours=25))
    recovery.sweep_attempts()
    assert RecoveryAttempts.objects.count() == 0


@pytest.mark.rule("R06")
def test_the_page_for_the_rest_names_address_and_telephone_of_the_regions_exam_points(
    client: Client, exam: Exam, settings: Any
) -> None:
    assert reverse("accounts:recovery") in client.get(LOGIN).content.decode()
    regions = client.get(reverse("accounts:recovery_exam_points")).content.decode()
    assert all(region.name in regions for region in Region.objects.all())
    page = client.get(reverse("accounts:recovery_exam_points_of", args=["43"])).content.decode()
    for point in Point.objects.filter(region="43"):
        assert point.name in page and point.address in page and point.telephone in page
    assert "湖南" in page and "北京第" not in page
    assert client.get(reverse("accounts:recovery_exam_points_of", args=["99"])).status_code == 404
    settings.PORTAL_ENV = "production"  # nobody is sent to an invented address
    assert "示例路" not in client.get(reverse("accounts:recovery_exam_points_of", args=["43"])).content.decode()


def test_nothing_typed_reaches_a_log_a_url_a_cookie_or_the_session(
    somebody: Candidate, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client()
    with caplog.at_level(logging.DEBUG):
        begin(client, NUMBER)
        wrong = client.post(QUESTION, {"answer": "geheim"})
        right = client.post(QUESTION, {"answer": "实验小学"})
    kept = [caplog.text, str(dict(client.session)), str(client.cookies), str(wrong.headers), str(right.headers)]
    for secret in (NUMBER, "geheim", "实验小学"):
        assert not any(secret in text for text in kept)
    assert "no-store" in wrong.headers["Cache-Control"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locks", [True, False])
def test_parallel_answers_do_not_pass_the_limit(
    somebody: Candidate, locks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not locks:
        take_locks_out(monkeypatch)
    asked = recovery.ask(login="zhangsan")
    told = at_once(*[lambda: recovery.answer(asked=asked, typed="falsch")] * 12)
    looked_at = [refused.code for refused in told].count("wrong_answer")
    assert (looked_at == 5) if locks else (looked_at >= 5)


@pytest.mark.django_db(transaction=True)
def test_of_two_new_passwords_by_one_proof_one_counts(somebody: Candidate) -> None:
    proof = recovery.answer(asked=recovery.ask(login="zhangsan"), typed="实验小学")
    words = ("purple monkey one", "purple monkey two")
    done = at_once(*[lambda word=word: recovery.set_password(proof=proof, password=word) for word in words])
    assert sorted(type(result).__name__ for result in done) == ["Refused", "User"]
    won = words[next(number for number, result in enumerate(done) if isinstance(result, User))]
    assert User.objects.get().check_password(won)


# --- Buttons pressed twice, and where one came from ---------------------------------------------
def second_press(client: Client) -> Client:
    """The browser as it was before the answer to the first press arrived."""
    before = Client()
    before.cookies = SimpleCookie({name: morsel.value for name, morsel in client.cookies.items()})
    return before


@pytest.mark.rule("R06")
def test_the_right_answer_pressed_twice_leads_on_both_times_and_costs_no_try(somebody: Candidate) -> None:
    for _number in range(6):
        client = Client()
        begin(client)
        twice = second_press(client)
        for press in (client, twice):
            response = press.post(QUESTION, {"answer": "实验小学"})
            assert response.headers["Location"] == PASSWORD
            assert not response.cookies.get(settings.SESSION_COOKIE_NAME)
            assert press.get(PASSWORD).status_code == 200


@pytest.mark.rule("R06")
def test_the_new_password_pressed_twice_leads_to_signing_in_both_times(somebody: Candidate) -> None:
    client = Client()
    begin(client)
    client.post(QUESTION, {"answer": "实验小学"})
    twice = second_press(client)
    for press in (client, twice):
        response = press.post(PASSWORD, {"password1": NEW, "password2": NEW}, follow=True)
        assert response.redirect_chain == [(LOGIN, 302)]
        assert "密码已修改" in response.content.decode()
    assert LedgerEvent.objects.filter(action="password.recovered").count() == 1
    assert client.get(PASSWORD).status_code == 302


@pytest.mark.rule("R06")
def test_who_forgot_the_password_with_a_form_half_filled_in_finds_it_again(somebody: Candidate) -> None:
    client = signed_in()
    page = reverse("accounts:basic_information")
    mark = client.get(page).context["owner_mark"]
    del client.cookies[settings.SESSION_COOKIE_NAME]
    response = client.post(page, {"mobile": "13811112222", "whose": str(mark)})
    login = client.get(response.headers["Location"]).content.decode()
    link = f"{reverse('accounts:recovery')}?next={page}"
    assert f'href="{link}"' in login
    client.get(link)
    begin(client)
    client.post(QUESTION, {"answer": "实验小学"})
    response = client.post(PASSWORD, {"password1": NEW, "password2": NEW})
    assert response.headers["Location"] == f"{LOGIN}?next={page}"
    response = client.post(response.headers["Location"], {"login": "zhangsan", "password": NEW})
    assert response.headers["Location"] == page
    assert client.get(page).context["form"]["mobile"].value() == "13811112222"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_recovery_leads_to_no_other_host(somebody: Candidate, elsewhere: str) -> None:
    client = Client()
    client.get(reverse("accounts:recovery"), {"next": elsewhere})
    begin(client)
    client.post(QUESTION, {"answer": "实验小学"})
    assert client.post(PASSWORD, {"password1": NEW, "password2": NEW}).headers["Location"] == LOGIN


def test_a_proof_that_was_made_up_is_none(somebody: Candidate) -> None:
    client = Client()
    for made_up in ("x", "x:y:z", '{"user": 1}'):
        client.cookies["recovery_proof"] = made_up
        assert client.get(PASSWORD).status_code == 302
