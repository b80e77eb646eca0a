"""Two sign up at once, in pairs: without what keeps a number or a username unique, and with it (R04)."""

import secrets
from typing import Any

import pytest

from accounts import identity
from accounts.models import Candidate, Channel, Question, User
from accounts.services import registering
from exam_portal import clock
from tests.factories import resident_id
from tests.races import at_once, meet

pytestmark = pytest.mark.django_db(transaction=True)


def sign_up(username: str, number: int) -> User:
    return registering.register_candidate(
        name="张三",
        id_type="resident_id",
        id_number=resident_id(number),
        username=username,
        password="correct horse battery",
        question=Question.SCHOOL,
        answer="实验小学",
        channel=Channel.WEB,
        at=clock.now(),
    )


def failed(results: list[Any]) -> list[type]:
    return [type(result) for result in results if isinstance(result, Exception)]


@pytest.mark.rule("R04")
@pytest.mark.parametrize("with_claim", [False, True])
def test_two_with_one_number(monkeypatch: pytest.MonkeyPatch, with_claim: bool) -> None:
    if not with_claim:

        def unclaimed(**_of: str) -> dict[str, str | None]:
            return {"id_digest": secrets.token_hex(32), "id_digest_next": None}

        monkeypatch.setattr(identity, "digest_columns", unclaimed)
    meet(monkeypatch, identity, "birth_and_sex")  # both have looked at all that is looked at before
    results = at_once(lambda: sign_up("zhangsan", 1), lambda: sign_up("lisi", 1))
    if not with_claim:
        assert (failed(results), Candidate.objects.count()) == ([], 2)
        return
    assert failed(results) == [registering.IdTaken]
    assert (Candidate.objects.count(), User.objects.count()) == (1, 1)


@pytest.mark.rule("R04")
@pytest.mark.parametrize(("other", "taken"), [("zhangsan2", False), ("zhangsan", True), ("zhang-san", True)])
def test_two_with_one_username(monkeypatch: pytest.MonkeyPatch, other: str, taken: bool) -> None:
    meet(monkeypatch, identity, "birth_and_sex")
    results = at_once(lambda: sign_up("zhangsan", 1), lambda: sign_up(other, 2))
    assert failed(results) == ([registering.UsernameTaken] if taken else [])
    assert Candidate.objects.count() == (1 if taken else 2)
