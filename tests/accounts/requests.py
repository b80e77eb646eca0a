"""Applying and deciding, as tests of R07 do it."""

from typing import Any

import pytest

from accounts.actors import VISITOR, Actor, acting
from accounts.models import Candidate, IdentityRequest, LedgerEvent, Message, Point
from accounts.services import identity_desk, identity_requests
from accounts.services.identity_requests import Identity, Paper
from exam_portal import clock
from exam_portal.kit.errors import Refused

PROOF = b"%PDF-1.7 a scan"


def paper(point: Point) -> Paper:
    return Paper(point=point, telephone="13800000000", reason="登记时输错")


def ask_change(candidate: Candidate, point: Point, **wanted: str) -> IdentityRequest:
    present = {"name": candidate.name, "id_type": candidate.id_type, "id_number": candidate.id_number}
    return identity_requests.apply_for_change(
        candidate=candidate,
        actor=acting(candidate),
        wanted=Identity(**{**present, **wanted}),
        paper=paper(point),
        at=clock.now(),
    )


def ask_deletion(candidate: Candidate, point: Point) -> IdentityRequest:
    return identity_requests.apply_for_deletion(
        candidate=candidate, actor=acting(candidate), paper=paper(point), at=clock.now()
    )


def report(number: str, point: Point, *, name: str = "李四", browser: str = "a browser") -> IdentityRequest:
    return identity_requests.report_taken(
        person=Identity(name=name, id_type="resident_id", id_number=number),
        actor=VISITOR,
        paper=paper(point),
        browser=browser,
        at=clock.now(),
    )


def check(request: IdentityRequest, actor: Actor, proof: bytes = PROOF) -> IdentityRequest:
    return identity_desk.check(request=request, actor=actor, proof=proof, remark="原件相符", at=clock.now())


def approve(request: IdentityRequest, actor: Actor) -> IdentityRequest:
    return identity_desk.approve(request=request, actor=actor, remark="同意", at=clock.now())


def refusal(act: Any) -> str:
    """The code with which it is refused; everything is as before."""
    before = _everything()
    with pytest.raises(Refused) as refused:
        act()
    assert _everything() == before
    return refused.value.code


def _everything() -> tuple[Any, ...]:
    return (
        list(Candidate.objects.order_by("pk").values()),
        list(IdentityRequest.objects.order_by("pk").values()),
        LedgerEvent.objects.count(),
        Message.objects.count(),
    )
