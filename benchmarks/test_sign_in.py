"""What a password hash costs, and its share of a sign-in. The floor is a health check, the cheapest request."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.hashers import PortalArgon2Hasher
from accounts.models import User
from tests.factories import CandidateFactory

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"
MOST = 0.9  # of a sign-in; more, and the hash is all that a sign-in is
CANDIDATES: dict[str, tuple[int, int, int]] = {  # MiB, passes, lanes
    "OWASP, 19 MiB": (19, 2, 1),
    "OWASP, 46 MiB": (46, 1, 1),
    "RFC 9106, 64 MiB": (64, 3, 4),
    "Django": (
        Argon2PasswordHasher.memory_cost // 1024,
        Argon2PasswordHasher.time_cost,
        Argon2PasswordHasher.parallelism,
    ),
}


def hasher(mebibytes: int, passes: int, lanes: int) -> Argon2PasswordHasher:
    made = Argon2PasswordHasher()
    made.memory_cost, made.time_cost, made.parallelism = mebibytes * 1024, passes, lanes
    return made


def test_the_hash_and_its_share_of_a_sign_in(
    measure: Callable[..., float], tell: Callable[[str], None], settings: Any
) -> None:
    user: User = CandidateFactory().user
    user.set_password(PASSWORD)
    user.save()
    floor = measure(lambda: Client().get("/healthz"))

    def sign_in() -> None:
        cache.clear()  # attempts are limited
        answer = Client().post(reverse("account_login"), {"login": user.username, "password": PASSWORD})
        assert answer.status_code == 302

    whole = measure(sign_in)
    chosen = PortalArgon2Hasher()
    one = measure(lambda: chosen.verify(PASSWORD, user.password))
    tell(f"health check 1.0 ({floor * 1000:.1f} ms); sign-in {whole / floor:.1f}; hash {one / floor:.1f}")
    tell(f"the hash is {one / whole:.0%} of a sign-in")
    for name, parameters in CANDIDATES.items():
        other = hasher(*parameters)
        encoded = other.encode(PASSWORD, other.salt())
        taken = measure(lambda other=other, encoded=encoded: other.verify(PASSWORD, encoded))
        tell(f"{name} ({parameters[0]} MiB, {parameters[1]} passes, {parameters[2]} lanes): {taken / one:.2f}")
    assert one / whole < MOST
