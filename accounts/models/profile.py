"""What the account keeps from year to year: contact data and work; education and credentials have their own files."""

from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.employers import EmployerKind
from accounts.models.users import Candidate
from exam_portal import clock


def check_held(month: date) -> None:
    """Refuse a month of a certificate that has not come, or that nobody who registers can have."""
    if not date(1950, 1, 1) <= month <= clock.today():
        raise ValidationError(_("Enter the month of a certificate that you hold already."))


# The first migration knows it by this name.
check_graduated = check_held


class BasicInformation(models.Model):
    """Contact data and work of a candidate; reused every year.

    Workplace and kind of employer were not asked for at first: rows of that time have neither, until the candidate
    completes them (accounts.next_steps).
    """

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
    employer_kind = models.CharField(_("kind of employer"), max_length=16, choices=EmployerKind)
    workplace = models.CharField(_("workplace"), max_length=60)
    updated_at = models.DateTimeField()

    class Meta:
        # By which staff find somebody who calls.
        indexes = [models.Index(fields=["mobile"], name="basic_information_by_mobile")]
        constraints = [
            models.CheckConstraint(
                name="employer_kind_known", condition=Q(employer_kind__in=["", *EmployerKind.values])
            ),
        ]

    def __str__(self) -> str:
        return self.employer

    @property
    def complete(self) -> bool:
        """Whether it has all that is asked for today."""
        return bool(self.employer_kind and self.workplace)
