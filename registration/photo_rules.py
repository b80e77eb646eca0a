"""What exams ask of photos, as accounts.photos takes it (a hook of accounts)."""

from datetime import datetime

from accounts.photos.rules import PhotoRules
from registration import queries
from registration.models import Exam


def of_exam(exam: Exam) -> PhotoRules | None:
    """The rules of one exam; None for one that was applied before exams said what they ask of photos. Two queries."""
    if not hasattr(exam, "photo"):
        return None
    checks = {limit.item: vars(limit) for limit in exam.photo_limits.all()}
    return PhotoRules.from_table({**vars(exam.photo), "checks": checks})


def of_the_exam_at(*, at: datetime) -> PhotoRules | None:
    """The rules of the exam that closes next, or else closed last, of those that have any."""
    exams = [exam for exam in queries.exams_with_photos() if exam.is_offered]
    coming = [exam for exam in exams if exam.closes_at > at]
    exam = (
        min(coming, key=lambda exam: exam.closes_at) if coming else max(exams, key=lambda e: e.closes_at, default=None)
    )
    return of_exam(exam) if exam else None
