"""How often one address may ask."""

from typing import Any
from unittest.mock import Mock

import pytest
from django.test import Client
from django.urls import reverse

from accounts import limits

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_minute")]


@pytest.fixture(params=["account_login", "account_signup"])
def page(request: pytest.FixtureRequest, settings: Any) -> str:
    settings.PORTAL_SIGN_INS_PER_ADDRESS = settings.PORTAL_SIGN_UPS_PER_ADDRESS = 2
    return reverse(request.param)


def test_beyond_the_limit_of_an_address_only_posting_is_refused(client: Client, page: str) -> None:
    statuses = [client.post(page, {}).status_code for _ in range(4)]
    assert statuses[2:] == [429, 429]
    assert 429 not in statuses[:2]
    assert client.get(page).status_code != 429
    assert client.post(page, {}, REMOTE_ADDR="10.0.0.2").status_code != 429


def test_a_network_of_ipv6_counts_as_one_address(client: Client, page: str) -> None:
    asked = [client.post(page, {}, REMOTE_ADDR=f"2001:db8::{number}").status_code for number in range(1, 4)]
    assert asked[2] == 429
    assert client.post(page, {}, REMOTE_ADDR="2001:db8:0:1::1").status_code != 429


def test_the_next_minute_counts_anew(client: Client, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [client.post(page, {}).status_code for _ in range(3)][2] == 429
    monkeypatch.setattr(limits.time, "time", lambda: 1_000_060.0)
    assert client.post(page, {}).status_code != 429


def test_a_cache_that_forgets_stops_nobody(client: Client, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "cache", Mock(incr=Mock(side_effect=[ValueError()] * 3)))
    assert 429 not in [client.post(page, {}).status_code for _ in range(3)]


@pytest.mark.parametrize(
    ("forwarded", "status"),
    [
        ("203.0.113.7", 400),  # by one of two proxies
        ("203.0.113.7, 10.0.0.1", 200),
        ("said by the browser, 203.0.113.7, 10.0.0.1", 200),
        ("fe80::1%eth0, 10.0.0.1", 200),
        ("[2001:db8::1]:443, 10.0.0.1", 200),
        ("nonsense, 10.0.0.1", 403),
        ("", 200),
    ],
)
def test_what_did_not_pass_every_proxy_is_refused(client: Client, settings: Any, forwarded: str, status: int) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 2
    for page in (reverse("account_login"), reverse("accounts:recovery")):
        assert client.post(page, {}, headers={"X-Forwarded-For": forwarded}).status_code == status
        assert client.get(page, headers={"X-Forwarded-For": forwarded}).status_code == 200
