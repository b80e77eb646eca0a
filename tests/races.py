"""Two at once, for tests of races: each in a thread with a database connection of its own."""

import sys
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from exam_portal.kit.locks import locked


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """What the acts returned or raised, having begun at the same moment."""
    barrier = Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(number: int, act: Callable[[], Any]) -> None:
        try:
            barrier.wait(timeout=10)
            results[number] = act()
        except Exception as error:
            results[number] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def take_locks_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let services read rows without locking them, to show that the race is real."""

    def unlocked(rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows

    for module in list(sys.modules.values()):
        if getattr(module, "locked", None) is locked:
            monkeypatch.setattr(module, "locked", unlocked)


def meet(monkeypatch: pytest.MonkeyPatch, target: Any, name: str, parties: int = 2) -> None:
    """Hold each caller of a function until all are there, or half a second: they have then read the same rows."""
    barrier = Barrier(parties)
    original = getattr(target, name)

    def waiting(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        try:
            barrier.wait(timeout=0.5)
        except Exception:
            barrier.reset()
        return result

    monkeypatch.setattr(target, name, waiting)
