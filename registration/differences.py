"""A change of an exam year as people compare it: what stands there, and what will."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from registration.services.exam_year.editable import EDITABLE, LABELS, SOURCES, Row, entry_of, kind_of, typed

# How a value is shown; what is not named is text.
_SHOWN = {
    "opens_at": "moment",
    "closes_at": "end",
    "confirmation_opens_at": "moment",
    "confirmation_closes_at": "end",
    "days": "days",
    "cutoff": "day",
    "reminder_days": "numbers",
    "online": "flag",
    "automatic": "flag",
    "notice": "markdown",
    "source": "source",
}


@dataclass(frozen=True)
class Value:
    """A value of a row with its label; `shown` says how it is written."""

    name: str
    label: str | Promise
    shown: str
    value: Any


@dataclass(frozen=True)
class Line:
    """A line of a text that was compared: `mark` is `+`, `-`, or "" for what stays."""

    mark: str
    text: str


@dataclass(frozen=True)
class Difference:
    """A value before and after; of a long text its lines."""

    name: str
    label: str | Promise
    shown: str
    old: Any
    new: Any

    @property
    def lines(self) -> list[Line]:
        """The lines of both texts: those that go, those that come, and between them those that stay."""
        compared = difflib.ndiff(str(self.old).splitlines(), str(self.new).splitlines())
        return [Line(line[0].strip(), line[2:]) for line in compared if line[0] != "?"]


def values_of(row: Row) -> list[Value]:
    """What staff may change of a row, as it is."""
    kind = kind_of(row)
    plain = typed(kind, entry_of(row))
    return [Value(name, LABELS[name], _shown(name), _said(name, value)) for name, value in plain.items()]


def differences(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Difference]:
    """What changes, in the order of the fields; `old` and `new` are plain values by field."""
    before, after = typed(kind, old), typed(kind, new)
    return [
        Difference(name, LABELS[name], _shown(name), _said(name, before.get(name)), _said(name, after[name]))
        for name in (*EDITABLE[kind].fields, "source")
        if name in new
    ]


def _shown(name: str) -> str:
    return _SHOWN.get(name, "text")


def _said(name: str, value: Any) -> Any:
    return SOURCES.get(value, value) if name == "source" else value
