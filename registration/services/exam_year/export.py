"""An exam year of the database as a file that can be applied again."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import tomli_w

from registration.models import Exam, ExamRegion
from registration.services.exam_year.document import beijing, notice_for
from registration.services.exam_year.reading import ExamYearRefused, Problem
from registration.services.exam_year.schema import Grade, strongest
from registration.services.exam_year.tables import load, table_of

# The tables in the order in which people read them.
_ORDER = (
    *("exam", "photo", "confirmation", "notices", "regions", "levels", "subjects", "specialties"),
    "institutions",
)
_WINDOW = ("confirmation_opens_at", "confirmation_closes_at")


def export_exam_year(*, code: str) -> str:
    """The exam year as TOML that stands by itself; applying it at once changes nothing.

    Raises:
        ExamYearRefused: there is no such exam.
    """
    exam = Exam.objects.filter(code=code).first()
    if exam is None:
        raise ExamYearRefused([Problem("database", 0, "", f"there is no exam {code}")], code="unknown_exam")
    rows = load(exam, set())
    file: dict[str, dict[str, Any]] = {name: {} for name in _ORDER}
    file["institutions"]["source"] = "U"  # for the names of regions, whose rows have no grade
    for path, row in rows.items():
        entry = table_of(path).entry(row, convert=beijing)
        if "takes_part" in entry:
            continue  # as every site of the file does
        table: dict[str, Any] = file
        for part in path.split("."):
            table = table.setdefault(part, {})
        table.update({name: value for name, value in entry.items() if value is not None})
    _share(file, [row for row in rows.values() if isinstance(row, ExamRegion)])
    return tomli_w.dumps({name: table for name, table in file.items() if table}, multiline_strings=True)


def _share(file: Mapping[str, dict[str, Any]], regions: list[ExamRegion]) -> None:
    """Move what most regions of one way of confirming have in common into [confirmation] and [notices]."""
    ways = {"onsite": [row for row in regions if not row.online], "online": [row for row in regions if row.online]}
    if not all(ways.values()):
        return
    windows = {way: _most_common(_window(row) for row in rows) for way, rows in ways.items()}
    notices = {
        way: _most_common(row.notice for row in [row for row in rows if not row.automatic] or rows)
        for way, rows in ways.items()
    }
    openings = {row: f"{notices['online' if row.online else 'onsite']}\n\n" for row in regions if row.automatic}
    added = [row.notice.removeprefix(start) for row, start in openings.items() if row.notice.startswith(start)]
    automatic = _most_common(added) if added else ""
    # No worse than any region, so that it is the region's own grade that counts.
    source = strongest(*(_grade(row) for row in regions))
    file["confirmation"].update(source=source)
    for way, (opens_at, closes_at) in windows.items():
        file["confirmation"][way] = {"opens_at": beijing(opens_at), "closes_at": beijing(closes_at)}
    file["notices"].update(source=source, **notices, automatic=automatic)
    for row in regions:
        entry, way = file["regions"][row.region_id], "online" if row.online else "onsite"
        if _window(row) == windows[way]:
            for name in _WINDOW:
                del entry[name]
        if row.notice == notice_for(notices[way], automatic if row.automatic else ""):
            del entry["notice"]


def _most_common(values: Iterable[Any]) -> Any:
    return Counter(values).most_common(1)[0][0]


def _window(row: ExamRegion) -> tuple[datetime, datetime]:
    return row.confirmation_opens_at, row.confirmation_closes_at


def _grade(row: ExamRegion) -> Grade:
    return row.source  # type: ignore[return-value]
