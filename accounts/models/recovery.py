"""How somebody who forgot the password gets in again (R05, R06)."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.users import Candidate
from exam_portal.kit.fields import EncryptedTextField


class Question(models.TextChoices):
    """The recovery questions; kept as codes and shown in the reader's language."""

    SCHOOL = "school", _("What was the name of your first school?")
    MOTHER = "mother", _("What was your mother's maiden name?")
    TEACHER = "teacher", _("What was the name of your first teacher?")
    TOWN = "town", _("In which town did your parents meet?")
    FRIEND = "friend", _("What was the name of your childhood friend?")


class RecoveryQuestion(models.Model):
    """The question that proves who forgot a password (R05, R06); its answer is normalised and hashed like one."""

    candidate = models.OneToOneField(Candidate, models.CASCADE, related_name="recovery_question")
    question = models.CharField(_("recovery question"), max_length=8, choices=Question)
    answer_hash = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.CheckConstraint(name="recovery_question_known", condition=Q(question__in=Question.values)),
        ]

    def __str__(self) -> str:
        return self.get_question_display()


class RecoveryAttempts(models.Model):
    """How often one way of recovery was tried for one name, also for a name that nobody has: both cost the same.

    `key` is the keyed digest over the way and the name. `tries` counts since `since`, `wrong` all wrong answers, `told`
    how many of those the candidate was told of. Rows of the day before are swept away.
    """

    key = models.CharField(max_length=64, unique=True)
    candidate = models.ForeignKey(Candidate, models.CASCADE, null=True, related_name="recovery_attempts")
    tries = models.PositiveSmallIntegerField(default=0)
    since = models.DateTimeField()
    wrong = models.PositiveIntegerField(default=0)
    told = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["since"], name="recovery_attempts_since")]

    def __str__(self) -> str:
        return f"{self.tries} since {self.since}"


class EmailCode(models.Model):
    """A code sent by e-mail: to prove an address, or to recover an account. No address: nobody to send it to.

    It is sent by the worker, so that writing the row is all that a request does for a known and for an unknown account.
    `created_at` and `sent_at` are real time, not the portal's.
    """

    class Purpose(models.TextChoices):
        VERIFY = "verify", _("verify an address")
        RECOVER = "recover", _("recover an account")

    VALID = timedelta(minutes=15)

    candidate = models.ForeignKey(Candidate, models.CASCADE, null=True, related_name="email_codes")
    purpose = models.CharField(max_length=8, choices=Purpose)
    address = EncryptedTextField(blank=True)
    code = EncryptedTextField()
    language = models.CharField(max_length=8)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    used = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(name="email_code_purpose_known", condition=Q(purpose__in=["verify", "recover"])),
        ]
        indexes = [models.Index(fields=["created_at"], name="email_code_created")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.pk}"
