"""What the checks say of the corpus: each case of a face of either half; all faces with `make test-all`."""

import pytest
from django.conf import settings

from tests.photos.corpus import CASES, HELD_BACK, TUNED, Case
from tests.photos.looking import as_markdown, table, wrong

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


@pytest.mark.exhaustive
def test_the_table_of_the_docs_is_what_is_found_on_the_faces_held_back() -> None:
    right, errs, _lines = table(HELD_BACK)
    assert as_markdown(right, errs) in (settings.BASE_DIR / "docs/photos.md").read_text(encoding="utf-8")
