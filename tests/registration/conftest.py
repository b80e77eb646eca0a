"""The candidate's telephone."""

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Candidate
from tests.wechat import Sandbox, reachable, sandbox


@pytest.fixture
def phone(settings: Any, candidate: Candidate) -> Iterator[Sandbox]:
    """The WeChat of the candidate, who follows."""
    with sandbox() as running:
        reachable(running, settings)
        running.do("/sandbox/people/1", {"act": "follow"})
        candidate.wechat.openid = running.openid(1)
        candidate.wechat.save()
        yield running
