"""Tables of the registration app, one file a subject."""

from registration.models.application import Application, Submission
from registration.models.changes import ExamYearChange
from registration.models.exam import (
    AppliedExamYear,
    Exam,
    ExamPhoto,
    ExamRegion,
    ExamSite,
    Level,
    PhotoLimit,
    RegionFee,
    Specialty,
    Subject,
)

__all__ = [
    "Application",
    "AppliedExamYear",
    "Exam",
    "ExamPhoto",
    "ExamRegion",
    "ExamSite",
    "ExamYearChange",
    "Level",
    "PhotoLimit",
    "RegionFee",
    "Specialty",
    "Subject",
    "Submission",
]
