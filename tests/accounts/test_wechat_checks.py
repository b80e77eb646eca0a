"""WeChat is set up whole or not at all."""

from typing import Any

import pytest
from django.core.checks import run_checks

from accounts.wechat.checks import TOGETHER, check_wechat


@pytest.fixture(params=TOGETHER)
def one(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def give(settings: Any, value: str) -> None:
    for name in TOGETHER:
        setattr(settings, name, value)


def test_all_and_none_are_right(settings: Any) -> None:
    for value in ("", "given"):
        give(settings, value)
        assert check_wechat() == []


def test_one_that_is_missing_is_named(settings: Any, one: str) -> None:
    give(settings, "given")
    setattr(settings, one, "")
    (error,) = check_wechat()
    assert (error.id, error.msg) == ("portal.E006", f"WeChat is set up in part; missing: PORTAL_{one}.")


def test_one_alone_is_told_of_before_deploying(settings: Any, one: str) -> None:
    give(settings, "")
    setattr(settings, one, "given")
    assert "portal.E006" in {error.id for error in run_checks(include_deployment_checks=True)}
    assert "portal.E006" not in {error.id for error in run_checks()}, "a demo may have some"
