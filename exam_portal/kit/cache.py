"""The cache: Redis, without which the portal goes on."""

from typing import Any

from django_redis.cache import RedisCache


class ForgivingCache(RedisCache):
    """Redis as a cache that is empty, and never an error, while Redis does not answer (`IGNORE_EXCEPTIONS`)."""

    def add(self, *args: Any, **kwargs: Any) -> bool:
        """Add a key; while Redis does not answer, as if it had been added.

        Rate limits take a lock by adding a key: without Redis they let everybody pass, rather than nobody.
        """
        added = super().add(*args, **kwargs)
        return True if added is None else added
