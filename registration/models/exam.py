"""Exam years, as `manage.py exam_year apply` writes them: a new year is data, never code (R01)."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Region, Site
from accounts.models.institutions import Sourced

# Longer before an end nobody is reminded of it.
MOST_DAYS = 60


def usual_reminder_days() -> list[int]:
    """How many days before an end candidates are reminded of it, where an exam-year file does not say."""
    return [7, 3, 1]


class Exam(models.Model):
    """One exam of one year. Its pre-registration window is half-open, [opens_at, closes_at).

    Of whatever ends, candidates are reminded `reminder_days` before (R17).
    """

    code = models.SlugField(unique=True)
    kind = models.SlugField()
    year = models.PositiveSmallIntegerField()
    title = models.CharField(_("title"), max_length=80)
    form_title = models.CharField(max_length=80)
    form_prefix = models.CharField(max_length=4, unique=True)
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    days = ArrayField(models.DateField())
    cutoff = models.DateField()
    reminder_days = ArrayField(models.PositiveSmallIntegerField(), default=usual_reminder_days, blank=True)
    note = models.TextField(blank=True)
    source = models.CharField(max_length=8)
    example = models.BooleanField(_("has example data"), default=False)

    class Meta:
        ordering = ["-opens_at", "code"]
        verbose_name = _("exam")
        verbose_name_plural = _("exams and regions")
        constraints = [
            models.CheckConstraint(name="exam_window", condition=Q(opens_at__lt=F("closes_at"))),
            models.CheckConstraint(
                name="exam_reminder_days", condition=Q(reminder_days__contained_by=list(range(1, MOST_DAYS + 1)))
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_offered(self) -> bool:
        """False for an exam that still holds invented data where people really register."""
        return not (self.example and settings.PORTAL_ENV == "production")

    def is_open(self, at: datetime) -> bool:
        """Whether a request that reached the server at `at` is inside the window (R01)."""
        return self.is_offered and self.opens_at <= at < self.closes_at


class Level(Sourced):
    """A level (级别) of an exam, with its fee in yuan a subject where a region has no other."""

    exam = models.ForeignKey(Exam, models.CASCADE, related_name="levels")
    code = models.CharField(max_length=8)
    name = models.CharField(max_length=20)
    fee = models.DecimalField(max_digits=7, decimal_places=2)

    class Meta:
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["exam", "code"], name="level_once")]

    def __str__(self) -> str:
        return self.name


class Specialty(Sourced):
    """A specialty (专业) of an exam year."""

    class Format(models.TextChoices):
        COMPUTER = "computer", _("on a computer")
        PAPER = "paper", _("on paper")

    exam = models.ForeignKey(Exam, models.CASCADE, related_name="specialties")
    level = models.ForeignKey(Level, models.PROTECT, related_name="specialties")
    code = models.CharField(max_length=8)
    name = models.CharField(max_length=40)
    category = models.CharField(max_length=20)
    format = models.CharField(max_length=8, choices=Format)

    class Meta:
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["exam", "code"], name="specialty_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Subject(Sourced):
    """A subject (科目) that every specialty of the exam has."""

    exam = models.ForeignKey(Exam, models.CASCADE, related_name="subjects")
    code = models.CharField(max_length=8)
    name = models.CharField(max_length=40)

    class Meta:
        ordering = ["code"]
        constraints = [models.UniqueConstraint(fields=["exam", "code"], name="subject_once")]

    def __str__(self) -> str:
        return self.name


class ExamRegion(Sourced):
    """A region in an exam year: how and when it confirms (R10-R14), and its public notice (R11).

    `online` and `automatic` are two independent flags. The confirmation window is half-open.
    """

    exam = models.ForeignKey(Exam, models.CASCADE, related_name="regions")
    region = models.ForeignKey(Region, models.PROTECT, related_name="exams")
    online = models.BooleanField()
    automatic = models.BooleanField()
    confirmation_opens_at = models.DateTimeField()
    confirmation_closes_at = models.DateTimeField()
    notice = models.TextField()

    class Meta:
        ordering = ["region"]
        verbose_name = _("exam region")
        verbose_name_plural = _("exam regions")
        constraints = [
            models.UniqueConstraint(fields=["exam", "region"], name="exam_region_once"),
            models.CheckConstraint(
                name="exam_region_window",
                condition=Q(confirmation_opens_at__lt=F("confirmation_closes_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.exam_id}/{self.region_id}"


class RegionFee(Sourced):
    """What a region asks for a subject of a level, in yuan, where it differs from the level's fee."""

    exam_region = models.ForeignKey(ExamRegion, models.CASCADE, related_name="fees")
    level = models.ForeignKey(Level, models.CASCADE, related_name="region_fees")
    fee = models.DecimalField(max_digits=7, decimal_places=2)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exam_region", "level"], name="region_fee_once")]

    def __str__(self) -> str:
        return f"{self.fee}"


class ExamSite(models.Model):
    """A registration site, and with it its point, takes part in an exam year."""

    exam_region = models.ForeignKey(ExamRegion, models.CASCADE, related_name="exam_sites")
    site = models.ForeignKey(Site, models.PROTECT, related_name="exams")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["exam_region", "site"], name="exam_site_once")]

    def __str__(self) -> str:
        return f"{self.exam_region_id}/{self.site_id}"


class ExamPhoto(Sourced):
    """What an exam asks of a photo and of the file it comes in (accounts.photos.rules tells the units)."""

    exam = models.OneToOneField(Exam, models.CASCADE, related_name="photo")
    more_than_width = models.PositiveIntegerField()
    more_than_height = models.PositiveIntegerField()
    more_than_bytes = models.PositiveIntegerField()
    most_width = models.PositiveIntegerField()
    most_height = models.PositiveIntegerField()
    head = models.FloatField()

    def __str__(self) -> str:
        return f"{self.exam_id}"


class PhotoLimit(Sourced):
    """Between which measured values a photo passes one check of an exam; an end that is missing limits nothing."""

    exam = models.ForeignKey(Exam, models.CASCADE, related_name="photo_limits")
    item = models.CharField(max_length=16)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    doubtful_low = models.FloatField(null=True)
    doubtful_high = models.FloatField(null=True)

    class Meta:
        ordering = ["item"]
        constraints = [models.UniqueConstraint(fields=["exam", "item"], name="photo_limit_once")]

    def __str__(self) -> str:
        return self.item


class AppliedExamYear(models.Model):
    """The file last applied to an exam: the common ancestor of the three-way plan."""

    exam = models.OneToOneField(Exam, models.CASCADE, related_name="applied")
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    applied_at = models.DateTimeField()
    applied_by = models.CharField(max_length=60)

    def __str__(self) -> str:
        return f"{self.exam_id} {self.digest[:12]}"
