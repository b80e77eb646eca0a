"""Tables of the registration app, one file a subject."""

from registration.models.application import Application, Submission
from registration.models.changes import ExamYearChange
from registration.models.exam import (
    AppliedExamYear,
    Exam,
    ExamRegion,
    ExamSite,
    Level,
    RegionFee,
    Specialty,
    Subject,
)

__all__ = [
    "Application",
    "AppliedExamYear",
    "Exam",
    "ExamRegion",
    "ExamSite",
    "ExamYearChange",
    "Level",
    "RegionFee",
    "Specialty",
    "Subject",
    "Submission",
]
