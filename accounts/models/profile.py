"""What the account keeps from year to year: basic information and education."""

from datetime import date

import pgtrigger
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.users import Candidate
from exam_portal import clock


class BasicInformation(models.Model):
    """Contact data and workplace of a candidate; reused every year."""

    candidate = models.OneToOneField(Candidate, models.CASCADE, related_name="basic_information")
    ethnicity = models.CharField(_("ethnicity"), max_length=20)
    mobile = models.CharField(
        _("mobile telephone"),
        max_length=11,
        validators=[
            RegexValidator(
                r"^1[3-9][0-9]{9}\Z",
                _("Enter the 11 digits of a mobile number, for example 13800000000."),
            )
        ],
    )
    address = models.CharField(_("postal address"), max_length=120)
    postcode = models.CharField(
        _("postcode"),
        max_length=6,
        blank=True,
        validators=[RegexValidator(r"^[0-9]{6}\Z", _("A postcode has 6 digits."))],
    )
    employer = models.CharField(_("employer"), max_length=80)
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.employer


class Qualification(models.TextChoices):
    """学历, lowest first."""

    SECONDARY = "secondary", _("Secondary vocational (中专)")
    COLLEGE = "college", _("Junior college (大专)")
    UNDERGRADUATE = "undergraduate", _("Undergraduate (本科)")
    MASTER = "master", _("Master's programme (硕士研究生)")
    DOCTOR = "doctor", _("Doctoral programme (博士研究生)")


class Degree(models.TextChoices):
    """学位."""

    NONE = "none", _("None")
    BACHELOR = "bachelor", _("Bachelor")
    MASTER = "master", _("Master")
    DOCTOR = "doctor", _("Doctor")


MOST_EDUCATION_RECORDS = 5


def check_graduated(month: date) -> None:
    """Refuse a month of graduation that has not come, or that nobody who registers can have."""
    if not date(1950, 1, 1) <= month <= clock.today():
        raise ValidationError(_("Enter the month of a certificate that you hold already."))


class EducationRecord(models.Model):
    """One completed education. At most five a candidate, and a saved one is never deleted, only superseded (R27)."""

    candidate = models.ForeignKey(Candidate, models.PROTECT, related_name="education")
    position = models.PositiveSmallIntegerField()
    qualification = models.CharField(_("qualification"), max_length=16, choices=Qualification)
    degree = models.CharField(_("degree"), max_length=16, choices=Degree)
    school = models.CharField(_("school"), max_length=80)
    major = models.CharField(_("major"), max_length=60)
    # Kept as the first day of the month.
    graduated = models.DateField(_("month of graduation"), validators=[check_graduated])
    certificate_number = models.CharField(_("certificate number"), max_length=40)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["candidate", "position"], name="education_position_once"),
            models.CheckConstraint(
                name="education_at_most_five",
                condition=Q(position__gte=1, position__lte=MOST_EDUCATION_RECORDS),
            ),
            models.CheckConstraint(name="education_month", condition=Q(graduated__day=1)),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="education_is_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                # It goes with the account, when that is deleted (R07).
                func="""
                    IF EXISTS (
                        SELECT FROM accounts_candidate WHERE id = OLD.candidate_id AND deleted_at IS NOT NULL
                    ) THEN
                        RETURN OLD;
                    END IF;
                    RAISE EXCEPTION 'pgtrigger: a saved education record is never deleted';
                """,
            )
        ]

    def __str__(self) -> str:
        return f"{self.school} {self.major}"
