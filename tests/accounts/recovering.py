"""What the tests of recovery share: somebody who forgot a password, and the way there."""

from typing import Any

from django.test import Client
from django.urls import reverse

from accounts.models import Candidate, Channel, Question, User
from accounts.services.registering import register_candidate
from exam_portal import clock

NUMBER = "11010119900307002X"
OLD, NEW = "correct horse battery", "purple monkey dishwasher"
BEGIN, QUESTION, CODE, PASSWORD, LOGIN = (
    reverse(name)
    for name in (
        "accounts:recovery",
        "accounts:recovery_question",
        "accounts:recovery_code",
        "accounts:recovery_password",
        "account_login",
    )
)


def make_somebody() -> Candidate:
    """A candidate with a password, a question whose answer is 实验小学, and a verified address."""
    user = register_candidate(
        name="张三",
        id_type="resident_id",
        id_number=NUMBER,
        username="zhangsan",
        password=OLD,
        question=Question.TEACHER,
        answer="实验小学",
        channel=Channel.WEB,
        at=clock.now(),
    )
    User.objects.filter(pk=user.pk).update(email="zhang@example.org")
    return user.candidate


def signed_in(password: str = OLD) -> Client:
    """A browser in which `zhangsan` is signed in."""
    client = Client()
    assert client.post(LOGIN, {"login": "zhangsan", "password": password}).status_code == 302
    return client


def begin(client: Client, login: str = "zhangsan") -> Any:
    """The page with the recovery question of this name."""
    client.post(BEGIN, {"login": login})
    return client.get(QUESTION)
