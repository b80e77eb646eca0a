"""What an exam asks of a photo (`domain.md`, section 2), handed down to the checks as one value.

The exam-year file holds it, in `[photo]`; there is no threshold anywhere else.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from accounts.photos.report import ITEMS, Verdict

# Of the checks themselves: raised with every change of how something is measured.
CHECKS_VERSION = 1


@dataclass(frozen=True)
class Limits:
    """A measured value passes from `low` to `high`, is doubtful out to `doubtful_low` and `doubtful_high`, else fails.

    All four count as inside; where nothing limits, they are infinite.
    """

    low: float = -math.inf
    high: float = math.inf
    doubtful_low: float = -math.inf
    doubtful_high: float = math.inf

    ENDS: ClassVar[tuple[str, ...]] = ("low", "high", "doubtful_low", "doubtful_high")

    def verdict(self, value: float) -> Verdict:
        """What these limits say of a value."""
        if self.low <= value <= self.high:
            return Verdict.PASS
        return Verdict.WARN if self.doubtful_low <= value <= self.doubtful_high else Verdict.FAIL


@dataclass(frozen=True)
class PhotoRules:
    """What an exam asks of a photo.

    `more_than_width` × `more_than_height` pixels and `more_than_bytes` are what photo and file must exceed; the kept
    JPEG has at most `most_width` × `most_height` pixels, in the same ratio. `head` is the share of the height that the
    head is to take. `limits` are by item, in the units of accounts.photos.report.
    """

    more_than_width: int
    more_than_height: int
    more_than_bytes: int
    most_width: int
    most_height: int
    head: float
    limits: Mapping[str, Limits]

    @property
    def ratio(self) -> float:
        """Width over height."""
        return self.most_width / self.most_height

    @property
    def version(self) -> str:
        """Sixteen hexadecimal digits that differ whenever rules or checks do."""
        said = json.dumps([CHECKS_VERSION, self.as_table()], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    @classmethod
    def from_table(cls, table: Mapping[str, Any]) -> "PhotoRules":
        """The rules from plain values in the shape of the table `[photo]` of an exam-year file, `checks` within it.

        A limit there has `low` and `high`, and `doubtful_low` and `doubtful_high` beyond them. An end that is missing
        limits nothing; without a doubtful one, what is outside fails.

        Raises:
            KeyError, ValueError: the table is not one that the exam-year schema lets through.
        """
        checks = {item: said for item, said in table["checks"].items() if item != "source"}
        if unknown := set(checks) ^ set(ITEMS):
            raise ValueError(f"limits and checks differ: {', '.join(sorted(unknown))}")
        plain = ("more_than_width", "more_than_height", "more_than_bytes", "most_width", "most_height")
        return cls(
            **{name: int(table[name]) for name in plain},
            head=float(table["head"]),
            limits={item: _limits(said) for item, said in checks.items()},
        )

    def as_table(self) -> dict[str, Any]:
        """The same as plain JSON; `from_table` makes the rules of it again."""
        table = asdict(self)
        limits = table.pop("limits")
        return {**table, "checks": {item: _finite(ends) for item, ends in limits.items()}}


def _limits(said: Mapping[str, Any]) -> Limits:
    given = {end: float(value) for end, value in said.items() if end in Limits.ENDS and value is not None}
    for end in ("low", "high"):
        if end in given:
            given.setdefault(f"doubtful_{end}", given[end])
    return Limits(**given)


def _finite(ends: Mapping[str, float]) -> dict[str, float]:
    return {end: value for end, value in ends.items() if math.isfinite(value)}
