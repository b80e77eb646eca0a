"""Nobody learns by the clock whether an account exists: measured, in pairs; once with the guard taken out."""

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.auth import IdentityBackend
from accounts.models import Candidate, RecoveryAttempts
from accounts.services import recovery
from tests.accounts.recovering import BEGIN, LOGIN, NUMBER, QUESTION
from tests.factories import resident_id

pytestmark = pytest.mark.django_db

PAIRS = 15
NOISE = 0.2  # of the time itself; a hash is about half of it


def difference(known: Callable[[], object], unknown: Callable[[], object]) -> float:
    """How much longer a known name takes than an unknown one, as a share: the middle one of pairs by turns."""
    taken: dict[Any, list[float]] = {known: [], unknown: []}
    for number in range(2 * PAIRS + 2):
        act = (known, unknown, unknown, known)[number % 4]  # neither is always the second
        RecoveryAttempts.objects.all().delete()
        cache.clear()
        began = perf_counter()
        act()
        if number >= 2:
            taken[act].append(perf_counter() - began)
    return median(a - b for a, b in zip(*taken.values(), strict=True)) / median(taken[known] + taken[unknown])


def sign_in(login: str) -> Callable[[], object]:
    client = Client()
    return lambda: client.post(LOGIN, {"login": login, "password": "a wrong password"})


def ask(login: str) -> Callable[[], object]:
    client = Client()
    return lambda: client.post(BEGIN, {"login": login})


def answer(login: str) -> Callable[[], object]:
    client = Client()
    client.post(BEGIN, {"login": login})
    return lambda: client.post(QUESTION, {"answer": "falsch"})


@pytest.mark.rule("R04", "R06")
@pytest.mark.parametrize("way", [sign_in, ask, answer])
@pytest.mark.parametrize(("known", "unknown"), [("zhangsan", "nobody99"), (NUMBER, resident_id(9))])
def test_a_name_takes_as_long_whether_there_is_an_account_or_not(
    somebody: Candidate, way: Callable[[str], Callable[[], object]], known: str, unknown: str
) -> None:
    # On a busy machine one measurement may be off; a real difference is there each time.
    assert any(abs(difference(way(known), way(unknown))) < NOISE for _measurement in range(3))


@pytest.mark.parametrize("way", [sign_in, answer])
def test_without_the_hash_for_nobody_the_clock_would_tell(
    somebody: Candidate, way: Callable[[str], Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IdentityBackend, "_mitigate_timing_attack", lambda self, password: None)
    check, nobodys = recovery.check_password, recovery._nobodys_hash()
    monkeypatch.setattr(recovery, "check_password", lambda typed, known: known != nobodys and check(typed, known))
    assert difference(way("zhangsan"), way("nobody99")) > NOISE
