"""Exam-year files for tests: those that come with the portal, with a few places edited."""

from pathlib import Path

from registration.services.exam_year import SHIPPED

HEALTH = SHIPPED / "2024-health.toml"
LAST_YEAR = SHIPPED / "2023-health.toml"
NURSE = SHIPPED / "2024-nurse.toml"
ALL = (HEALTH, LAST_YEAR, NURSE)

TELEPHONE = 'telephone = "0571-00000117"'  # of the exam point 3301, Hangzhou


def edited(folder: Path, *edits: tuple[str, str], of: Path = HEALTH) -> Path:
    """A copy of a file in `folder`, each old text replaced by the new one; the old must stand there once at least."""
    text = of.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / of.name
    path.write_text(text, encoding="utf-8")
    return path
