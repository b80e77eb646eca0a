"""What anybody can look up without signing in (R11)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from registration import queries
from registration.models import Exam, ExamRegion


def regions(request: HttpRequest, code: str) -> HttpResponse:
    """When and how each region confirms."""
    exam = get_object_or_404(Exam, code=code)
    context = {"exam": exam, "regions": list(queries.regions_of(exam)), "exams": queries.exams()}
    return render(request, "registration/regions.html", context)


def region(request: HttpRequest, code: str, region_code: str) -> HttpResponse:
    """A region's notice, its exam points and registration sites."""
    found: ExamRegion = get_object_or_404(
        ExamRegion.objects.select_related("exam", "region"), exam__code=code, region_id=region_code
    )
    context = {"exam": found.exam, "exam_region": found, "places": queries.places_of(found)}
    return render(request, "registration/region_notice.html", context)
