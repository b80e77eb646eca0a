"""Reads of the registration app."""

from datetime import datetime
from typing import Any

from django.db.models import Prefetch, QuerySet

from accounts.models import Candidate, Point, Site
from registration.lifecycle import State
from registration.models import Application, Exam, ExamRegion, Specialty


def exams() -> list[Exam]:
    """All exams that are offered here, newest first."""
    return [exam for exam in Exam.objects.all() if exam.is_offered]


def open_exams(at: datetime) -> list[Exam]:
    """Exams whose pre-registration window is open at `at` (R01)."""
    return [exam for exam in Exam.objects.filter(opens_at__lte=at, closes_at__gt=at) if exam.is_offered]


def applications_of(candidate: Candidate) -> QuerySet[Application]:
    """The candidate's applications, newest first, with what their pages show."""
    return candidate.applications.select_related("exam", "exam_region__region", "point", "site", "specialty__level")


def live_applications(candidate: Candidate, *, at: datetime) -> list[Application]:
    """Applications on their way to an exam that is not over: submitted, and neither refused nor given up."""
    over = {State.DRAFT, State.REJECTED, State.ABANDONED}
    submitted = candidate.applications.select_related("exam", "exam_region__region", "point").exclude(state__in=over)
    return [application for application in submitted if max(application.exam.days) >= at.date()]


def regions_of(exam: Exam) -> QuerySet[ExamRegion]:
    """The regions that take part in an exam, by code."""
    return exam.regions.select_related("region", "exam")


def places_of(exam_region: ExamRegion) -> list[tuple[Point, list[Site]]]:
    """The exam points of a region in this exam, each with its registration sites, by code."""
    sites = Site.objects.filter(exams__exam_region=exam_region)
    points = Point.objects.filter(sites__exams__exam_region=exam_region).distinct()
    return [(point, list(point.sites.all())) for point in points.prefetch_related(Prefetch("sites", queryset=sites))]


def specialties_of(exam: Exam) -> QuerySet[Specialty]:
    """All specialties of an exam with their levels, by code."""
    return exam.specialties.select_related("level")


def summary(application: Application) -> dict[str, Any]:
    """The standing submission of an application and its earlier versions, for its overview."""
    submissions = list(application.submissions.all())
    current = next((s for s in submissions if s.version == application.version), None)
    return {
        "current": current if application.state != "draft" else None,
        "void": [s for s in submissions if s is not current or application.state == "draft"],
    }
