"""What tests of exam years share: the files that come with the portal, edited copies, and the database as it is."""

from pathlib import Path
from typing import Any

from accounts.models import Point, Region, Site
from registration.models import (
    AppliedExamYear,
    Exam,
    ExamRegion,
    ExamSite,
    Level,
    RegionFee,
    Specialty,
    Subject,
)
from registration.services.exam_year import SHIPPED

HEALTH = SHIPPED / "2024-health.toml"
LAST_YEAR = SHIPPED / "2023-health.toml"
NURSE = SHIPPED / "2024-nurse.toml"
ALL = (HEALTH, LAST_YEAR, NURSE)

# The telephone of the exam point 3301, Hangzhou: its path, and an edit of the 2024 health file.
PATH = "institutions.33.points.3301.telephone"


def telephone(number: str) -> tuple[str, str]:
    """The edit that gives Hangzhou's exam point this number."""
    return 'telephone = "0571-00000117"', f'telephone = "{number}"'


def edited(folder: Path, *edits: tuple[str, str], of: Path = HEALTH) -> Path:
    """A copy of a file in `folder`, each old text replaced by the new one; the old must stand there once at least."""
    text = of.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / of.name
    path.write_text(text, encoding="utf-8")
    return path


def exam_data() -> dict[str, list[dict[str, Any]]]:
    """All rows that an exam year consists of."""
    models = (Region, Point, Site, Exam, Level, Specialty, Subject, ExamRegion, RegionFee, ExamSite)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def everything() -> dict[str, list[dict[str, Any]]]:
    """All that an apply writes: the exam data and the record of what was applied."""
    return {**exam_data(), "AppliedExamYear": list(AppliedExamYear.objects.values())}
