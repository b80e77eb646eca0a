"""Exams, their regions, exam points and registration sites, as staff look at them and change them (R01, R11)."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy

from accounts.access import actor_of
from accounts.models import Point, Site
from accounts.territory import visible_to
from exam_portal.kit import moments
from registration import queries
from registration.admin.rows import YearRowAdmin
from registration.models import Exam, ExamRegion


@admin.register(Exam)
class ExamAdmin(YearRowAdmin):
    """Exams, the latest first; the page of one with its regions, by search."""

    ordering = ["-opens_at", "-pk"]
    list_display = ("title", "opens", "closes", "marked")
    page_template = "exam_years/exam"

    @admin.display(description=gettext_lazy("Registering opens"))
    def opens(self, row: Exam) -> str:
        return moments.moment(row.opens_at)

    @admin.display(description=gettext_lazy("Registering ends"))
    def closes(self, row: Exam) -> str:
        return moments.end(row.closes_at)

    def more(self, request: HttpRequest, row: Exam) -> dict[str, Any]:
        regions = visible_to(actor_of(request), ExamRegion).filter(exam=row).select_related("region", "exam")
        term = request.GET.get("q", "").strip()
        if term:
            regions = regions.filter(region__name__icontains=term)
        return {
            "term": term,
            "regions": list(regions.order_by("region")),
            "applied": queries.applied(row),
            "public_url": reverse("registration:regions", args=[row.code]) if row.is_offered else "",
        }


@admin.register(ExamRegion)
class ExamRegionAdmin(YearRowAdmin):
    """A region in an exam, with its exam points and registration sites; reached from the exam."""

    pages = {"change"}
    list_select_related = ("exam", "region")
    page_template = "exam_years/exam_region"

    def above(self, row: ExamRegion) -> tuple[str, Any]:
        return reverse("admin:registration_exam_change", args=[row.exam_id]), row.exam.title

    def more(self, request: HttpRequest, row: ExamRegion) -> dict[str, Any]:
        actor = actor_of(request)
        return {
            "places": queries.places_of(
                row, points=visible_to(actor, Point).all(), sites=visible_to(actor, Site).all()
            ),
            "public_url": reverse("registration:region_notice", args=[row.exam.code, row.region_id])
            if row.exam.is_offered
            else "",
        }


@admin.register(Point)
class PointAdmin(YearRowAdmin):
    """Exam points by code; the page of one with its registration sites."""

    ordering = ["pk"]
    list_display = ("name", "code", "region", "telephone", "marked")
    list_select_related = ("region",)
    search_fields = ("name", "code")
    page_template = "exam_years/point"

    def more(self, request: HttpRequest, row: Point) -> dict[str, Any]:
        sites = visible_to(actor_of(request), Site).filter(point=row).order_by("code")
        return {
            "places": [(row, list(sites))],
            "exams": list(Exam.objects.filter(regions__exam_sites__site__point=row).distinct()),
        }


@admin.register(Site)
class SiteAdmin(YearRowAdmin):
    """A registration site; reached from its exam point."""

    pages = {"change"}
    list_select_related = ("point__region",)
    page_template = "exam_years/site"

    def above(self, row: Site) -> tuple[str, Any]:
        return reverse("admin:accounts_point_change", args=[row.point_id]), row.point.name

    def more(self, request: HttpRequest, row: Site) -> dict[str, Any]:
        return {"exams": list(Exam.objects.filter(regions__exam_sites__site=row).distinct())}
