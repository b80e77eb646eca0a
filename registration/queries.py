"""Reads of the registration app."""

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Prefetch, QuerySet, Subquery

from accounts.actors import Actor
from accounts.models import Candidate, Point, Site, StaffAssignment
from accounts.queries import first_persons
from accounts.territory import visible_to
from registration.lifecycle import State
from registration.models import Application, AppliedExamYear, Exam, ExamRegion, ExamYearChange, Specialty


def exams() -> list[Exam]:
    """All exams that are offered here, newest first."""
    return [exam for exam in Exam.objects.all() if exam.is_offered]


def open_exams(at: datetime) -> list[Exam]:
    """Exams whose pre-registration window is open at `at` (R01)."""
    return [exam for exam in Exam.objects.filter(opens_at__lte=at, closes_at__gt=at) if exam.is_offered]


def exams_with_photos() -> QuerySet[Exam]:
    """The exams that say what they ask of photos, with it."""
    return Exam.objects.filter(photo__isnull=False).select_related("photo")


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


def places_of(
    exam_region: ExamRegion, *, points: QuerySet[Point] | None = None, sites: QuerySet[Site] | None = None
) -> list[tuple[Point, list[Site]]]:
    """The exam points of a region in this exam, each with its sites, by code; all, or those among these."""
    sites = (Site.objects.all() if sites is None else sites).filter(exams__exam_region=exam_region)
    points = (Point.objects.all() if points is None else points).filter(sites__exams__exam_region=exam_region)
    points = points.order_by("code").distinct()
    return [(point, list(point.sites.all())) for point in points.prefetch_related(Prefetch("sites", queryset=sites))]


def applied(exam: Exam) -> AppliedExamYear | None:
    """The file last applied to an exam."""
    return AppliedExamYear.objects.filter(exam=exam).defer("document").first()


def changes_of(*, actor: Actor, kind: str, key: str) -> QuerySet[ExamYearChange]:
    """What was proposed and decided about a row of an exam year, the latest first, of what the actor sees (R28)."""
    changes = visible_to(actor, ExamYearChange).filter(kind=kind, key=key)
    return with_names(changes).order_by("-proposed_at", "-pk")


def with_names(changes: QuerySet[ExamYearChange]) -> QuerySet[ExamYearChange]:
    """The changes with the names of who proposed (`proposer`) and who decided (`decider`)."""

    def name(column: str) -> Subquery:
        roles = StaffAssignment.objects.filter(user=OuterRef(column)).order_by("-valid_from", "-pk")
        return Subquery(roles.values("name")[:1])

    return changes.annotate(proposer=name("proposed_by"), decider=name("decided_by"))


def waiting_for(actor: Actor, changes: QuerySet[ExamYearChange]) -> QuerySet[ExamYearChange]:
    """Of these changes those that the actor may decide, as the second person; of an exam only for the nation."""
    theirs = changes.filter(state=ExamYearChange.State.PROPOSED).exclude(proposed_by__in=first_persons(actor))
    return theirs.exclude(kind=ExamYearChange.Kind.EXAM) if actor.region else theirs


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
