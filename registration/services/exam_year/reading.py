"""Reading an exam-year file: TOML tables, and where in the file each key stands.

Every problem of a file is told at once, so reading goes on behind a key that is given twice.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from exam_portal.kit.errors import Refused

SHIPPED = Path(__file__).resolve().parents[2] / "exam_years"
BASED_ON = "based_on"

_HEADER = re.compile(r"\s*\[\s*([^\[\]]+?)\s*\]")
_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_TRIPLE = re.compile(r'"""|\'\'\'')
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
_TWICE = ("Cannot overwrite a value", "Cannot declare")
_REPEATED = "repeated on line "  # what the second of two equal headers is read as, and then left out


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong at one key (`regions.33.online`) of a file, in plain words; `line` counts from 1, 0 is unknown."""

    file: str
    line: int
    path: str
    reason: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.path}: {self.reason}" if self.path else f"{where}: {self.reason}"


class ExamYearRefused(Refused):
    """An exam year cannot be read, applied or exported. `problems` holds all reasons; nothing was changed."""

    code = "exam_year_refused"

    def __init__(self, problems: list[Problem], *, code: str | None = None) -> None:
        super().__init__("\n".join(map(str, problems)), code=code)
        self.problems = problems


@dataclass(frozen=True)
class Reading:
    """The tables of a file together with those it takes from the file it is based on.

    `tables` is TOML as plain values, decimals exact. `places` tells for each top-level table the file it comes from and
    the line of every key path in that file.
    """

    file: str
    tables: dict[str, Any]
    problems: list[Problem] = field(default_factory=list)
    places: Mapping[str, tuple[str, Mapping[str, int]]] = field(default_factory=dict)

    def problem(self, path: str, reason: str) -> Problem:
        """A problem at `path`, with the file and line of it or of the nearest table around it."""
        file, lines = self.places.get(path.split(".")[0], (self.file, {}))
        within = path
        while within and within not in lines:
            within = within.rpartition(".")[0]
        return Problem(file, lines.get(within, 0), path, reason)


def read(path: Path) -> Reading:
    """Read an exam-year file and, table by table, what it takes from the file it is `based_on`.

    A top-level table that the file does not give is taken whole from the other file; `exam` never is. The other file is
    looked for beside this one, then among those that come with the portal.

    Raises:
        ExamYearRefused: a file is missing, is not TOML, or is based on itself.
    """
    return _read(path, seen=())


def _read(path: Path, seen: tuple[Path, ...]) -> Reading:
    name = path.name
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "is not UTF-8 text"
        raise ExamYearRefused([Problem(str(path), 0, "", f"cannot be read: {reason}")]) from error
    lines: dict[str, int] = {}
    for line, key, _ in _statements(text):
        lines.setdefault(key, line)
    tables, problems = _parse(name, text)
    places: dict[str, tuple[str, Mapping[str, int]]] = dict.fromkeys(tables, (name, lines))
    if (other := tables.pop(BASED_ON, None)) is not None:
        reading = Reading(name, tables, problems, places)
        if not isinstance(other, str):
            problems.append(reading.problem(BASED_ON, "is not the name of a file"))
        elif path.resolve() in seen:
            reason = "the files are based on each other in a circle"
            raise ExamYearRefused([*problems, reading.problem(BASED_ON, reason)])
        else:
            found = next((file for file in (path.parent / other, SHIPPED / other) if file.is_file()), None)
            if found is None:
                raise ExamYearRefused([*problems, reading.problem(BASED_ON, f"there is no file {other}")])
            base = _read(found, (*seen, path.resolve()))
            taken = {key: value for key, value in base.tables.items() if key != "exam" and key not in tables}
            tables |= taken
            places |= {key: base.places[key] for key in taken}
            problems += base.problems
    return Reading(name, tables, problems, places)


def _parse(name: str, text: str) -> tuple[dict[str, Any], list[Problem]]:
    """TOML text as tables. A key or table given a second time is a problem, and is passed over to find the others."""
    problems: list[Problem] = []
    rows = text.splitlines()
    while True:
        try:
            tables = tomllib.loads("\n".join(rows) + "\n", parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            place = _PLACE.search(str(error))
            at = int(place[1]) if place and place[1] else len(rows)
            statements = [found for found in _statements("\n".join(rows)) if found[0] <= at]
            line, key, header = statements[-1] if statements else (at, "", False)
            if not str(error).startswith(_TWICE):
                reason = _PLACE.sub("", str(error))
                raise ExamYearRefused([*problems, Problem(name, at, key, f"is not TOML: {reason}")]) from error
            problems.append(Problem(name, line, key, "is given twice"))
            rows[line - 1 : at] = [f'["{_REPEATED}{line}"]' if header else "", *[""] * (at - line)]
        else:
            return {key: value for key, value in tables.items() if not key.startswith(_REPEATED)}, problems


def _statements(text: str) -> Iterator[tuple[int, str, bool]]:
    """(line, key path, whether it is a table header) of each statement that begins a line."""
    table = ""
    inside_text = False
    for line, row in enumerate(text.splitlines(), 1):
        if not inside_text:
            if header := _HEADER.match(row):
                table = _plain(header[1])
                yield line, table, True
            elif key := _KEY.match(row):
                yield line, f"{table}.{_plain(key[1])}" if table else _plain(key[1]), False
        inside_text ^= len(_TRIPLE.findall(row)) % 2 == 1


def _plain(key: str) -> str:
    return re.sub(r"""\s*\.\s*""", ".", key).replace('"', "").replace("'", "")
