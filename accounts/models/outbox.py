"""Messages to candidates, and bringing each by the carriers that a candidate has (R17)."""

from django.db import models
from django.db.models import Q
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _

from accounts.models.users import Candidate
from exam_portal.kit.next_steps import TODOS, NextStep


class Message(models.Model):
    """What a candidate is told; it stands in the inbox from the moment of the change that it tells of.

    (kind, object, version) makes it unique. Its text is made when it is read or sent; `facts` holds what the text needs
    (codes, times), never personal data. One of the kind `TODO` tells of something to do, named by `todo` and `about` in
    its facts; what is said of it is as it is when it is read or sent (accounts.next_steps.told_of).
    """

    TODO = "todo"

    candidate = models.ForeignKey(Candidate, models.CASCADE, related_name="messages")
    kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=120)
    version = models.PositiveIntegerField()
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "object_id", "version"], name="message_once"),
        ]
        indexes = [models.Index(fields=["candidate", "-created_at"], name="message_inbox")]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id} v{self.version}"

    @property
    def text(self) -> str:
        """What the candidate reads, in the language of the moment (templates/messages, one file a kind)."""
        return self.written()

    def written(self, step: NextStep | None = None) -> str:
        """The same; `step` is what a to-do asks for now, None when it is done or past."""
        todo = TODOS.get(self.facts.get("todo", ""))
        return render_to_string(f"messages/{self.kind}.txt", {**self.facts, "todo": todo, "step": step}).strip()

    @property
    def key(self) -> str:
        """By which the same message is known again elsewhere: at most 32 characters, of the row alone."""
        return f"m{self.pk}"

    def parts(self, step: NextStep | None = None) -> tuple[str, str]:
        """Title and body of the text; `step` as `written` has it."""
        title, _gap, body = self.written(step).partition("\n\n")
        return title.strip(), body.strip()


class Carrier(models.TextChoices):
    """Ways outside the portal; the inbox needs none of them."""

    WECHAT = "wechat", _("WeChat")
    EMAIL = "email", _("E-mail")
    SMS = "sms", _("SMS")


class Delivery(models.Model):
    """Bringing one message by one carrier.

    Attributes:
        due_at: not before this moment; moved on by quiet hours, failures and pauses of the carrier.
        rung_at: when the workers were told of it last.
        taken_at: when a worker began to send it; long ago means that the worker died.
        tries: how often it was begun.
        outcome: what the carrier said last, in a few words; no personal data.
        remote_id: the carrier's own number of it.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("queued")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        DEAD = "dead", _("dead")

    WAITING = (State.QUEUED, State.FAILED)

    message = models.ForeignKey(Message, models.CASCADE, related_name="deliveries")
    carrier = models.CharField(max_length=8, choices=Carrier)
    state = models.CharField(max_length=8, choices=State, default=State.QUEUED)
    due_at = models.DateTimeField()
    rung_at = models.DateTimeField(null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=200, blank=True)
    remote_id = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "carrier"], name="delivery_once"),
            models.CheckConstraint(
                name="delivery_state_known", condition=Q(state__in=["queued", "sending", "sent", "failed", "dead"])
            ),
            models.CheckConstraint(
                name="delivery_taken_while_sending", condition=~Q(state="sending") | Q(taken_at__isnull=False)
            ),
            models.CheckConstraint(name="delivery_sent_at", condition=~Q(state="sent") | Q(sent_at__isnull=False)),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="delivery_waiting", condition=~Q(state__in=["sent", "dead"])),
            models.Index(fields=["carrier", "remote_id"], name="delivery_by_remote", condition=~Q(remote_id="")),
        ]

    def __str__(self) -> str:
        return f"{self.message_id} by {self.carrier}"


class CarrierPause(models.Model):
    """A carrier that is not used until a moment, because it said that nothing would go through."""

    carrier = models.CharField(max_length=8, choices=Carrier, primary_key=True)
    until = models.DateTimeField()
    why = models.CharField(max_length=200)

    def __str__(self) -> str:
        return f"{self.carrier} until {self.until}"
