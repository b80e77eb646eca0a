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
        if _one_more(key) <= per_second:
            return
        time.sleep(max(0.0, second + 1 - time.time()))


def _one_more(key: str) -> int:
    """How many there are with this one; 1 where the cache is silent."""
    for _try in range(2):
        try:
            return cache.incr(key)
        except ValueError:  # the first of this second, or the cache is silent
            if cache.add(key, 1, timeout=5):
                break
    return 1
