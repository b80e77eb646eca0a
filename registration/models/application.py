"""Applications and their submissions."""

from datetime import datetime

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import Candidate, Channel, Point, Site
from exam_portal import clock
from exam_portal.kit.fields import EncryptedTextField
from exam_portal.kit.rotation import ROTATING
from registration.lifecycle import BY_NAME, MOST_VERSIONS, NEVER_SUBMITTED, State, guard_sql
from registration.models.exam import Exam, ExamRegion, Specialty


class Application(models.Model):
    """A candidate's application for an exam: one for each exam (R31), a live draft until it is submitted.

    `number` is the application's own, in every form code; `version` counts the submissions and never goes back (R09,
    R24). What was submitted is in the submissions, never here.
    """

    candidate = models.ForeignKey(Candidate, models.PROTECT, related_name="applications")
    exam = models.ForeignKey(Exam, models.PROTECT, related_name="applications")
    number = models.CharField(max_length=16, unique=True)
    state = models.CharField(max_length=24, choices=State, default=State.DRAFT)
    version = models.PositiveSmallIntegerField(default=0)
    channel = models.CharField(max_length=8, choices=Channel)
    pledged_at = models.DateTimeField(_("declarations accepted"), null=True, blank=True)
    exam_region = models.ForeignKey(ExamRegion, models.PROTECT, null=True, blank=True, related_name="applications")
    point = models.ForeignKey(Point, models.PROTECT, null=True, blank=True, related_name="applications")
    site = models.ForeignKey(Site, models.PROTECT, null=True, blank=True, related_name="applications")
    specialty = models.ForeignKey(Specialty, models.PROTECT, null=True, blank=True, related_name="applications")
    subjects = ArrayField(models.CharField(max_length=8), default=list, blank=True)
    # SHA-256 of the photo that was confirmed; another one since is to be confirmed anew.
    photo_digest = models.CharField(max_length=64, blank=True)
    last_transition = models.CharField(max_length=32, blank=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["candidate", "exam"], name="one_application_per_candidate_and_exam"),
            models.CheckConstraint(name="application_state_known", condition=Q(state__in=State.values)),
            models.CheckConstraint(name="application_versions", condition=Q(version__lte=MOST_VERSIONS)),
            models.CheckConstraint(name="application_channel_known", condition=Q(channel__in=Channel.values)),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="lifecycle_guard",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("state"),
                func=guard_sql(),
            ),
            pgtrigger.Protect(name="application_is_kept", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="version_never_goes_back",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__version__lt=pgtrigger.F("old__version")),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def current_submission(self) -> "Submission | None":
        """The submission that stands, or None while nothing does (never submitted, or withdrawn)."""
        if self.state == State.DRAFT:
            return None
        return self.submissions.filter(version=self.version).first()

    def status_at(self, at: datetime) -> str | Promise:
        """What the candidate reads as the state of things at `at`: it hangs on the last transition (R12, R15)."""
        if self.state == State.DRAFT and at >= self.exam.closes_at:
            return NEVER_SUBMITTED
        return BY_NAME[self.last_transition].reads if self.last_transition else State(self.state).label

    @property
    def was_withdrawn(self) -> bool:
        """Withdrawn and not submitted again: the most urgent thing to do (R09)."""
        return self.state == State.DRAFT and self.version > 0


class Submission(models.Model):
    """What was submitted, as it was: form, confirmation, comparison and review refer to it. Never changed.

    `content` is the snapshot (registration.services.snapshot tells its shape) and `digest` its SHA-256; the ID number
    stands in it as a keyed digest and beside it encrypted. `form_code` is the code on the printed form, which ends in
    the two version digits (R24).
    """

    application = models.ForeignKey(Application, models.PROTECT, related_name="submissions")
    version = models.PositiveSmallIntegerField()
    form_code = models.CharField(max_length=20, unique=True)
    content = models.JSONField()
    id_number = EncryptedTextField()
    digest = models.CharField(max_length=64)
    channel = models.CharField(max_length=8, choices=Channel)
    submitted_at = models.DateTimeField()

    class Meta:
        ordering = ["application", "version"]
        constraints = [
            models.UniqueConstraint(fields=["application", "version"], name="submission_version_once"),
            models.CheckConstraint(name="submission_versions", condition=Q(version__gte=1, version__lte=MOST_VERSIONS)),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="submission_is_kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                # Rotating keys encrypts the number anew, and touches nothing else.
                func=f"""
                    IF TG_OP = 'UPDATE' AND {ROTATING}
                        AND to_jsonb(NEW) - 'id_number' = to_jsonb(OLD) - 'id_number'
                    THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'pgtrigger: a submission is never changed nor deleted';
                """,
            ),
        ]

    def __str__(self) -> str:
        return self.form_code
