"""What staff may change of an exam year, row by row, in the same plain values in which files are compared."""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Point, Site
from registration.models import Exam, ExamRegion, ExamYearChange
from registration.services.exam_year.document import beijing, plain
from registration.services.exam_year.reading import ExamYearRefused, Reading
from registration.services.exam_year.schema import EXAMPLE, validate
from registration.services.exam_year.tables import table_of

Kind = ExamYearChange.Kind
Row = Exam | ExamRegion | Point | Site


@dataclass(frozen=True)
class Editable:
    """A kind of row: the fields that staff may change, and the path of its kind of entry in a file."""

    model: type[Row]
    fields: tuple[str, ...]
    path: str


EDITABLE: dict[str, Editable] = {
    Kind.EXAM: Editable(Exam, ("opens_at", "closes_at", "days", "cutoff", "reminder_days"), "exam"),
    Kind.REGION: Editable(
        ExamRegion,
        ("confirmation_opens_at", "confirmation_closes_at", "notice", "online", "automatic"),
        "regions.0",
    ),
    Kind.POINT: Editable(Point, ("name", "address", "telephone"), "institutions.0.points.0"),
    Kind.SITE: Editable(Site, ("name", "address", "telephone", "hours"), "institutions.0.sites.0"),
}
LABELS: dict[str, str | Promise] = {
    "opens_at": _("Registering opens"),
    "closes_at": _("Registering ends"),
    "days": _("Exam days"),
    "cutoff": _("Degrees and years of practice count up to"),
    "reminder_days": _("Reminders: so many days before a deadline"),
    "confirmation_opens_at": _("Confirming opens"),
    "confirmation_closes_at": _("Confirming ends"),
    "notice": _("Notice"),
    "online": _("Confirms online"),
    "automatic": _("Confirms last year's candidates automatically"),
    "name": _("Name of the place"),
    "address": _("Address"),
    "telephone": _("Telephone"),
    "hours": _("Office hours"),
    "source": _("Source"),
}
SOURCES: dict[str, str | Promise] = {
    "S": _("notice of the exam"),
    "staff": _("entered by staff"),
    "A": _("reprint of an official notice"),
    "B": _("training company"),
    "C": _("weak text"),
    "U": _("not verified"),
    "D": _("deduced"),
    "example": _("example data"),
}
# What people read where a value cannot stand in an exam year: the file's own words are for whoever writes files.
_SENTENCES: dict[str, str | Promise] = {
    "closes_at": _("A window ends after it begins."),
    "confirmation_closes_at": _("A window ends after it begins."),
    "confirmation_opens_at": _("Confirming begins when registering has opened, not before."),
    "opens_at": _("Registering opens before any region confirms."),
    "days": _("No exam day is before registering ends."),
    "reminder_days": _("Each is a number from 1 to 60."),
}


def kind_of(row: Row) -> Kind:
    """Which kind of row it is."""
    return next(Kind(kind) for kind, editable in EDITABLE.items() if isinstance(row, editable.model))


def key_of(row: Row) -> str:
    """What names the row among those of its kind."""
    match row:
        case ExamRegion():
            return f"{row.exam.code}/{row.region_id}"
        case Exam():
            return row.code
    return row.pk


def region_of(row: Row) -> str | None:
    """The code of the row's region; None for an exam."""
    match row:
        case Site():
            return row.point.region_id
        case ExamRegion() | Point():
            return row.region_id
    return None


def title_of(row: Row) -> str:
    """What people call the row."""
    return f"{row.exam.title} {row.region.name}" if isinstance(row, ExamRegion) else str(row)


def rows_of(kind: str, key: str) -> QuerySet[Any]:
    """The row that a change is about: one, or none when it is gone."""
    match kind:
        case Kind.EXAM:
            return Exam.objects.filter(code=key)
        case Kind.REGION:
            exam, _slash, region = key.partition("/")
            return ExamRegion.objects.filter(exam__code=exam, region=region).select_related("exam", "region")
        case Kind.POINT:
            return Point.objects.filter(pk=key).select_related("region")
    return Site.objects.filter(pk=key).select_related("point__region")


def entry_of(row: Row) -> dict[str, Any]:
    """What staff may change of the row, and its grade, as plain values."""
    return {name: plain(getattr(row, name)) for name in (*EDITABLE[kind_of(row)].fields, "source")}


def typed(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Plain values as the columns of such a row have them."""
    fields = EDITABLE[kind].model._meta
    return {name: _typed(fields.get_field(name), value) for name, value in values.items()}


def _typed(field: Any, value: Any) -> Any:
    return field.to_python(json.dumps(value) if isinstance(field, ArrayField) else value)


def with_values(row: Row, values: Mapping[str, Any]) -> Any:
    """The row as it would be with these plain values; not saved."""
    changed = copy.copy(row)
    for name, value in typed(kind_of(row), values).items():
        setattr(changed, name, value)
    if "source" in values and not isinstance(row, Exam):
        # What the database generates.
        changed.__dict__["example"] = values["source"] == EXAMPLE
    return changed


def is_open(row: Row, at: datetime) -> bool:
    """Whether candidates are registering, or are being confirmed, where the row is used. The trigger looks alike."""
    registering = Q(exam__opens_at__lte=at, exam__closes_at__gt=at)
    confirming = Q(confirmation_opens_at__lte=at, confirmation_closes_at__gt=at)
    match row:
        case Exam():
            return row.opens_at <= at < row.closes_at or row.regions.filter(confirming).exists()
        case ExamRegion():
            confirms = row.confirmation_opens_at <= at < row.confirmation_closes_at
            return confirms or row.exam.opens_at <= at < row.exam.closes_at
        case Point():
            regions = ExamRegion.objects.filter(exam_sites__site__point=row)
        case _:
            regions = ExamRegion.objects.filter(exam_sites__site=row)
    return regions.filter(registering | confirming).exists()


def findings(row: Row, values: Mapping[str, Any]) -> dict[str, str | Promise]:
    """What an exam-year file would be refused for if it said these plain values of the row, by field.

    "" stands for what is no field of the row. What is wrong before is not counted.
    """
    wrong = _problems(with_values(row, values)) - _problems(row)
    fields = EDITABLE[kind_of(row)].fields
    found: dict[str, str | Promise] = {}
    for path, reason in sorted(wrong):
        name = next((part for part in reversed(path.split(".")) if part in fields), "")
        if not name and isinstance(row, Exam):
            name = "opens_at"  # what does not fit the regions any more
        found.setdefault(name, _SENTENCES.get(name, reason))
    return found


def _problems(row: Row) -> set[tuple[str, str]]:
    """The problems of a file that has the row and what it is checked against; much is missing, before and after."""
    try:
        validate(Reading("database", _tables(row)))
    except ExamYearRefused as refused:
        return {(problem.path, problem.reason) for problem in refused.problems}
    return set()


def _tables(row: Row) -> dict[str, Any]:
    match row:
        case Exam():
            return {"exam": _entry(row), "regions": {other.region_id: _entry(other) for other in row.regions.all()}}
        case ExamRegion():
            return {"exam": _entry(row.exam), "regions": {row.region_id: _entry(row)}}
        case Point():
            return {"institutions": {row.region_id: {"points": {row.code: _entry(row)}}}}
    return {"institutions": {row.point.region_id: {"sites": {row.code: _entry(row)}}}}


def _entry(row: Row) -> dict[str, Any]:
    return table_of(EDITABLE[kind_of(row)].path).entry(row, convert=beijing)
