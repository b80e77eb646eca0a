"""How often something may be done in a second: by all together, and freely where the cache is silent."""

from typing import Any

import pytest
from django.core.cache import cache

from exam_portal.kit import rates

pytestmark = pytest.mark.django_db


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that goes on only while somebody sleeps; how long each slept."""
    slept: list[float] = []
    monkeypatch.setattr(rates.time, "time", lambda: 1000.25 + sum(slept))
    monkeypatch.setattr(rates.time, "sleep", slept.append)
    return slept


def test_more_than_so_many_wait_for_the_next_second(seconds: list[float]) -> None:
    for _ in range(5):
        rates.wait("x", per_second=2)
    assert seconds == [0.75, 1.0]


def test_one_name_does_not_wait_for_another(seconds: list[float]) -> None:
    rates.wait("x", per_second=1)
    rates.wait("y", per_second=1)
    assert seconds == []


def test_where_the_cache_is_silent_nobody_waits(seconds: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_arguments: Any, **_more: Any) -> int:
        raise ValueError

    monkeypatch.setattr(cache, "incr", silent, raising=False)
    for _ in range(5):
        rates.wait("x", per_second=1)
    assert seconds == []
