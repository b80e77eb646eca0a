"""Photos checked again after what an exam asks of them has changed (R03)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from accounts.models import Photo
from accounts.photos.intake import Unreadable
from accounts.photos.report import Item
from accounts.services.photo_checks import check_again
from exam_portal.kit.errors import Refused
from registration import photo_rules
from registration.lifecycle import State
from registration.models import Application, Exam


@dataclass(frozen=True)
class Change:
    """A photo whose state or verdicts are others than before; `items` as `{key: [before, now]}`."""

    photo: int
    candidate: int
    before: str
    now: str
    items: dict[str, list[str]]


@dataclass
class Progress:
    """How far it has come: photos to check and checked, those that changed, and a line for each that could not be."""

    exam: str
    rules: str
    total: int
    checked: int = 0
    changes: list[Change] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def recheck(*, exam: str, rerun: bool, dry_run: bool) -> Iterator[Progress]:
    """Check the photos that stand of those who apply for an exam by its present rules, one after the other.

    Those that were checked by these rules already are left out, unless `rerun`. It may be interrupted and run again: a
    photo is done or not. A photo that no longer passes becomes doubtful, for staff to look at; none is taken away.

    Raises:
        Refused: there is no such exam (`unknown_exam`), or it says nothing of photos (`no_rules`).
    """
    found = Exam.objects.filter(code=exam).first()
    if found is None:
        known = ", ".join(Exam.objects.order_by("code").values_list("code", flat=True)) or "none"
        raise Refused(f"exam {exam}: there is none; there are: {known}", code="unknown_exam")
    rules = photo_rules.of_exam(found)
    if rules is None:
        raise Refused(f"exam {exam}: it says nothing of photos; apply its file anew", code="no_rules")
    rows = _rows(found)
    numbers = list((rows if rerun else rows.exclude(rule_set=rules.version)).values_list("pk", flat=True))
    progress = Progress(exam, rules.version, len(numbers))
    yield progress
    for number in numbers:
        photo = Photo.objects.standing().filter(pk=number).first()
        if photo is not None:  # else it was replaced meanwhile
            before = photo.items + photo.frame_items
            try:
                items, state = check_again(photo=photo, rules=rules, dry_run=dry_run)
            except (Unreadable, OSError) as error:
                progress.problems.append(f"photo {photo.pk} of candidate {photo.candidate_id}: {error}")
            else:
                if (other := _others(before, items)) or state != photo.state:
                    progress.changes.append(Change(photo.pk, photo.candidate_id, photo.state, state, other))
        progress.checked += 1
        yield progress


def _rows(exam: Exam) -> QuerySet[Photo]:
    applying = Application.objects.filter(exam=exam).exclude(state__in=[State.REJECTED, State.ABANDONED])
    return Photo.objects.standing().filter(candidate__in=applying.values("candidate")).order_by("pk")


def _others(before: list[Item], now: list[Item]) -> dict[str, list[Any]]:
    """Items of which another verdict is given than before; "" where an item is new or gone."""
    old, new = ({item.key: str(item.verdict) for item in items} for items in (before, now))
    keys = [*new, *(key for key in old if key not in new)]
    return {key: [old.get(key, ""), new.get(key, "")] for key in keys if old.get(key) != new.get(key)}
