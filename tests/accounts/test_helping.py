"""What staff do for a candidate: revealing the ID number, ending sessions, unlocking, looking; each with a reason."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pgtrigger
import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from accounts.actors import Actor, acting
from accounts.models import Candidate, LedgerEvent, Message, Point, RecoveryAttempts
from accounts.services import helping, recovery
from exam_portal import clock
from exam_portal.kit.errors import Refused
from registration.models import Exam
from tests import factories
from tests.accounts.recovering import OLD

pytestmark = pytest.mark.django_db

ACTS: list[Callable[..., Any]] = [
    helping.reveal_id_number,
    helping.end_sessions,
    helping.unlock,
    helping.look,
]


@pytest.fixture
def applicant(exam: Exam) -> Candidate:
    """A candidate who applies at the point 4301, and is signed in in two places."""
    candidate = factories.make_candidate()
    factories.make_draft(candidate, exam)
    for number in range(2):
        key = f"{number:032d}"
        Session.objects.create(session_key=key, expire_date=datetime(2999, 1, 1, tzinfo=UTC))
        UserSession.objects.create(user=candidate.user, session_key=key, ip="127.0.0.1")
    return candidate


def how(candidate: Candidate, actor: Actor, reason: str = "本人持证件到场") -> dict[str, Any]:
    return {"candidate": candidate, "actor": actor, "reason": reason, "at": clock.now()}


def last_event() -> tuple[str, str, str, str, dict[str, Any]]:
    event = LedgerEvent.objects.filter(stream="candidate").latest("pk")
    return event.stream_id, event.action, event.actor_id, event.reason, event.payload


def test_a_revealed_number_is_an_event_with_its_reason(applicant: Candidate, clerk: Actor) -> None:
    assert helping.reveal_id_number(**how(applicant, clerk, " 核对原件 ")) == applicant.id_number
    assert last_event() == (str(applicant.pk), "id_number.revealed", clerk.id, "核对原件", {})
    assert not told(applicant)


def test_a_number_typed_as_the_reason_does_not_stay_in_the_ledger(applicant: Candidate, clerk: Actor) -> None:
    helping.reveal_id_number(**how(applicant, clerk, f"核对{applicant.id_number}的原件"))
    assert last_event()[3] == f"核对1101*************{applicant.id_number[-1]}的原件"


def test_all_sessions_end_and_the_candidate_reads_whose_staff_did_it(applicant: Candidate, clerk: Actor) -> None:
    assert helping.end_sessions(**how(applicant, clerk)) == 2
    assert not Session.objects.exists() and not UserSession.objects.exists()
    assert last_event() == (str(applicant.pk), "sessions.ended", clerk.id, "本人持证件到场", {"count": 2})
    (message,) = told(applicant)
    assert (message.kind, message.facts) == (
        "sessions_ended",
        {"institution": "湖南第01考点", "telephone": "000-00000000"},
    )
    assert "湖南第01考点" in message.text and "000-00000000" in message.text
    assert helping.end_sessions(**how(applicant, clerk)) == 0
    assert len(told(applicant)) == 1


def test_who_is_of_no_point_is_named_all_the_same(applicant: Candidate, exam: Exam) -> None:
    helping.unlock(**how(applicant, factories.staff_of(None, "43", role="region_admin")))
    helping.unlock(**how(applicant, factories.staff_of(None, role="national_admin")))
    of_nation, of_region = sorted(told(applicant), key=lambda message: -message.version)
    assert "湖南的工作人员" in of_region.text
    assert "国家级考试管理机构" in of_nation.text


def test_unlocking_lets_recovery_begin_anew_and_forgets_no_wrong_answer(somebody: Candidate, exam: Exam) -> None:
    asked = recovery.ask(login=somebody.user.username)
    for _attempt in range(recovery.MOST_TRIES):
        with pytest.raises(Refused):
            recovery.answer(asked=asked, typed="别的")
    with pytest.raises(Refused) as refused:
        recovery.answer(asked=asked, typed="实验小学")
    assert refused.value.code == "too_many"
    helping.unlock(**how(somebody, factories.staff_of(None, role="national_admin")))
    assert last_event()[1] == "account.unlocked"
    assert RecoveryAttempts.objects.get().wrong == recovery.MOST_TRIES
    assert recovery.answer(asked=asked, typed="实验小学").user == somebody.user_id


def test_unlocking_lets_sign_in_by_either_name_after_ten_wrong_passwords(somebody: Candidate, exam: Exam) -> None:
    def sign_in(name: str, password: str) -> int:
        return Client().post("/account/login/", {"login": name, "password": password}).status_code

    names = [somebody.user.username, somebody.id_number]
    for name in names:
        for _attempt in range(10):
            sign_in(name, "wrong")
    assert [sign_in(name, OLD) for name in names] == [200, 200]
    helping.unlock(**how(somebody, factories.staff_of(None, role="national_admin")))
    assert [sign_in(name, OLD) for name in names] == [302, 302]


def test_looking_is_recorded_before_it_begins(applicant: Candidate, clerk: Actor) -> None:
    helping.look(**how(applicant, clerk))
    assert last_event()[1:4] == ("candidate.looked_at", clerk.id, "本人持证件到场")


def told(candidate: Candidate) -> list[Message]:
    """What the candidate was told, but for what there is to do."""
    return list(Message.objects.filter(candidate=candidate).exclude(kind=Message.TODO))


def refused(act: Callable[..., Any], candidate: Candidate, actor: Actor, reason: str = "本人持证件到场") -> str:
    events, sessions = LedgerEvent.objects.count(), UserSession.objects.count()
    with pytest.raises(Refused) as caught:
        act(**how(candidate, actor, reason))
    assert (LedgerEvent.objects.count(), UserSession.objects.count()) == (events, sessions)
    assert not told(candidate)
    return caught.value.code


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
@pytest.mark.rule("R28", "R32")
def test_nobody_does_it_elsewhere_or_without_right_or_reason(
    act: Callable[..., Any], applicant: Candidate, clerk: Actor, exam: Exam
) -> None:
    elsewhere = factories.staff_of(Point.objects.get(code="4302"))
    abroad = factories.staff_of(None, "12", role="region_admin")
    auditor = factories.staff_of(None)
    for actor in (elsewhere, abroad, auditor, acting(applicant)):
        assert refused(act, applicant, actor) == "forbidden"
    assert refused(act, applicant, clerk, "  ") == "no_reason"


def test_a_region_reviewer_reveals_and_does_not_help(applicant: Candidate, region: Actor) -> None:
    assert helping.reveal_id_number(**how(applicant, region)) == applicant.id_number
    for act in ACTS[1:]:
        with pytest.raises(Refused):
            act(**how(applicant, region))


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_nothing_is_done_to_a_deleted_account(act: Callable[..., Any], applicant: Candidate, clerk: Actor) -> None:
    with pgtrigger.ignore():
        Candidate.objects.filter(pk=applicant.pk).update(
            deleted_at=clock.now(), name="", id_number="", id_digest=None, id_digest_next=None
        )
    assert refused(act, applicant, clerk) == "deleted"
