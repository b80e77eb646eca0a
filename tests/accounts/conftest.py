"""What the tests of accounts stand on."""

import pytest

from accounts.models import Candidate
from tests.accounts.recovering import make_somebody


@pytest.fixture
def somebody(db: None) -> Candidate:
    """A candidate with a password, a question whose answer is 实验小学, and a verified address."""
    return make_somebody()
