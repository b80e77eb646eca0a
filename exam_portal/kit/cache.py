"""The cache: Redis, without which the portal goes on."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# For so long after a failure Redis is not asked again: a hanging Redis costs one short wait, not one a request.
PAUSE = 5.0
_silent_until = 0.0


def _asking(method: Callable[..., Any], otherwise: Any, *args: Any, **kwargs: Any) -> Any:
    """What Redis answers, or `otherwise` while it does not answer."""
    global _silent_until
    if time.monotonic() < _silent_until:
        return otherwise
    try:
        return method(*args, **kwargs)
    except (RedisError, OSError) as error:
        _silent_until = time.monotonic() + PAUSE
        logger.warning("Redis does not answer (%s); for %.0f s the cache is empty.", type(error).__name__, PAUSE)
        return otherwise


class ForgivingCache(RedisCache):
    """Redis as a cache that is empty, and never an error, while Redis does not answer.

    Adding a key then counts as done: rate limits take a lock by adding a key, and without Redis they let everybody
    pass rather than nobody.
    """

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        return _asking(super().get, default, key, default, version)

    def add(self, *args: Any, **kwargs: Any) -> bool:
        return bool(_asking(super().add, True, *args, **kwargs))

    def set(self, *args: Any, **kwargs: Any) -> None:
        _asking(super().set, None, *args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        return bool(_asking(super().delete, False, *args, **kwargs))

    def clear(self) -> bool:  # type: ignore[override]  # as in Django's own Redis cache
        return bool(_asking(super().clear, False))
