"""The bell: a broker that does not answer is no error, and one that hangs lets one wait and not everybody."""

import time

import pytest
from kombu.exceptions import OperationalError

from exam_portal.kit import bell


class Dead:
    """A task whose broker answers nothing, after some time."""

    name = "task"

    def __init__(self, takes: float) -> None:
        self.takes, self.asked = takes, list[tuple[int, ...]]()

    def delay(self, *keys: int) -> None:
        self.asked.append(keys)
        time.sleep(self.takes)
        raise OperationalError


def test_a_broker_that_is_gone_is_asked_for_each() -> None:
    task = Dead(0)
    bell.ring(task, 1, 2)
    bell.ring(task, 3)
    assert task.asked == [(1, 2), (3,)]


def test_a_broker_that_hangs_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bell, "LONG", 0.05)
    monkeypatch.setattr(bell, "PAUSE", 0.2)
    task = Dead(0.1)
    bell.ring(task, 1)
    bell.ring(task, 2)
    assert task.asked == [(1,)]
    time.sleep(0.25)
    bell.ring(task, 3)
    assert task.asked == [(1,), (3,)]
