"""Education records changed twice at once, each in a pair: with the lock taken out, and with it (R27)."""

from typing import Any

import pytest
from django.db import Error, IntegrityError

from accounts.models import Candidate, EducationRecord
from accounts.services import education as service
from exam_portal.kit.errors import Refused
from tests.accounts.educating import add, correct, events, numbers
from tests.races import at_once, meet, take_locks_out

pytestmark = pytest.mark.django_db(transaction=True)


def failed(results: list[Any]) -> list[Any]:
    return [result for result in results if isinstance(result, Exception)]


@pytest.mark.rule("R27")
@pytest.mark.parametrize("with_lock", [False, True])
def test_a_fifth_and_a_sixth_record_at_once(
    newcomer: Candidate, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    for number in range(1, 5):
        add(newcomer, str(number))
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, service.schools, "code_of", parties=4)
    meet(monkeypatch, service.EducationRecord, "clean_fields")
    (error,) = failed(at_once(lambda: add(newcomer, "5"), lambda: add(newcomer, "6")))
    if with_lock:
        assert isinstance(error, Refused)
        assert error.code == "education_full"
    else:
        assert isinstance(error, IntegrityError)  # the last guard; the person would have seen an error
    assert newcomer.education.count() == 5
    assert len(events(newcomer)) == 5


@pytest.mark.rule("R27")
@pytest.mark.parametrize("with_lock", [False, True])
def test_two_sixth_records_at_once_are_both_refused(
    newcomer: Candidate, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    for number in range(1, 6):
        add(newcomer, str(number))
    if not with_lock:
        take_locks_out(monkeypatch)
    errors = failed(at_once(lambda: add(newcomer, "6"), lambda: add(newcomer, "7")))
    assert [error.code for error in errors if isinstance(error, Refused)] == ["education_full"] * 2
    assert numbers(newcomer) == ["1", "2", "3", "4", "5"]


@pytest.mark.rule("R27")
@pytest.mark.parametrize("with_lock", [False, True])
def test_the_same_record_pressed_twice_at_once(
    newcomer: Candidate, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, service.EducationRecord, "clean_fields")
    results = at_once(lambda: add(newcomer), lambda: add(newcomer))
    if with_lock:
        assert results[0] == results[1] == newcomer.education.get()
    else:
        (error,) = failed(results)
        assert isinstance(error, IntegrityError)
    assert (newcomer.education.count(), len(events(newcomer))) == (1, 1)


@pytest.mark.rule("R27")
@pytest.mark.parametrize("with_lock", [False, True])
@pytest.mark.parametrize(("first", "second"), [("2", "3"), ("2", "2")], ids=["otherwise", "alike"])
def test_one_record_corrected_twice_at_once(
    newcomer: Candidate, monkeypatch: pytest.MonkeyPatch, with_lock: bool, first: str, second: str
) -> None:
    record = add(newcomer, "1")
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, service.EducationRecord.objects, "get")
    results = at_once(lambda: correct(record, first), lambda: correct(record, second))
    if not with_lock:
        (error,) = failed(results)
        assert isinstance(error, Error)  # one of the triggers, or the constraint, is the last guard
    elif first == second:
        assert results[0] == results[1] == newcomer.education.standing().get()
    else:
        (error,) = failed(results)
        assert isinstance(error, Refused)
        assert error.code == "superseded"
    corrected = EducationRecord.objects.get(supersedes=record)
    assert numbers(newcomer) == [corrected.certificate_number]
    assert newcomer.education.count() == 2
    assert [action for action, _payload in events(newcomer)] == ["education.added", "education.corrected"]


@pytest.mark.rule("R27")
@pytest.mark.parametrize("with_lock", [False, True])
def test_one_is_added_while_another_is_corrected(
    newcomer: Candidate, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    """A correction frees no place in between: who adds takes the next one."""
    record = add(newcomer, "1")
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, service.EducationRecord, "clean_fields")
    assert failed(at_once(lambda: correct(record, "2"), lambda: add(newcomer, "3"))) == []
    assert numbers(newcomer) == ["2", "3"]
