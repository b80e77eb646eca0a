"""Registering an account and signing in."""

import logging
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts.models import Candidate, LedgerEvent, User
from accounts.services import registering
from tests.factories import CandidateFactory, resident_id

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
FORM = {
    "name": "张三",
    "name_again": "张三",
    "id_type": "resident_id",
    "id_number": "11010119900307002X",
    "id_number_again": "110101 19900307 002x",
    "username": "ZhangSan",
    "password1": PASSWORD,
    "password2": PASSWORD,
    "recovery_question": "school",
    "recovery_answer": " 实验 小学 ",
}


def accept(client: Client) -> None:
    client.post(reverse("accounts:notice"), {"accept": "on"})


def sign_up(client: Client, **changes: str) -> Any:
    accept(client)
    return client.post(reverse("account_signup"), {**FORM, **changes})


@pytest.mark.rule("R05")
def test_the_form_opens_only_after_the_notice_was_accepted(client: Client) -> None:
    url = reverse("account_signup")
    assert client.get(url).headers["Location"] == reverse("accounts:notice")
    assert client.post(url, FORM).headers["Location"] == reverse("accounts:notice")
    assert not User.objects.exists()
    refused = client.post(reverse("accounts:notice"), {})
    assert refused.status_code == 200
    assert refused.context["form"].errors["accept"]
    accept(client)
    assert client.get(url).status_code == 200


@pytest.mark.rule("R02", "R04", "R05")
def test_signing_up_makes_a_candidate_and_signs_in(client: Client) -> None:
    response = sign_up(client)
    assert response.headers["Location"] == reverse("portal:dashboard")
    candidate = Candidate.objects.get()
    assert (candidate.name, candidate.id_number, candidate.sex, str(candidate.birth_date), candidate.channel) == (
        "张三",
        "11010119900307002X",
        "F",
        "1990-03-07",
        "web",
    )
    assert (candidate.user.username, candidate.user.kind) == ("zhangsan", "candidate")
    assert candidate.user.password.startswith("argon2")
    assert candidate.recovery_question.question == "school"
    assert check_password("实验小学", candidate.recovery_question.answer_hash)
    assert client.get(reverse("portal:dashboard")).status_code == 200
    event = LedgerEvent.objects.get(action="account.registered")
    assert event.payload == {"notice": registering.NOTICE_VERSION, "id_type": "resident_id"}


@pytest.mark.rule("R04")
@pytest.mark.parametrize(
    "typed", ["11010119900307002X", "１１０１０１１９９００３０７００２ｘ", "110101 19900307 002x"]
)
def test_the_same_number_never_registers_twice_however_it_is_typed(client: Client, typed: str) -> None:
    CandidateFactory(id_number="11010119900307002X", name="李四")
    response = sign_up(client, id_number=typed, id_number_again=typed)
    assert response.status_code == 200
    (error,) = response.context["form"].errors["id_number"]
    assert "李四" not in error
    assert User.objects.count() == 1


@pytest.mark.rule("R04")
def test_a_travel_permit_registers_once_however_often_it_was_renewed(client: Client) -> None:
    permit = {"id_type": "travel_permit_hk_mo", "id_number": "H3065887701", "id_number_again": "H30658877"}
    assert sign_up(Client(), **permit).status_code == 302
    assert Candidate.objects.get().id_number == "H30658877"
    for number in ("H3065887702", "h30658877 03", "H30658877"):
        again = sign_up(Client(), **permit | {"id_number": number, "username": "lisi"})
        assert list(again.context["form"].errors) == ["id_number"]
        signed_in = Client().post(reverse("account_login"), {"login": number, "password": PASSWORD})
        assert signed_in.status_code == 302
    assert User.objects.count() == 1


@pytest.mark.rule("R04")
@pytest.mark.parametrize(
    ("id_type", "number"),
    [("officer", "11010119900307002X"), ("officer", "110101900307002"), ("passport", "110101900307002")],
)
def test_the_number_of_a_resident_id_registers_under_no_other_type(client: Client, id_type: str, number: str) -> None:
    response = sign_up(client, id_type=id_type, id_number=number, id_number_again=number)
    (error,) = response.context["form"].errors["id_number"]
    assert "居民身份证" in error
    assert not User.objects.exists()


@pytest.mark.rule("R04")
def test_the_database_keeps_an_id_unique() -> None:
    first = CandidateFactory()
    with pytest.raises(IntegrityError, match="candidate_id_registers_once"), transaction.atomic():
        CandidateFactory(id_number=first.id_number)


@pytest.mark.rule("R04")
def test_the_number_is_claimed_before_anything_slow(monkeypatch: pytest.MonkeyPatch, client: Client) -> None:
    CandidateFactory(id_number="11010119900307002X")
    accept(client)
    hashed: list[str] = []
    monkeypatch.setattr(User, "set_password", lambda self, raw: hashed.append(raw))
    client.post(reverse("account_signup"), FORM)
    assert hashed == []


@pytest.mark.rule("R07")
@pytest.mark.parametrize("field", ["name", "id_type", "id_number", "id_digest", "id_digest_next"])
def test_the_database_keeps_name_and_id_fixed(candidate: Candidate, field: str) -> None:
    before = Candidate.objects.values().get()
    changed = {"id_type": "passport", "id_number": resident_id(5)}.get(field, "other")
    for written in (changed, candidate.id_number if field == "id_number" else None):
        if written:
            with pytest.raises(DatabaseError, match="fixed once registered"), transaction.atomic():
                Candidate.objects.filter(pk=candidate.pk).update(**{field: written})
    assert Candidate.objects.values().get() == before


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name_again": "张山"}, "name_again"),
        ({"name": "张3"}, "name"),
        ({"name": "张①", "name_again": "张①"}, "name"),
        ({"id_number_again": resident_id(5)}, "id_number_again"),
        ({"id_number": "110101199003070021"}, "id_number"),
        ({"username": "1zhang"}, "username"),
        ({"username": "e12345678"}, "username"),
        ({"password1": "12345678", "password2": "12345678"}, "password1"),
        ({"password2": "something else entirely"}, "password2"),
        ({"recovery_answer": " 　"}, "recovery_answer"),
    ],
)
def test_a_mistake_is_told_beside_its_field_and_nothing_typed_is_lost(
    client: Client, changes: dict[str, str], field: str
) -> None:
    response = sign_up(client, **changes)
    form = response.context["form"]
    assert list(form.errors) == [field]
    html = response.content.decode()
    for name, value in {**FORM, **changes}.items():
        assert value.strip() in html, name
    assert not User.objects.exists()


def test_a_taken_username_is_told_beside_it(client: Client) -> None:
    CandidateFactory(user__username="zhangsan")
    assert list(sign_up(client).context["form"].errors) == ["username"]


@pytest.mark.rule("R04")
@pytest.mark.parametrize(
    "login",
    ["zhangsan", "ZHANGSAN", "11010119900307002X", " 110101 19900307 002x", "１１０１０１１９９００３０７００２Ｘ"],
)
def test_signing_in_by_username_or_id_number(client: Client, login: str) -> None:
    sign_up(Client())
    response = client.post(reverse("account_login"), {"login": login, "password": PASSWORD})
    assert response.headers["Location"] == reverse("portal:dashboard")


def test_signing_in_returns_to_the_page_asked_for(client: Client) -> None:
    sign_up(Client())
    inbox = reverse("accounts:inbox")
    wanted = client.get(inbox).headers["Location"]
    assert wanted == f"{reverse('account_login')}?next={inbox}"
    response = client.post(wanted, {"login": "zhangsan", "password": PASSWORD, "next": inbox})
    assert response.headers["Location"] == inbox


def test_a_wrong_password_and_an_unknown_name_read_the_same(client: Client) -> None:
    sign_up(Client())
    told = [
        client.post(reverse("account_login"), {"login": login, "password": "wrong password"})
        .context["form"]
        .errors["__all__"]
        for login in ("zhangsan", "nobody", "11010119900307002X", resident_id(9))
    ]
    assert len({str(errors) for errors in told}) == 1


def test_attempts_are_counted_per_account_however_its_name_is_typed(client: Client) -> None:
    sign_up(Client())
    spellings = ["11010119900307002X", "110101 19900307 002x", "１１０１０１１９９００３０７００２Ｘ"]
    url = reverse("account_login")
    for attempt in range(10):
        client.post(url, {"login": spellings[attempt % 3], "password": f"wrong {attempt}"})
    response = client.post(url, {"login": spellings[0], "password": PASSWORD})
    assert response.status_code == 200
    assert "15" in str(response.context["form"].errors["__all__"])


def test_no_log_line_holds_a_number_or_a_secret(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        sign_up(client)
        client.post(reverse("account_logout"))
        client.post(reverse("account_login"), {"login": "11010119900307002X", "password": "wrong password"})
    for secret in ("11010119900307002X", PASSWORD, "wrong password", "实验小学"):
        assert secret not in caplog.text


@pytest.mark.rule("R04")
def test_what_copying_brings_along_and_full_width_letters_make_no_difference(client: Client) -> None:
    number, name = "\u202d11010119900307002x\u202c", "\ufeff张\u200b三"
    done = sign_up(Client(), id_number=number, id_number_again=number, name=name, username="ＺｈａｎｇＳａｎ\u200b")
    assert done.status_code == 302
    candidate = Candidate.objects.get()
    assert (candidate.name, candidate.id_number, candidate.user.username) == ("张三", "11010119900307002X", "zhangsan")
    for login in (number, "ｚｈａｎｇｓａｎ", "zhangsan\u200b"):
        signed_in = Client().post(reverse("account_login"), {"login": login, "password": PASSWORD})
        assert signed_in.headers["Location"] == reverse("portal:dashboard"), ascii(login)


@pytest.mark.parametrize("password", ["--------", "- - - - ", "----1---"])
def test_what_little_is_left_of_a_password_without_hyphens_is_no_part_of_the_id_number(password: str) -> None:
    registering.check_password(password, id_number=FORM["id_number"])


@pytest.mark.parametrize("password", ["👩\u200d⚕️ nurse at night", " spaces around it ", "夜班护士想睡觉了"])
def test_a_password_is_kept_as_it_is_typed(client: Client, password: str) -> None:
    sign_up(Client(), password1=password, password2=password)
    login = {"login": "zhangsan", "password": password}
    assert client.post(reverse("account_login"), login).status_code == 302


def test_a_password_is_the_same_on_every_keyboard(client: Client) -> None:
    full_width = "ｃｏｒｒｅｃｔ　ｈｏｒｓｅ　ｂａｔｔｅｒｙ"
    sign_up(Client())
    assert client.post(reverse("account_login"), {"login": "zhangsan", "password": full_width}).status_code == 302
