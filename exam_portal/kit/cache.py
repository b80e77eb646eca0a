"""The cache: Redis, without which the portal goes on."""

import logging
import time
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.redis import RedisCache
from django.utils.functional import cached_property
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

# For so long after a failure Redis is not asked again: a hanging Redis costs one short wait, not one a request.
PAUSE = 5.0
_silent_until = 0.0


class _Asked:
    """Redis' client; while Redis does not answer, Django's dummy cache answers every command in its place.

    Whatever command a cache has goes through here, so that none can be forgotten.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._empty = DummyCache("", {})

    def __getattr__(self, command: str) -> Callable[..., Any]:
        ask, otherwise = getattr(self._client, command), getattr(self._empty, command)

        def answer(*args: Any, **kwargs: Any) -> Any:
            global _silent_until
            if time.monotonic() >= _silent_until:
                try:
                    return ask(*args, **kwargs)
                except (RedisError, OSError) as error:
                    _silent_until = time.monotonic() + PAUSE
                    logger.warning(
                        "Redis does not answer (%s); for %.0f s the cache is empty.", type(error).__name__, PAUSE
                    )
            return otherwise(*args, **kwargs)

        return answer


class ForgivingCache(RedisCache):
    """Redis as a cache that is empty, and never an error, while Redis does not answer.

    Adding a key then counts as done: rate limits take a lock by adding a key, and without Redis they let everybody
    pass rather than nobody.
    """

    @cached_property
    def _cache(self) -> _Asked:  # type: ignore[override]  # answers whatever the client answers
        return _Asked(super()._cache)
