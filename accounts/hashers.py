"""How passwords and recovery answers are hashed, and at what cost."""

import unicodedata

from django.contrib.auth.hashers import Argon2PasswordHasher


class PortalArgon2Hasher(Argon2PasswordHasher):
    """Argon2id with the parameters that OWASP recommends: 19 MiB, two passes, one lane.

    Django's own take 100 MiB and eight threads for each hash, which on the last day is a worker's memory per handful of
    sign-ins (docs/performance.md has the measurements). Hashes of other parameters stay valid and are made anew at the
    next sign-in.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        return str(super().encode(_as_hashed(password), salt))

    def verify(self, password: str, encoded: str) -> bool:
        return bool(super().verify(_as_hashed(password), encoded))


def _as_hashed(password: str) -> str:
    """The same on every keyboard: NFKC, as NIST SP 800-63B advises; else a full-width or a composed letter differs."""
    return unicodedata.normalize("NFKC", password)
