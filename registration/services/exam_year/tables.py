"""Where the entries of an exam year live in the database: one `Table` a kind of entry."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Any

from django.db.models import Model, QuerySet

from accounts.models import Point, Region, Site
from registration.models import Exam, ExamPhoto, ExamRegion, ExamSite, Level, PhotoLimit, RegionFee, Specialty, Subject
from registration.services.exam_year.document import plain
from registration.services.exam_year.schema import EXAMPLE

Rows = dict[str, Any]
"""The rows of an exam year by the path of their entry."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """How entries of one kind are found, named and written.

    Attributes:
        path: the path of an entry, its codes in braces.
        keys: where a row has each of those codes.
        identity: the columns that say which row it is: a code, or the path of the row referred to.
        values: the other columns.
        links: the columns that refer to another row by its code: that row's path and where its code is found.
        related: the rows to fetch along, for keys and links.
        exam: the look-up from a row to its exam; None where all exams share the rows.
    """

    path: str
    model: type[Model]
    plural: str
    keys: Mapping[str, str] = field(default_factory=dict)
    identity: Mapping[str, str] = field(default_factory=dict)
    values: tuple[str, ...] = ()
    links: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    related: tuple[str, ...] = ()
    exam: str | None = None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the paths of this table's entries, with a group for each code."""
        return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^.]+)", re.escape(self.path)))

    def rows(self, exam: Exam | None, *, lock: bool) -> QuerySet[Any]:
        """The rows that may belong to the exam. Locked rows still let others refer to them."""
        rows = self.model._default_manager.order_by("pk")
        if self.exam:
            rows = rows.filter(**{self.exam: exam.pk}) if exam else rows.none()
        if lock and self.related:  # lock, then read: see exam_portal.kit.locks
            list(rows.select_for_update(no_key=True, of=("self",)).values_list("pk"))
        elif lock:
            rows = rows.select_for_update(no_key=True)
        return rows.select_related(*self.related or [None])

    def path_of(self, row: Any) -> str:
        """The path of the row's entry."""
        return self.path.format(**{key: attrgetter(place)(row) for key, place in self.keys.items()})

    def entry(self, row: Any, *, convert: Callable[[Any], Any] = plain) -> dict[str, Any]:
        """The row as an entry, each value converted."""
        entry = {name: convert(getattr(row, name)) for name in self.values}
        entry |= {name: attrgetter(place)(row) for name, (_, place) in self.links.items()}
        return entry or {"takes_part": True}

    def create(self, path: str, entry: Mapping[str, Any], rows: Rows) -> Any:
        """A new row, not yet saved, for an entry.

        Raises:
            KeyError: a row that it refers to is not among `rows`; the argument is the path.
        """
        match = self.pattern.fullmatch(path)
        assert match, path
        row = self.model()
        for column, where in self.identity.items():
            where = where.format(**match.groupdict())
            setattr(
                row,
                column,
                rows[where] if self.model._meta.get_field(column).is_relation else where,
            )
        self.change(row, path, entry, rows)
        return row

    def change(self, row: Any, path: str, entry: Mapping[str, Any], rows: Rows) -> set[str]:
        """Put values of an entry into its row; returns the columns written.

        Raises:
            KeyError: a row that it refers to is not among `rows`; the argument is the path.
        """
        match = self.pattern.fullmatch(path)
        assert match, path
        columns = set(entry) & {*self.values, *self.links}
        for column in columns:
            if column in self.links:
                linked = self.links[column][0].format(**match.groupdict() | {column: entry[column]})
                setattr(row, column, rows[linked])
            else:
                setattr(row, column, entry[column])
        return columns


# In the order in which rows are created: what is referred to comes first.
TABLES = (
    Table(
        path="exam",
        model=Exam,
        plural="exams",
        values=(
            *(
                "code",
                "kind",
                "year",
                "title",
                "form_title",
                "form_prefix",
                "opens_at",
                "closes_at",
                "days",
            ),
            *("cutoff", "reminder_days", "note", "source"),
        ),
        exam="pk",
    ),
    Table(
        path="photo",
        model=ExamPhoto,
        plural="rules of photos",
        identity={"exam": "exam"},
        values=(
            *("more_than_width", "more_than_height", "more_than_bytes", "most_width", "most_height"),
            *("head", "source"),
        ),
        exam="exam",
    ),
    Table(
        path="photo.checks.{item}",
        model=PhotoLimit,
        plural="limits of photos",
        keys={"item": "item"},
        identity={"exam": "exam", "item": "{item}"},
        values=("low", "high", "doubtful_low", "doubtful_high", "source"),
        exam="exam",
    ),
    Table(
        path="levels.{code}",
        model=Level,
        plural="levels",
        keys={"code": "code"},
        identity={"exam": "exam", "code": "{code}"},
        values=("name", "fee", "source"),
        exam="exam",
    ),
    Table(
        path="subjects.{code}",
        model=Subject,
        plural="subjects",
        keys={"code": "code"},
        identity={"exam": "exam", "code": "{code}"},
        values=("name", "source"),
        exam="exam",
    ),
    Table(
        path="specialties.{code}",
        model=Specialty,
        plural="specialties",
        keys={"code": "code"},
        identity={"exam": "exam", "code": "{code}"},
        values=("name", "category", "format", "source"),
        links={"level": ("levels.{level}", "level.code")},
        related=("level",),
        exam="exam",
    ),
    Table(
        path="institutions.{region}",
        model=Region,
        plural="regions",
        keys={"region": "code"},
        identity={"code": "{region}"},
        values=("name",),
    ),
    Table(
        path="institutions.{region}.points.{code}",
        model=Point,
        plural="exam points",
        keys={"region": "region_id", "code": "code"},
        identity={"region": "institutions.{region}", "code": "{code}"},
        values=("name", "address", "telephone", "source"),
    ),
    Table(
        path="institutions.{region}.sites.{code}",
        model=Site,
        plural="registration sites",
        keys={"region": "point.region_id", "code": "code"},
        identity={"code": "{code}"},
        values=("name", "address", "telephone", "hours", "source"),
        links={"point": ("institutions.{region}.points.{point}", "point_id")},
        related=("point",),
    ),
    Table(
        path="regions.{region}",
        model=ExamRegion,
        plural="regions in the exam",
        keys={"region": "region_id"},
        identity={"exam": "exam", "region": "institutions.{region}"},
        values=(
            "online",
            "automatic",
            "confirmation_opens_at",
            "confirmation_closes_at",
            "notice",
            "source",
        ),
        exam="exam",
    ),
    Table(
        path="regions.{region}.fees.{level}",
        model=RegionFee,
        plural="regional fees",
        keys={"region": "exam_region.region_id", "level": "level.code"},
        identity={"exam_region": "regions.{region}", "level": "levels.{level}"},
        values=("fee", "source"),
        related=("exam_region", "level"),
        exam="exam_region__exam",
    ),
    Table(
        path="regions.{region}.sites.{site}",
        model=ExamSite,
        plural="registration sites in the exam",
        keys={"region": "exam_region.region_id", "site": "site_id"},
        identity={"exam_region": "regions.{region}", "site": "institutions.{region}.sites.{site}"},
        related=("exam_region",),
        exam="exam_region__exam",
    ),
)


def table_of(path: str) -> Table:
    """The table that holds the entry at `path`."""
    return next(table for table in TABLES if table.pattern.fullmatch(path))


def example_entries(rows: Rows) -> list[str]:
    """The paths of what is invented among the rows of an exam year; while there is one, the exam is an `example`."""
    return [path for path, row in rows.items() if getattr(row, "source", None) == EXAMPLE]


def load(exam: Exam | None, named: set[str], *, lock: bool = False) -> Rows:
    """The rows of an exam year: its own, and of the shared institutions those that take part in it or are `named`.

    `lock` keeps them from being changed until the transaction ends. Twelve queries; locking, four more.
    """
    rows: Rows = {}
    for table in TABLES:
        rows |= {table.path_of(row): row for row in table.rows(exam, lock=lock)}
    part = {row.site_id for row in rows.values() if isinstance(row, ExamSite)}
    home = {row.point_id for row in rows.values() if isinstance(row, Site) and row.pk in part}
    regions = {row.region_id for row in rows.values() if isinstance(row, ExamRegion)}
    taking_part = {Region: regions, Point: home, Site: part}
    return {path: row for path, row in rows.items() if path in named or row.pk in taking_part.get(type(row), {row.pk})}
