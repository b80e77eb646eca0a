"""How often something may be done in a second by all processes together."""

import time

from django.core.cache import cache

PATIENCE = 30  # seconds after which one goes on all the same: better a little too fast than never


def wait(name: str, *, per_second: int) -> None:
    """Come back when it is this caller's turn. Where the cache is silent, everybody goes on at once."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        second = int(time.time())
        key = f"rate:{name}:{second}"
        cache.add(key, 0, timeout=5)
        if (_one_more(key) or 0) <= per_second:
            return
        time.sleep(max(0.0, second + 1 - time.time()))


def _one_more(key: str) -> int | None:
    try:
        return cache.incr(key)
    except ValueError:  # it went between the two, or the cache is silent
        return None
