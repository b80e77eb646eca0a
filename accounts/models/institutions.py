"""Institutions, from the exam-year files: 考区 → 考点 → 报名点."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Sourced(models.Model):
    """A datum that carries its grade (docs/exam-years.md); invented ones are example data, shown as such."""

    source = models.CharField(max_length=8)
    example = models.GeneratedField(
        expression=Q(source="example"),  # type: ignore[arg-type]  # the stubs know no Q here
        output_field=models.BooleanField(),
        db_persist=True,
        verbose_name=_("example data"),
    )

    class Meta:
        abstract = True


class Region(models.Model):
    """An exam region (考区): a province, or Xinjiang Corps, whose code 66 is internal to the portal."""

    code = models.CharField(primary_key=True, max_length=2)
    name = models.CharField(_("name"), max_length=20)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Point(Sourced):
    """An exam point (考点): as a rule a prefecture city."""

    code = models.CharField(primary_key=True, max_length=8)
    region = models.ForeignKey(Region, models.PROTECT, related_name="points")
    name = models.CharField(_("name"), max_length=60)
    address = models.CharField(_("address"), max_length=120)
    telephone = models.CharField(_("telephone"), max_length=40)

    class Meta:
        ordering = ["code"]
        verbose_name = _("exam point")
        verbose_name_plural = _("exam points and sites")

    def __str__(self) -> str:
        return self.name


class Site(Sourced):
    """A registration site (报名点): where originals are shown first."""

    code = models.CharField(primary_key=True, max_length=10)
    point = models.ForeignKey(Point, models.PROTECT, related_name="sites")
    name = models.CharField(_("name"), max_length=60)
    address = models.CharField(_("address"), max_length=120)
    telephone = models.CharField(_("telephone"), max_length=40)
    hours = models.CharField(_("office hours"), max_length=120)

    class Meta:
        ordering = ["code"]
        verbose_name = _("registration site")
        verbose_name_plural = _("registration sites")

    def __str__(self) -> str:
        return self.name
