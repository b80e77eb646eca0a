"""A name is one name, however it is typed and whosever it is: at sign-in and at recovery (R04, R06)."""

from collections.abc import Callable

import pytest
from django.db import IntegrityError
from django.test import Client

from accounts.models import Candidate, Channel, Question, User
from accounts.services import recovery
from accounts.services.registering import UsernameTaken, register_candidate
from exam_portal import clock
from exam_portal.kit.errors import Refused
from tests.accounts.recovering import LOGIN, NUMBER, OLD, begin, signed_in
from tests.factories import resident_id

pytestmark = pytest.mark.django_db

SPELLINGS: list[Callable[[str], str]] = [
    str,
    str.upper,
    lambda name: f" {name[:3]} {name[3:]} ",
    lambda name: f"{name[:2]}-{name[2:]}",
    lambda name: "".join(chr(ord(character) + 0xFEE0) for character in name),  # full-width
    lambda name: f"{name[:4]}\u200b{name[4:]}",
    lambda name: f"{name[:4]}\u2011{name[4:]}",
]
# Of an account, by both its names; and of nobody.
NAMES = ["zhangsan", NUMBER, "nobody", "nobody99", resident_id(9), "E12345678"]


@pytest.mark.rule("R06")
@pytest.mark.parametrize("name", NAMES)
def test_every_spelling_of_a_name_is_asked_the_same(somebody: Candidate, name: str) -> None:
    asked = [recovery.ask(login=spell(name)) for spell in SPELLINGS]
    assert all(each == asked[0] for each in asked)
    assert (asked[0].candidates == [somebody.pk]) == (name in {"zhangsan", NUMBER})


@pytest.mark.rule("R04")
@pytest.mark.parametrize("name", NAMES)
def test_ten_tries_for_a_name_however_it_is_spelled_and_whosever_it_is(somebody: Candidate, name: str) -> None:
    said = []
    for number in range(11):
        spelled = SPELLINGS[number % len(SPELLINGS)](name)
        said.append(Client().post(LOGIN, {"login": spelled, "password": "falsch"}).content.decode())
    assert ["15 分钟" in page for page in said] == [False] * 10 + [True]


@pytest.mark.rule("R04")
def test_tries_with_one_name_keep_nobody_with_another_from_signing_in(somebody: Candidate) -> None:
    for name in (str(somebody.user_id), str(somebody.pk), "zhang.san", "zhangsan1"):
        for _number in range(11):
            Client().post(LOGIN, {"login": name, "password": "falsch"})
    signed_in()


@pytest.mark.rule("R04")
@pytest.mark.parametrize("login", ["zhang-san", "ZhangSan", " zhang san"])
def test_the_username_signs_in_however_it_is_typed(somebody: Candidate, login: str) -> None:
    assert Client().post(LOGIN, {"login": login, "password": OLD}).status_code == 302


def test_a_username_that_differs_by_a_hyphen_is_taken(somebody: Candidate) -> None:
    with pytest.raises(UsernameTaken):
        register_candidate(
            name="李四",
            id_type="resident_id",
            id_number=resident_id(3),
            username="zhang-san",
            password=OLD,
            question=Question.TEACHER,
            answer="实验小学",
            channel=Channel.WEB,
            at=clock.now(),
        )
    with pytest.raises(IntegrityError, match="user_sign_in_name_once"):
        User.objects.create(username="zhang-san-", kind=User.Kind.CANDIDATE)


# --- One number of several persons, as documents of different types -----------------------------
def take_number(id_type: str, number: str, username: str, answer: str, question: Question) -> Candidate:
    user = register_candidate(
        name="李四",
        id_type=id_type,
        id_number=number,
        username=username,
        password=OLD,
        question=question,
        answer=answer,
        channel=Channel.WEB,
        at=clock.now(),
    )
    return user.candidate


@pytest.mark.rule("R06")
def test_with_a_number_of_two_persons_both_recover(db: None) -> None:
    number = "12345678"
    taiwan = take_number("travel_permit_tw", number, "lisi", "实验小学", Question.TOWN)
    abroad = take_number("passport", number, "wangwu", "第二小学", Question.TOWN)
    asked = recovery.ask(login=number)
    assert recovery.answer(asked=asked, typed="实验小学").user == taiwan.user_id
    assert recovery.answer(asked=asked, typed="第二小学").user == abroad.user_id
    with pytest.raises(Refused) as refused:
        recovery.answer(asked=asked, typed="第三小学")
    assert refused.value.code == "wrong_answer"


def test_whoever_is_asked_another_s_question_reads_of_the_way_by_username(db: None) -> None:
    for login in (NUMBER, "nobody"):
        assert "改用用户名" in begin(Client(), login).content.decode()
