"""The one shape in which an exam year is compared: entries of plain values by path.

The file, the database and the last applied file all become `{"specialties.101": {"name": "药学", ...}, ...}`. Moments
are ISO 8601 in Beijing time, days ISO 8601, money a decimal of yuan with two places. Stored and digested it is flat:
`{"specialties.101.name": "药学", ...}`.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from exam_portal import clock
from registration.services.exam_year.schema import (
    ExamYearFile,
    Grade,
    RegionEntry,
    weakest,
)

Entries = dict[str, dict[str, Any]]


def plain(value: Any) -> Any:
    """A value as JSON has it, the same whether it comes from a file or from the database."""
    match value:
        case datetime():
            return value.astimezone(clock.BEIJING).isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:.2f}"
        case list():
            return [plain(item) for item in value]
    return value


def beijing(value: Any) -> Any:
    """A value as a file has it: moments in Beijing time."""
    return value.astimezone(clock.BEIJING) if isinstance(value, datetime) else value


def flatten(entries: Entries) -> dict[str, Any]:
    """Entries as one value per path."""
    return {f"{path}.{name}": value for path, entry in entries.items() for name, value in entry.items()}


def unflatten(document: Mapping[str, Any]) -> Entries:
    """The reverse of `flatten`."""
    entries: Entries = {}
    for key, value in document.items():
        path, _, name = key.rpartition(".")
        entries.setdefault(path, {})[name] = value
    return entries


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 of a flat document, 64 hex digits, whatever the order of its keys."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def entries_of_file(year: ExamYearFile) -> Entries:
    """What the file says, region by region, with the defaults for windows and notices filled in.

    Every registration site of the file takes part in the exam.
    """
    entries: Entries = {"exam": _plain_entry(year.exam), "photo": _plain_entry(year.photo)}
    del entries["photo"]["checks"]
    entries |= {f"photo.checks.{item}": _plain_entry(limits) for item, limits in year.photo.checks.items()}
    for table in ("levels", "subjects", "specialties"):
        entries |= {f"{table}.{code}": _plain_entry(entry) for code, entry in getattr(year, table).items()}
    for code, institution in year.institutions.items():
        path = f"institutions.{code}"
        entries[path] = {"name": institution.name}
        entries |= {f"{path}.points.{point}": _plain_entry(entry) for point, entry in institution.points.items()}
        entries |= {f"{path}.sites.{site}": _plain_entry(entry) for site, entry in institution.sites.items()}
    for code, region in year.regions.items():
        path = f"regions.{code}"
        entries[path] = _region(year, region)
        entries |= {f"{path}.fees.{level}": _plain_entry(fee) for level, fee in region.fees.items()}
        entries |= {f"{path}.sites.{site}": {"takes_part": True} for site in year.institutions[code].sites}
    return entries


def notice_for(way: str, automatic: str) -> str:
    """The notice of a region that has none of its own: that of its way of confirming, and what is added to it."""
    return f"{way}\n\n{automatic}" if automatic else way


def _region(year: ExamYearFile, region: RegionEntry) -> dict[str, Any]:
    grades: list[Grade] = [region.source]
    opens_at, closes_at, notice = (
        region.confirmation_opens_at,
        region.confirmation_closes_at,
        region.notice,
    )
    if (opens_at is None or closes_at is None) and year.confirmation:
        window = year.confirmation.online if region.online else year.confirmation.onsite
        opens_at, closes_at = opens_at or window.opens_at, closes_at or window.closes_at
        grades.append(window.source)
    if notice is None and year.notices:
        way = year.notices.online if region.online else year.notices.onsite
        notice = notice_for(way, year.notices.automatic if region.automatic else "")
        grades.append(year.notices.source)
    return {
        "online": region.online,
        "automatic": region.automatic,
        "confirmation_opens_at": plain(opens_at),
        "confirmation_closes_at": plain(closes_at),
        "notice": notice,
        "source": weakest(*grades),
    }


def _plain_entry(entry: BaseModel) -> dict[str, Any]:
    return {name: plain(value) for name, value in entry}
