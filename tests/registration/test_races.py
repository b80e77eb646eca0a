"""Two at once, each tested in a pair: with the lock taken out, to show that the race is real, and with it."""

from typing import Any

import pytest
from django.db import IntegrityError

from accounts.actors import acting
from accounts.models import Candidate, LedgerEvent, Message
from exam_portal import clock
from exam_portal.kit.errors import Refused
from registration.models import Application, Exam, Submission
from registration.services import applications, numbers, snapshot
from tests import factories
from tests.races import at_once, meet, take_locks_out

pytestmark = pytest.mark.django_db(transaction=True)


def submit(draft: Application) -> Any:
    return applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())


@pytest.mark.parametrize("with_lock", [False, True])
def test_submitting_twice_at_once(draft: Application, monkeypatch: pytest.MonkeyPatch, with_lock: bool) -> None:
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, snapshot, "take")
    results = at_once(lambda: submit(draft), lambda: submit(draft))
    refused = [result for result in results if isinstance(result, IntegrityError)]
    if with_lock:
        assert refused == []
        assert results[0] == results[1]
    else:
        assert len(refused) == 1  # the database's constraint is the last guard; the person would have seen an error
    told = Message.objects.order_by("pk").values_list("kind", "facts__todo")
    assert Submission.objects.count() == 1
    assert list(told) == [("todo", "submit"), ("todo", "confirm_on_site"), ("application_submitted", None)]
    assert LedgerEvent.objects.filter(action="application.submit").count() == 1


@pytest.mark.rule("R31")
@pytest.mark.parametrize("with_lock", [False, True])
def test_starting_twice_at_once(
    exam: Exam, candidate: Candidate, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, numbers, "application_number")
    results = at_once(lambda: factories.begin(candidate, exam), lambda: factories.begin(candidate, exam))
    failed = [result for result in results if isinstance(result, Exception)]
    assert len(failed) == (0 if with_lock else 1)
    if with_lock:
        assert results[0] == results[1]
    assert Application.objects.count() == 1


@pytest.mark.rule("R09")
@pytest.mark.parametrize("with_lock", [False, True])
def test_withdrawing_and_changing_at_once(draft: Application, monkeypatch: pytest.MonkeyPatch, with_lock: bool) -> None:
    """Whoever changes a draft while it is being submitted either comes first or is told that it is submitted."""
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, applications, "_check_draft")
    other = draft.exam.specialties.get(code="301")
    how = {"application": draft, "actor": acting(draft.candidate), "at": clock.now()}
    submitted, changed = at_once(
        lambda: applications.submit(**how),
        lambda: applications.choose_specialty(specialty=other, subjects=["1"], **how),
    )
    draft.refresh_from_db()
    shown = draft.specialty.code
    sent = submitted.content["specialty"]["code"]
    if with_lock:
        assert sent == shown
        assert changed is None or isinstance(changed, Refused)
    else:
        assert (sent, shown) == ("203", "301")  # submitted is one thing, shown another
