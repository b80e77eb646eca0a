"""Changing an exam year, as its tests do it."""

from datetime import datetime
from typing import Any

import pytest

from accounts.actors import Actor
from accounts.models import LedgerEvent, Point
from exam_portal import clock
from exam_portal.kit.errors import Refused
from registration.models import Exam, ExamRegion, ExamYearChange
from registration.services import exam_year_changes
from registration.services.exam_year.editable import Row
from tests import factories

# Before anything opens, and a moment inside every window.
BEFORE = datetime(2023, 11, 20, 9, tzinfo=clock.BEIJING)
INSIDE = datetime(2023, 12, 5, 9, tzinfo=clock.BEIJING)


def beijing(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=clock.BEIJING)  # type: ignore[arg-type, misc]


def administrator(region: str = "43") -> Actor:
    """A new administrator of the region; with "", of the nation."""
    return factories.staff_of(None, region, role="region_admin" if region else "national_admin")


def hunan(exam: Exam) -> ExamRegion:
    return exam.regions.select_related("exam", "region").get(region="43")


def point() -> Point:
    return Point.objects.select_related("region").get(pk="4301")


def propose(row: Row, actor: Actor, *, at: datetime = INSIDE, **more: Any) -> ExamYearChange:
    """Propose values of a row as it is now; `vouched`, `alone` and `reason` as the service has them."""
    how = {name: more.pop(name) for name in ("vouched", "alone", "reason", "seen") if name in more}
    how = {"reason": "考点已迁址", "seen": exam_year_changes.shown(row), **how}
    return exam_year_changes.propose(row=row, actor=actor, values=more, at=at, **how)


def approve(change: ExamYearChange, actor: Actor, *, at: datetime = INSIDE) -> ExamYearChange:
    return exam_year_changes.approve(change=change, actor=actor, at=at)


def refusal(act: Any) -> str:
    """The code with which it is refused; everything is as before."""
    before = _everything()
    with pytest.raises(Refused) as refused:
        act()
    assert _everything() == before
    return refused.value.code


def _everything() -> tuple[Any, ...]:
    rows = [list(model.objects.order_by("pk").values()) for model in (Exam, ExamRegion, Point, ExamYearChange)]
    return (*rows, LedgerEvent.objects.count())
