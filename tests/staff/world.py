"""The same rows at three exam points, with ID numbers in whatever people type; and staff of each role."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import pgtrigger
import pytest

from accounts.models import (
    Candidate,
    EducationRecord,
    IdentityRequest,
    LedgerEvent,
    Photo,
    Point,
    Site,
    StaffAssignment,
)
from accounts.roles import ROLES, Level
from exam_portal import clock
from registration.models import Application, Exam, ExamRegion, ExamYearChange
from tests import factories
from tests.accounts.requests import ask_deletion
from tests.registration.changing import administrator, propose

# What rows exist for: the staff's own point, another of their region, and another region's.
OWN, NEXT, OTHER = PLACES = ("4301", "4302", "1201")
MODELS: dict[str, type[Any]] = {
    "candidate": Candidate,
    "education": EducationRecord,
    "identity_request": IdentityRequest,
    "photo": Photo,
    "application": Application,
    "staff": StaffAssignment,
    "event": LedgerEvent,
    "exam": Exam,
    "exam_region": ExamRegion,
    "point": Point,
    "site": Site,
    "exam_year_change": ExamYearChange,
}
# Somebody's numbers, as they are looked for on pages, and as people type them.
NUMBERS = (factories.resident_id(3), "H12345678", "E87654321", "字第1234567")
TYPED = "冒用者" + "、".join(
    (
        NUMBERS[0],
        f"{NUMBERS[0][:6]} {NUMBERS[0][6:14]} {NUMBERS[0][14:]}",
        "".join(chr(ord(character) + 0xFEE0) for character in NUMBERS[0]),
        *NUMBERS[1:],
    )
)


def bare(text: str) -> str:
    """The text in one spelling, so that a number is found however it stands there."""
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", text)).upper()


@dataclass
class World:
    """Primary keys by kind of row, for each exam point."""

    rows: dict[str, dict[str, Any]]

    def row(self, kind: str, place: str) -> Any:
        return MODELS[kind].objects.get(pk=self.rows[place][kind])


@pytest.fixture
def world(exam: Exam) -> World:
    rows = {place: _rows(exam, Point.objects.get(code=place)) for place in PLACES}
    with pgtrigger.ignore():
        IdentityRequest.objects.update(reason=TYPED, remark=TYPED, refusal=TYPED)
        ExamYearChange.objects.update(reason=TYPED)
        ExamYearChange.objects.filter(state="refused").update(refusal=TYPED)
    return World(rows)


def _rows(exam: Exam, point: Point) -> dict[str, Any]:
    candidate = factories.make_candidate()
    application = factories.make_draft(candidate, exam, region=point.region_id)
    Application.objects.filter(pk=application.pk).update(point=point)
    photo = candidate.photos.get()
    Photo.objects.filter(pk=photo.pk).update(state=Photo.State.DOUBTFUL)
    request = ask_deletion(candidate, point)
    staff = factories.make_staff(point)
    site = Site.objects.select_related("point__region").get(code=f"{point.code}01")
    proposer = administrator(point.region_id)
    refused = propose(site, proposer, telephone="2")
    decided = {"state": "refused", "refusal": "x", "decided_by_id": int(proposer.id), "decided_at": clock.now()}
    with pgtrigger.ignore():
        ExamYearChange.objects.filter(pk=refused.pk).update(**decided)
    # As it stood in the ledger before numbers of every type were masked there.
    streams = {"candidate": candidate.pk, "staff": staff.user_id, "identity_request": request.number}
    events = [
        LedgerEvent.objects.create(
            stream=stream,
            stream_id=str(stream_id),
            action="id_number.revealed",
            actor_kind="staff",
            actor_id=str(staff.user_id),
            channel="web",
            reason=TYPED,
            at=clock.now(),
            payload={},
        )
        for stream, stream_id in streams.items()
    ]
    return {
        "candidate": candidate.pk,
        "education": candidate.education.get().pk,
        "identity_request": request.pk,
        "photo": photo.pk,
        "application": application.pk,
        "staff": staff.pk,
        "event": events[-1].pk,
        "exam": exam.pk,
        "exam_region": exam.regions.get(region=point.region_id).pk,
        "point": point.pk,
        "site": site.pk,
        "exam_year_change": propose(site, proposer, telephone="1").pk,
    }


def staff_in(role: str, place: str = OWN) -> StaffAssignment:
    """Somebody new with this role, at this exam point, its site or its region, as the role is."""
    level = ROLES[role].level
    point = Point.objects.get(code=place) if level in {Level.SITE, Level.POINT} else None
    region = "" if level == Level.NATION else place[:2]
    return factories.make_staff(point, region, role=role, site=f"{place}01" if level == Level.SITE else "")


def within(role: str, kind: str, place: str) -> bool:
    """Whether a row of this place is of the territory of somebody with this role at the own place."""
    regional = ROLES[role].level == Level.REGION or kind == "exam_region"
    return kind == "exam" or ROLES[role].level == Level.NATION or place == OWN or (regional and place == NEXT)
