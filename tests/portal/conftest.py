"""The portal's processes at their most talkative."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.portal.leaking import Portal, talkative_portal


@pytest.fixture
def portal(transactional_db: None, tmp_path: Path) -> Iterator[Portal]:
    with talkative_portal(tmp_path) as running:
        yield running
