"""What the checks say of a case; and `python -m tests.photos.looking`, the table of docs/photos.md."""

import io
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

from accounts.photos import checks, intake
from accounts.photos.report import ITEMS, Item, Report
from accounts.photos.rules import PhotoRules
from tests.photos.corpus import CASES, HELD_BACK, TUNED, Case

SHIPPED = Path(__file__).resolve().parents[2] / "registration" / "exam_years" / "2024-health.toml"


@cache
def rules() -> PhotoRules:
    """The rules that the portal ships."""
    return PhotoRules.from_table(tomllib.loads(SHIPPED.read_text())["photo"])


def report_on(file: bytes) -> Report:
    return checks.check(intake.read(io.BytesIO(file)), rules())


def found(report: Report) -> dict[str, Item]:
    """Items of the picture and of the frame that is suggested."""
    return {item.key: item for item in report.items + (report.frames[0].items if report.frames else [])}


def wrong(case: Case, face: str) -> dict[str, Item | None]:
    """The items of which the checks say something else than they should.

    Without a face nothing else is looked at: what should fail has failed.
    """
    items = found(report_on(case.make(face)))
    hopeless = items["face"].verdict == "fail"
    return {
        key: items.get(key)
        for key, allowed in case.expected.items()
        if (items[key].verdict not in allowed if key in items else not (hopeless and "fail" in allowed))
    }


def table(faces: tuple[str, ...]) -> tuple[Counter[str], Counter[str], list[str]]:
    """By item how many verdicts are as they should be, how many are not, and a line for each of those."""
    right: Counter[str] = Counter()
    errs: Counter[str] = Counter()
    lines = []
    for case in CASES:
        for face in faces:
            mistakes = wrong(case, face)
            right.update(case.expected.keys() - mistakes.keys())
            errs.update(mistakes.keys())
            lines += [f"{case.name}, {face}: {key} {_said(item)}" for key, item in mistakes.items()]
    return right, errs, lines


def _said(item: Item | None) -> str:
    return f"{item.verdict} ({item.value:g})" if item else "not found"


def as_markdown(right: Counter[str], errs: Counter[str]) -> str:
    rows = [f"| `{key}` | {right[key]} | {errs[key]} |" for key in ITEMS]
    return "\n".join(
        ["| Item | right | wrong |", "|---|---|---|", *rows, f"| all | {right.total()} | {errs.total()} |"]
    )


def main(faces: tuple[str, ...]) -> None:
    right, errs, lines = table(faces)
    print(as_markdown(right, errs), *lines, sep="\n")  # noqa: T201


if __name__ == "__main__":
    main(TUNED if "tuned" in sys.argv else HELD_BACK)
