"""What an exam-year file may say, and everything that can be wrong with it before the database is asked."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from accounts.photos.report import ITEMS
from registration.models.exam import MOST_DAYS, usual_reminder_days
from registration.services.exam_year.reading import ExamYearRefused, Reading

# 考区: the 31 provinces of GB/T 2260, and Xinjiang Corps (新疆兵团), which has no such code and is 66 in the portal.
REGIONS = frozenset(
    [
        "11",
        "12",
        "13",
        "14",
        "15",
        "21",
        "22",
        "23",
        "31",
        "32",
        "33",
        "34",
        "35",
        "36",
        "37",
        "41",
        "42",
        "43",
        "44",
        "45",
        "46",
        "50",
        "51",
        "52",
        "53",
        "54",
        "61",
        "62",
        "63",
        "64",
        "65",
        "66",
    ]
)

# How well a datum is known, best first: notice of this exam, what staff of the institution say (registration.services.
# exam_year_changes), reprint of an official notice, training company, weak text, unverified general knowledge, deduced,
# invented.
Grade = Literal["S", "staff", "A", "B", "C", "U", "D", "example"]
STAFF: Grade = "staff"
EXAMPLE: Grade = "example"
_GRADES: tuple[Grade, ...] = get_args(Grade)


def weakest(*grades: Grade) -> Grade:
    """The grade of a row that is made of parts with these grades."""
    return max(grades, key=_GRADES.index)


def strongest(*grades: Grade) -> Grade:
    """The best of the grades."""
    return min(grades, key=_GRADES.index)


def _without_source(table: Any) -> Any:
    """A table of entries, whose own `source` was handed down to the entries by `_inherit`."""
    return {code: entry for code, entry in table.items() if code != "source"} if isinstance(table, dict) else table


def _exact(value: Any) -> Any:
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal | int) and not isinstance(value, bool) else value


CODE = r"^[0-9A-Za-z][0-9A-Za-z-]*$"
Code8 = Annotated[str, Field(pattern=CODE, max_length=8)]
Code10 = Annotated[str, Field(pattern=CODE, max_length=10)]
Text20 = Annotated[str, Field(min_length=1, max_length=20)]
Text40 = Annotated[str, Field(min_length=1, max_length=40)]
Text60 = Annotated[str, Field(min_length=1, max_length=60)]
Text80 = Annotated[str, Field(min_length=1, max_length=80)]
Text120 = Annotated[str, Field(min_length=1, max_length=120)]
Markdown = Annotated[str, Field(min_length=1)]
Yuan = Annotated[Decimal, BeforeValidator(_exact), Field(ge=0, max_digits=7, decimal_places=2)]
Number = Annotated[float, BeforeValidator(_number), Field(allow_inf_nan=False)]
Key = TypeVar("Key")
Value = TypeVar("Value")
Table = Annotated[dict[Key, Value], BeforeValidator(_without_source)]


class Entry(BaseModel):
    """Anything that the file says: it has these keys and no other, and a grade of how well it is known."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def _visible(cls, value: Any) -> Any:
        if isinstance(value, str) and any(ord(c) < 32 and c not in "\n\t" for c in value):
            raise ValueError("it holds a control character")
        return value

    source: Grade


class ExamEntry(Entry):
    """The exam; its window is half-open, [opens_at, closes_at) (R01). `cutoff` is the last day that counts (R20).

    Candidates are reminded so many days before each of their deadlines (R17).
    """

    code: Annotated[str, Field(pattern=CODE, max_length=40)]
    kind: Annotated[str, Field(pattern=CODE, max_length=50)]
    year: Annotated[int, Field(ge=2000, le=2100)]
    title: Text80
    form_title: Text80
    form_prefix: Annotated[str, Field(pattern=r"^[0-9A-Z]+$", max_length=4)]
    opens_at: AwareDatetime
    closes_at: AwareDatetime
    days: Annotated[list[date], Field(min_length=1)]
    cutoff: date
    reminder_days: list[Annotated[int, Field(ge=1, le=MOST_DAYS)]] = Field(default_factory=usual_reminder_days)
    note: str = ""

    @field_validator("reminder_days")
    @classmethod
    def _once_each(cls, days: list[int]) -> list[int]:
        if len(days) != len(set(days)):
            raise ValueError("it names a day twice")
        return sorted(days, reverse=True)


class Window(Entry):
    """Half-open, [opens_at, closes_at)."""

    opens_at: AwareDatetime
    closes_at: AwareDatetime


class Confirmation(Entry):
    """When regions confirm that have no window of their own, by their way of confirming."""

    onsite: Window
    online: Window


class Notices(Entry):
    """What regions tell that have no notice of their own, by their way of confirming; `automatic` is added (R14)."""

    onsite: Markdown
    online: Markdown
    automatic: str = ""


class LevelEntry(Entry):
    """A level with its fee in yuan per subject."""

    name: Text20
    fee: Yuan


class SubjectEntry(Entry):
    """A subject; the codes are the order of the papers."""

    name: Text40


class SpecialtyEntry(Entry):
    """A specialty of a level."""

    name: Text40
    level: str
    category: Text20
    format: Literal["computer", "paper"] = "computer"


class FeeEntry(Entry):
    """A region's own fee for a level, in yuan per subject."""

    fee: Yuan


class RegionEntry(Entry):
    """A region in this exam year: two independent flags (R10, R14), and what it has of its own."""

    online: bool = False
    automatic: bool = False
    confirmation_opens_at: AwareDatetime | None = None
    confirmation_closes_at: AwareDatetime | None = None
    notice: Markdown | None = None
    fees: Table[str, FeeEntry] = {}


class PointEntry(Entry):
    """An exam point (考点)."""

    name: Text60
    address: Text120
    telephone: Text40


class SiteEntry(Entry):
    """A registration site (报名点) of a point."""

    point: str
    name: Text60
    address: Text120
    telephone: Text40
    hours: Text120


class InstitutionEntry(Entry):
    """A region (考区) with its exam points and registration sites; without any, nobody can register there."""

    name: Text20
    points: Table[Code8, PointEntry] = {}
    sites: Table[Code10, SiteEntry] = {}


class PhotoLimitEntry(Entry):
    """Between which measured values a photo passes a check, and within which wider ones it is doubtful."""

    low: Number | None = None
    high: Number | None = None
    doubtful_low: Number | None = None
    doubtful_high: Number | None = None


class PhotoEntry(Entry):
    """What the exam asks of a photo: accounts.photos.rules tells the units, accounts.photos.report those of checks."""

    more_than_width: Annotated[int, Field(ge=1)]
    more_than_height: Annotated[int, Field(ge=1)]
    more_than_bytes: Annotated[int, Field(ge=0)]
    most_width: Annotated[int, Field(ge=2)]
    most_height: Annotated[int, Field(ge=2)]
    head: Annotated[Number, Field(gt=0, lt=1)]
    checks: Table[str, PhotoLimitEntry]


class ExamYearFile(BaseModel):
    """An exam-year file that can be applied."""

    model_config = Entry.model_config

    exam: ExamEntry
    confirmation: Confirmation | None = None
    notices: Notices | None = None
    regions: Table[str, RegionEntry]
    levels: Annotated[Table[Code8, LevelEntry], Field(min_length=1)]
    subjects: Annotated[Table[Code8, SubjectEntry], Field(min_length=1)]
    specialties: Annotated[Table[Code8, SpecialtyEntry], Field(min_length=1)]
    institutions: Table[str, InstitutionEntry]
    photo: PhotoEntry


def validate(reading: Reading) -> ExamYearFile:
    """The file as typed values.

    Raises:
        ExamYearRefused: with every problem of the file, in the order of its lines.
    """
    tables = _inherit(reading.tables, None)
    problems = set(reading.problems)
    year = None
    try:
        year = ExamYearFile.model_validate(tables)
    except ValidationError as error:
        for found in error.errors():
            path = ".".join(str(part) for part in found["loc"] if part != "[key]")
            problems.add(reading.problem(path, _reason(found["type"], found["msg"], path)))
    problems.update(reading.problem(path, reason) for path, reason in _contradictions(tables))
    if problems or year is None:
        raise ExamYearRefused(sorted(problems), code="invalid_file")
    return year


def _inherit(table: Mapping[str, Any], source: Any) -> dict[str, Any]:
    """The table, with the nearest `source` above it in every table below that gives none."""
    source = table.get("source", source)
    filled = {key: _inherit(value, source) if isinstance(value, dict) else value for key, value in table.items()}
    return filled if source is None else {**filled, "source": source}


def _reason(kind: str, message: str, path: str) -> str:
    match kind:
        case "extra_forbidden":
            return "unknown key"
        case "missing" if path.endswith("source"):
            return "has no grade of its source, neither here nor in a table around it"
        case "missing":
            return "is missing"
        case "timezone_aware":
            return "has no offset from UTC; Beijing time ends in +08:00"
        case "string_pattern_mismatch":
            return "is not a code: letters, digits and hyphens only"
    return message.removeprefix("Value error, ").replace("Input should", "should", 1)


Finding = tuple[str, str]


def _contradictions(tables: Mapping[str, Any]) -> Iterator[Finding]:
    """(path, reason) wherever parts of the file do not fit together.

    It looks at the plain tables and passes over whatever has the wrong shape, so that these problems are told together
    with those.
    """
    exam = _entry(tables, "exam")
    yield from _window("exam", "", exam.get("opens_at"), exam.get("closes_at"))
    days, closes_at = exam.get("days"), exam.get("closes_at")
    for position, day in enumerate(days if isinstance(days, list) else ()):
        if _is_day(day) and isinstance(closes_at, datetime) and day < closes_at.date():
            yield f"exam.days.{position}", f"{day} is before pre-registration closes"
    levels = _entries(tables, "levels")
    for code, specialty in _entries(tables, "specialties").items():
        if isinstance(level := specialty.get("level"), str) and level not in levels:
            yield f"specialties.{code}.level", f"there is no level {level}"
    for name in ("regions", "institutions"):
        if isinstance(tables.get(name), dict):
            yield from _all_regions(name, _entry(tables, name))
    yield from _confirmation(tables, levels)
    yield from _photo(_entry(tables, "photo"))
    yield from _institutions(_entries(tables, "institutions"))


def _all_regions(name: str, table: Mapping[str, Any]) -> Iterator[Finding]:
    codes = table.keys() - {"source"}
    for code in sorted(codes - REGIONS):
        yield (
            f"{name}.{code}",
            "unknown region: the codes are GB/T 2260's for the provinces, and 66 for Xinjiang Corps",
        )
    for code in sorted(REGIONS - codes):
        yield f"{name}.{code}", "the region is missing"


def _confirmation(tables: Mapping[str, Any], levels: Mapping[str, Any]) -> Iterator[Finding]:
    windows, notices = _entry(tables, "confirmation"), _entry(tables, "notices")
    for mode in ("onsite", "online"):
        default = _entry(windows, mode)
        yield from _window(f"confirmation.{mode}", "", default.get("opens_at"), default.get("closes_at"))
        yield from _not_before(f"confirmation.{mode}", default.get("opens_at"), _entry(tables, "exam").get("opens_at"))
    for code, region in _entries(tables, "regions").items():
        path, mode = f"regions.{code}", "online" if region.get("online") is True else "onsite"
        own = {end: region.get(f"confirmation_{end}") for end in ("opens_at", "closes_at")}
        default = _entry(windows, mode)
        if any(own.values()):
            yield from _window(path, "confirmation_", *(own[end] or default.get(end) for end in own))
        yield from _not_before(path, own["opens_at"], _entry(tables, "exam").get("opens_at"))
        for end, moment in own.items():
            if moment is None and "confirmation" not in tables:
                yield f"{path}.confirmation_{end}", "is given neither here nor in [confirmation]"
        if region.get("notice") is None and not notices:
            yield f"{path}.notice", "is given neither here nor in [notices]"
        for level in _entries(region, "fees").keys() - levels.keys():
            yield f"{path}.fees.{level}", f"there is no level {level}"


def _institutions(regions: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    homes: dict[str, str] = {}
    for region, institution in regions.items():
        points, sites = _entries(institution, "points"), _entries(institution, "sites")
        for kind, codes in (("points", points), ("sites", sites)):
            for code in codes:
                path = f"institutions.{region}.{kind}.{code}"
                if (home := homes.setdefault(f"{kind} {code}", region)) != region:
                    yield path, f"the code is given twice; region {home} has it too"
                elif kind == "points" and not code.startswith(region):
                    yield path, f"the code of a point of region {region} begins with {region}"
        for code, site in sites.items():
            path, point = f"institutions.{region}.sites.{code}", site.get("point")
            if isinstance(point, str) and point not in points:
                yield f"{path}.point", f"region {region} has no point {point}"
            elif isinstance(point, str) and not code.startswith(f"{point}-"):
                yield path, f"the code of a site of point {point} begins with {point}-"
        for code in points.keys() - {str(site.get("point")) for site in sites.values()}:
            yield f"institutions.{region}.points.{code}", "the point has no registration site"


def _photo(photo: Mapping[str, Any]) -> Iterator[Finding]:
    for side in ("width", "height"):
        most, least = photo.get(f"most_{side}"), photo.get(f"more_than_{side}")
        if isinstance(most, int) and isinstance(least, int) and most <= least:
            yield f"photo.most_{side}", f"must be more than more_than_{side}, {least}"
    checks = _entries(photo, "checks")
    for item in sorted(checks.keys() - set(ITEMS)):
        yield f"photo.checks.{item}", f"unknown check: there are {', '.join(ITEMS)}"
    for item in sorted(set(ITEMS) - checks.keys()) if photo else ():
        yield f"photo.checks.{item}", "the check has no limits"
    for item, limits in checks.items():
        ends = [limits.get(end) for end in ("doubtful_low", "low", "high", "doubtful_high")]
        given = [end for end in ends if isinstance(end, int | Decimal) and not isinstance(end, bool)]
        if given != sorted(given):
            yield f"photo.checks.{item}", "the limits are not in order: doubtful_low, low, high, doubtful_high"
        for end in ("low", "high"):
            if limits.get(f"doubtful_{end}") is not None and limits.get(end) is None:
                yield f"photo.checks.{item}.doubtful_{end}", f"there is no {end}"


def _window(path: str, prefix: str, opens: Any, closes: Any) -> Iterator[Finding]:
    if _are_moments(opens, closes) and closes <= opens:
        reason = f"the window ends before it begins: {prefix}opens_at is {opens.isoformat()}"
        yield f"{path}.{prefix}closes_at", reason


def _not_before(path: str, confirming: Any, registering: Any) -> Iterator[Finding]:
    if _are_moments(confirming, registering) and confirming < registering:
        name = "opens_at" if path.startswith("confirmation.") else "confirmation_opens_at"
        yield f"{path}.{name}", f"confirming begins before pre-registration opens: {registering.isoformat()}"


def _are_moments(*values: Any) -> bool:
    return all(isinstance(value, datetime) and value.tzinfo for value in values)


def _is_day(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _entry(table: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return value if isinstance(value := table.get(key), dict) else {}


def _entries(table: Mapping[str, Any], key: str) -> dict[str, Mapping[str, Any]]:
    return {code: entry for code, entry in _entry(table, key).items() if isinstance(entry, dict)}
