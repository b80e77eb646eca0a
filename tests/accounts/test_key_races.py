"""Keys rotate while candidates register: each race in a pair, without its guard and with it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

from accounts import identity
from accounts.models import Candidate, Channel, Question
from accounts.services import keys, registering
from accounts.services.registering import IdTaken, register_candidate
from exam_portal import clock
from exam_portal.kit import crypto, rotation
from tests.factories import CandidateFactory, resident_id
from tests.races import at_once, meet, take_locks_out

pytestmark = pytest.mark.django_db(transaction=True)

OLD, NEW = "the old look-up key", "the new look-up key"
STEPS: list[tuple[str, str | None]] = [(OLD, None), (OLD, NEW), (NEW, NEW), (NEW, None)]


@pytest.fixture
def as_process(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`with as_process(step)`: this thread is a process that was started with the look-up keys of that step."""
    here = threading.local()

    @contextmanager
    def process(step: int) -> Iterator[None]:
        here.keys = STEPS[step]
        try:
            yield
        finally:
            del here.keys

    for module in (crypto, identity):
        monkeypatch.setattr(module, "lookup_keys", lambda: here.keys)
    return process


def register(number: str, username: str) -> Any:
    return register_candidate(
        name="张三",
        id_type="resident_id",
        id_number=number,
        username=username,
        password="correct horse battery",
        question=Question.SCHOOL,
        answer="an answer",
        channel=Channel.WEB,
        at=clock.now(),
    )


@pytest.mark.rule("R04")
@pytest.mark.parametrize(("one", "other"), [(0, 1), (1, 2), (2, 3), (0, 2), (1, 3)])
def test_a_number_registers_once_while_processes_of_two_steps_run(
    as_process: Any, monkeypatch: pytest.MonkeyPatch, one: int, other: int
) -> None:
    """Next to each other, with the rotation running: one account. With a step left out: two, so the race is real."""
    meet(monkeypatch, registering.identity, "birth_and_sex")
    with as_process(one):
        CandidateFactory.create_batch(5)

    def sign_up(step: int) -> Any:
        with as_process(step):
            return register(resident_id(50), f"process{step}")

    def rotate() -> Any:
        with as_process(other):
            return [problem for progress in keys.rotate_lookup(batch=1) for problem in progress.problems]

    results = at_once(lambda: sign_up(one), lambda: sign_up(other), *([rotate] if other == one + 1 else []))
    refused = [result for result in results if isinstance(result, IdTaken)]
    if other == one + 1:
        assert len(refused) == 1, results
        assert results[2] == []
        assert Candidate.objects.count() == 6
    else:
        assert refused == [], results
        assert Candidate.objects.count() == 7


@pytest.mark.rule("R04")
@pytest.mark.parametrize("step", [1, 2, 3])
def test_who_is_registered_stays_so_while_rows_are_brought_to_the_next_step(as_process: Any, step: int) -> None:
    """Somebody else tries a registered number, by the step before and the new one, while the rotation goes through."""
    with as_process(step - 1):
        numbers = [CandidateFactory().id_number for _ in range(12)]

    def rotate() -> Any:
        with as_process(step):
            return [problem for progress in keys.rotate_lookup(batch=1) for problem in progress.problems]

    def tries(own: int) -> list[Any]:
        outcomes = []
        for position, number in enumerate(numbers):
            with as_process(own):
                try:
                    outcomes.append(register(number, f"p{own}n{position}"))
                except IdTaken as taken:
                    outcomes.append(taken)
        return outcomes

    problems, before, after = at_once(rotate, lambda: tries(step - 1), lambda: tries(step))
    assert problems == []
    assert all(isinstance(outcome, IdTaken) for outcome in [*before, *after])
    assert Candidate.objects.count() == 12


@pytest.mark.parametrize("with_lock", [False, True])
def test_a_number_changed_while_keys_rotate_stays_changed(
    settings: Any, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    if not with_lock:
        take_locks_out(monkeypatch)
    settings.PORTAL_ENCRYPTION_KEYS = ["old"]
    candidate = CandidateFactory(id_number=resident_id(1))
    settings.PORTAL_ENCRYPTION_KEYS = ["new", "old"]
    read, written = threading.Event(), threading.Event()
    decrypt = crypto.decrypt

    def after_reading(token: str) -> str:
        text = decrypt(token)
        if threading.current_thread().name == "rotation":
            read.set()
            written.wait(timeout=0.5)  # with the lock the writer waits for us, and this runs out
        return text

    monkeypatch.setattr(crypto, "decrypt", after_reading)

    def rotate() -> None:
        threading.current_thread().name = "rotation"
        list(keys.rotate(batch=10))

    def write() -> None:
        assert read.wait(timeout=10)
        with transaction.atomic():
            rotation.begin_rotating()  # lets the encrypted number through, as the service that changes one does
            Candidate.objects.filter(pk=candidate.pk).update(id_number=resident_id(2))
        written.set()

    assert at_once(rotate, write) == [None, None]
    assert Candidate.objects.get().id_number == resident_id(2 if with_lock else 1)
