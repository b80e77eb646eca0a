"""What anybody can look up without signing in (R11)."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from registration import queries
from registration.models import Exam, ExamRegion


def _offered(exam: Exam) -> Exam:
    if not exam.is_offered:  # invented addresses are shown to nobody who might go there
        raise Http404
    return exam


def regions(request: HttpRequest, code: str) -> HttpResponse:
    """When and how each region confirms."""
    exam = _offered(get_object_or_404(Exam, code=code))
    context = {"exam": exam, "regions": list(queries.regions_of(exam)), "exams": queries.exams()}
    return render(request, "registration/regions.html", context)


def region(request: HttpRequest, code: str, region_code: str) -> HttpResponse:
    """A region's notice, its exam points and registration sites."""
    found: ExamRegion = get_object_or_404(
        ExamRegion.objects.select_related("exam", "region"), exam__code=code, region_id=region_code
    )
    _offered(found.exam)
    context = {"exam": found.exam, "exam_region": found, "places": queries.places_of(found)}
    return render(request, "registration/region_notice.html", context)
