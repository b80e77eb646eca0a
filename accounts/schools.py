"""Schools by name: found by pinyin initials or by any of their characters; those not in the list are 「其他」.

The list is `data/schools.tsv`; its README names the sources and says how to add a school.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent / "data"
_DATA, _TRADITIONAL = _FOLDER / "schools.tsv", _FOLDER / "traditional.tsv"

# 其他: a school that is not in the list, with a note.
OTHER = "999999"
# A page of schools to choose from.
AT_ONCE = 20
# What is no letter, digit or Chinese character makes no difference between two names.
_BESIDES = re.compile(r"[^\w]|_")


@dataclass(frozen=True)
class School:
    """A school of the list. `kind` is one of accounts.education; `former` are names that its certificates may bear."""

    code: str
    name: str
    kind: str
    former: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """A school that was looked for, and the name by which it was found: the present or a former one."""

    school: School
    name: str

    @property
    def renamed(self) -> bool:
        """Whether it has another name today."""
        return self.name != self.school.name


@dataclass(frozen=True)
class _Entry:
    """One name of a school as it is searched: its characters, and their pinyin initials."""

    found: Found
    characters: str
    initials: str


@cache
def _simplified() -> Mapping[int, str]:
    return str.maketrans(dict(line.split("\t") for line in _TRADITIONAL.read_text(encoding="utf-8").splitlines()))


def _plain(text: str) -> str:
    """What names are compared by: half-width, small letters, simplified characters, nothing between them."""
    return _BESIDES.sub("", unicodedata.normalize("NFKC", text)).lower().translate(_simplified())


@cache
def _entries() -> tuple[_Entry, ...]:
    entries = []
    for line in _DATA.read_text(encoding="utf-8").splitlines():
        code, name, initials, kind, _source, former = line.split("\t")
        earlier = [tuple(pair.split(" ")) for pair in former.split(",") if pair]
        school = School(code, name, kind, tuple(pair[0] for pair in earlier))
        for own, letters in ((name, initials), *earlier):
            entries.append(_Entry(Found(school, own), _plain(own), _plain(letters)))
    return tuple(entries)


@cache
def _codes() -> Mapping[str, str]:
    """Code by plain name. A present name comes before another school's former one."""
    codes: dict[str, str] = {}
    for entry in sorted(_entries(), key=lambda entry: entry.found.renamed):
        codes.setdefault(entry.characters, entry.found.school.code)
    return codes


def code_of(name: str) -> str:
    """The code of the school that has or had exactly this name, or `OTHER`."""
    return _codes().get(_plain(name), OTHER)


@cache
def _kinds() -> Mapping[str, str]:
    return {entry.found.school.code: entry.found.school.kind for entry in _entries()}


def kind_of(name: str) -> str:
    """The kind of the school of this name, one of accounts.education; "" of one that is not in the list."""
    return _kinds().get(code_of(name), "")


def _rank(query: str, text: str) -> int | None:
    """How well a text fits, best first: the same, begins so, holds it, has its characters in this order; or None."""
    if text.startswith(query):
        return 0 if text == query else 1
    if query in text:
        return 2
    rest = iter(text)
    return 3 if all(character in rest for character in query) else None


def find(typed: str) -> list[Found]:
    """Schools by pinyin initials (`hnzyydx`) or by any characters of a name in their order (`湖 中医`), best first.

    Each school once, by the name that fits best.
    """
    query = _plain(typed)
    if not query:
        return []
    letters = query.isascii()
    ranked = [
        (rank, entry.found.renamed, len(entry.characters), entry)
        for entry in _entries()
        if (rank := _rank(query, entry.initials if letters else entry.characters)) is not None
    ]
    best: dict[str, Found] = {}
    for *_order, entry in sorted(ranked, key=lambda row: row[:3]):
        best.setdefault(entry.found.school.code, entry.found)
    return list(best.values())
