"""Education records (R21, R27) and whether they were verified."""

from typing import Any

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts import education, schools
from accounts.education import Degree, Qualification
from accounts.models.profile import check_held
from accounts.models.users import Candidate

MOST_STANDING = 5


class EducationRecords(models.QuerySet["EducationRecord"]):
    """Education records, also those that were corrected."""

    def standing(self) -> "EducationRecords":
        """Without those that a corrected one has superseded."""
        return self.filter(superseded_at=None)


class EducationRecord(models.Model):
    """One completed education. At most five stand at a time, and a saved one is never deleted, only superseded (R27).

    A correction is a new record in the place of the old one, which it `supersedes`. What a record says is fixed; the
    old one stays, no longer counts and goes into no new snapshot.

    `school_code` is that of accounts.schools, or `OTHER` with a note. Kinds of school and certificate are those that
    accounts.education recognises; records made before kinds were asked for have none, and no code.

    `ask_at` is when the verifiers are asked next (accounts.services.verification); none: no more.
    """

    class Verification(models.TextChoices):
        UNVERIFIED = "unverified", _("Not verified (未核验)")
        PASSED = "passed", _("Verified (核验通过)")
        FAILED = "failed", _("Verification failed (核验未通过)")

    # What a candidate enters.
    CONTENT = (
        "qualification",
        "degree",
        "school_kind",
        "school",
        "school_note",
        "major",
        "graduated",
        "certificate_kind",
        "certificate_number",
        "certification_number",
    )

    candidate = models.ForeignKey(Candidate, models.PROTECT, related_name="education")
    position = models.PositiveSmallIntegerField()
    qualification = models.CharField(_("qualification"), max_length=16, choices=Qualification)
    degree = models.CharField(_("degree"), max_length=16, choices=Degree)
    school_kind = models.CharField(
        _("kind of school"),
        max_length=16,
        choices=[(code, kind.label) for code, kind in education.SCHOOL_KINDS.items()],
    )
    school = models.CharField(_("school"), max_length=80)
    school_code = models.CharField(max_length=10, editable=False)
    school_note = models.CharField(_("note on the school"), max_length=80, blank=True)
    major = models.CharField(_("major"), max_length=60)
    # Kept as the first day of the month.
    graduated = models.DateField(_("month of graduation"), validators=[check_held])
    certificate_kind = models.CharField(
        _("kind of certificate"),
        max_length=16,
        choices=[(code, kind.label) for code, kind in education.CERTIFICATE_KINDS.items()],
    )
    certificate_number = models.CharField(_("certificate number"), max_length=40)
    certification_number = models.CharField(_("certification number"), max_length=40, blank=True)
    created_at = models.DateTimeField()
    # An account that is deleted takes all of them along (R07).
    supersedes = models.OneToOneField("self", models.CASCADE, null=True, blank=True, related_name="superseded_by")
    superseded_at = models.DateTimeField(null=True, blank=True)
    verification = models.CharField(
        _("verification"), max_length=16, choices=Verification, default=Verification.UNVERIFIED
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    ask_at = models.DateTimeField(null=True, blank=True)

    objects = EducationRecords.as_manager()

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                name="education_position_once", fields=["candidate", "position"], condition=Q(superseded_at=None)
            ),
            models.CheckConstraint(
                name="education_at_most_five", condition=Q(position__gte=1, position__lte=MOST_STANDING)
            ),
            models.CheckConstraint(name="education_month", condition=Q(graduated__day=1)),
            models.CheckConstraint(
                name="education_recognised",
                condition=Q(school_kind="", certificate_kind="")
                | Q(
                    school_kind__in=education.RECOGNISED_SCHOOL_KINDS,
                    certificate_kind__in=education.RECOGNISED_CERTIFICATE_KINDS,
                ),
            ),
            models.CheckConstraint(
                name="education_certified",
                condition=~Q(school_kind__in=education.CERTIFIED_SCHOOL_KINDS) | ~Q(certification_number=""),
            ),
            models.CheckConstraint(
                name="education_degree_named", condition=~Q(certificate_kind="degree", degree="none")
            ),
            models.CheckConstraint(
                name="education_degree_fits",
                condition=Q(school_kind="") | Q(degree="none") | ~Q(qualification__in=education.WITHOUT_DEGREE),
            ),
            models.CheckConstraint(
                name="education_secondary", condition=~Q(school_kind="secondary") | Q(qualification="secondary")
            ),
            models.CheckConstraint(
                name="education_other_school_noted", condition=~Q(school_code=schools.OTHER, school_note="")
            ),
            models.CheckConstraint(
                name="education_verification_known",
                condition=Q(verification="unverified", verified_at=None)
                | Q(verification__in=["passed", "failed"], verified_at__isnull=False),
            ),
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
            ),
            pgtrigger.Trigger(
                name="education_is_never_emptied",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'pgtrigger: saved education records are never deleted';",
            ),
            pgtrigger.ReadOnly(
                name="education_is_never_altered", exclude=["superseded_at", "verification", "verified_at", "ask_at"]
            ),
            pgtrigger.Protect(
                name="education_superseded_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(
                    old__superseded_at__isnull=False, old__superseded_at__df=pgtrigger.F("new__superseded_at")
                ),
            ),
            # Else a correction that never stood could take a record's place.
            pgtrigger.Protect(
                name="education_begins_standing",
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__superseded_at__isnull=False),
            ),
            # A record must say what is asked for today; those of earlier days stay.
            pgtrigger.Protect(
                name="education_says_all", operation=pgtrigger.Insert, condition=pgtrigger.Q(new__school_kind="")
            ),
            pgtrigger.Trigger(
                name="education_supersedes_its_own",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__supersedes__isnull=False),
                func="""
                    IF NOT EXISTS (
                        SELECT FROM accounts_educationrecord WHERE id = NEW.supersedes_id
                            AND candidate_id = NEW.candidate_id AND position = NEW.position
                            AND superseded_at IS NOT NULL
                    ) THEN
                        RAISE EXCEPTION 'pgtrigger: a correction takes the place of a record of the same candidate';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # At the end of the transaction: nothing is done away with by marking it.
            pgtrigger.Trigger(
                name="education_superseded_by_one",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Q(old__superseded_at__isnull=True, new__superseded_at__isnull=False),
                func="""
                    IF NOT EXISTS (SELECT FROM accounts_educationrecord WHERE supersedes_id = NEW.id) THEN
                        RAISE EXCEPTION 'pgtrigger: a record is superseded by a corrected one';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]
        indexes = [
            models.Index(
                name="education_to_verify",
                fields=["ask_at"],
                condition=Q(ask_at__isnull=False, superseded_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.school} {self.major}"

    @property
    def content(self) -> dict[str, Any]:
        """What the candidate entered, by field."""
        return {name: getattr(self, name) for name in self.CONTENT}

    @property
    def complete(self) -> bool:
        """Whether it has all that is asked for today."""
        return bool(self.school_kind)
