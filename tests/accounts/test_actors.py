"""What is a candidate's own to do is done by nobody else: no other candidate, no staff, no visitor (R28)."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.actors import SYSTEM, VISITOR, Actor, acting
from accounts.models import Candidate, Point
from accounts.services import credentials, education, identity_requests, profile, recovery, sessions, wechat
from accounts.services.identity_requests import Identity
from exam_portal import clock
from tests import factories
from tests.accounts.requests import paper, refusal

pytestmark = pytest.mark.django_db

WANTED = Identity(name="张珊", id_type="passport", id_number="E12345678")
OWN: dict[str, Callable[[dict[str, Any], Point], Any]] = {
    "add_education": lambda who, point: education.add_education(**who, **factories.education("9")),
    "correct_education": lambda who, point: education.correct_education(
        record=who["candidate"].education.get(), actor=who["actor"], **factories.education("9")
    ),
    "save_credential": lambda who, point: credentials.save_credential(**who, kind="nurse", since=clock.today()),
    "remove_credential": lambda who, point: credentials.remove_credential(**who, kind="nurse_registration"),
    "save_basic_information": lambda who, point: profile.save_basic_information(**who, values=factories.BASIC),
    "bind_wechat": lambda who, point: wechat.bind(**who, unionid="u", nickname="", at=clock.now()),
    "unbind_wechat": lambda who, point: wechat.unbind(**who, password="x", keep=None, at=clock.now()),
    "begin_email": lambda who, point: recovery.begin_email(**who, address="a@example.org", password="x"),
    "verify_email": lambda who, point: recovery.verify_email(**who, code_id=0, typed=""),
    "remove_email": lambda who, point: recovery.remove_email(**who, password="x"),
    "sign_out": lambda who, point: sessions.sign_out(user=who["candidate"].user, actor=who["actor"]),
    "apply_for_change": lambda who, point: identity_requests.apply_for_change(
        **who, wanted=WANTED, paper=paper(point), at=clock.now()
    ),
    "apply_for_deletion": lambda who, point: identity_requests.apply_for_deletion(
        **who, paper=paper(point), at=clock.now()
    ),
}


@pytest.mark.rule("R28")
@pytest.mark.parametrize("act", OWN.values(), ids=OWN)
def test_only_the_candidate_does_what_is_the_candidates(
    candidate: Candidate, newcomer: Candidate, point: Point, clerk: Actor, region: Actor, act: Any
) -> None:
    of_the_same_number = Actor(kind="staff", id=str(candidate.pk), region="43", point=point.code)
    others = (acting(newcomer), clerk, region, factories.staff_of(None, "12"), of_the_same_number, VISITOR, SYSTEM)
    for actor in others:
        assert refusal(lambda actor=actor: act({"candidate": candidate, "actor": actor}, point)) == "forbidden"
