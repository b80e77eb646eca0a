"""Measurements run once each, in order, alone: `make bench`. They print ratios, which other machines can be held to."""

from collections.abc import Callable
from statistics import median
from time import perf_counter

import pytest

from tests.conftest import portal_time  # noqa: F401 - the same hour of a day each time; what commits is emptied

Measure = Callable[..., float]


@pytest.fixture
def measure() -> Measure:
    """`measure(act, times)`: the median of so many runs, in seconds; the first, cold one does not count."""

    def run(act: Callable[[], object], times: int = 15) -> float:
        act()
        taken = []
        for _ in range(times):
            began = perf_counter()
            act()
            taken.append(perf_counter() - began)
        return median(taken)

    return run
