"""The outbox: what is to be told to whom, written in the transaction of the change it tells of."""

from django.db import models
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from accounts.models.users import Candidate


class Message(models.Model):
    """A message to a candidate. `(kind, object_id, version)` makes it unique; its text is made when it is read or sent.

    `facts` holds what the text needs (codes, times), never personal data.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        DEAD = "dead", _("dead")

    candidate = models.ForeignKey(Candidate, models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    facts = models.JSONField(default=dict)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "object_id", "version"], name="message_once"),
            models.CheckConstraint(
                name="message_state_known",
                condition=Q(state__in=["queued", "sending", "sent", "failed", "dead"]),
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                name="message_waiting",
                condition=~Q(state__in=["sent", "dead"]),
            ),
            models.Index(fields=["candidate", "-created_at"], name="message_inbox"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} v{self.version}"

    @property
    def text(self) -> str:
        """What the candidate reads, in the language of the moment (templates/messages, one file a kind)."""
        return render_to_string(f"messages/{self.kind}.txt", self.facts).strip()
