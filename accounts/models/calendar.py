"""The link by which a candidate's own deadlines are subscribed to."""

from django.db import models

from accounts.models.users import Candidate
from exam_portal import clock
from exam_portal.kit.fields import EncryptedTextField


class CalendarLink(models.Model):
    """A candidate's private link: whoever has it reads the deadlines, until it is made anew or taken away.

    `token` is 256 random bits, encrypted; it is found by `digest`, its SHA-256, from which nobody guesses it, so that a
    copy of the table gives no link away. `language` is the one in which the link was made.
    """

    candidate = models.OneToOneField(Candidate, models.CASCADE, related_name="calendar_link")
    token = EncryptedTextField()
    digest = models.CharField(max_length=64, unique=True)
    language = models.CharField(max_length=8)
    made_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"calendar of {self.candidate_id}"
