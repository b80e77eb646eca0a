"""What the checks say of the corpus: each case of a face of either half; all faces with `make test-all`."""

import pytest

from tests.photos.corpus import CASES, HELD_BACK, TUNED, Case
from tests.photos.looking import wrong

# One face of each half a case, another one each time.
CHOSEN = [(case, half[at % len(half)]) for at, case in enumerate(CASES) for half in (TUNED, HELD_BACK)]
OTHERS = [(case, face) for case in CASES for face in TUNED + HELD_BACK if (case, face) not in CHOSEN]


def _name(value: object) -> str:
    return value.name if isinstance(value, Case) else str(value)


@pytest.mark.parametrize(("case", "face"), CHOSEN, ids=_name)
def test_a_case_gets_the_verdicts_that_are_expected_of_it(case: Case, face: str) -> None:
    assert wrong(case, face) == {}


@pytest.mark.exhaustive
@pytest.mark.parametrize(("case", "face"), OTHERS, ids=_name)
def test_so_does_it_with_every_other_face(case: Case, face: str) -> None:
    assert wrong(case, face) == {}


def test_the_corpus_is_big_enough() -> None:
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)
