"""People's WeChats, as far as WeChat has told the portal of them (R08)."""

from django.db import models
from django.db.models import F, Q

from accounts.models.users import Candidate


class WeChatUser(models.Model):
    """One person's WeChat: known since it was bound, or since it followed the official account.

    Attributes:
        unionid: the same for website and official account; None until WeChat has told it.
        openid: at the official account, to which messages go; None until it is known.
        following: the last known state of following the official account.
        turned_at: by WeChat's clock, when that state began; None while nobody has told of following or of its end.
        told_at: by WeChat's clock, the newest that it told of following; what is older than this is no news.
        checked_at: when WeChat was last asked for the state, whether or not it answered.
        candidate: whose it is; one candidate has one WeChat, and one WeChat belongs to one candidate.
    """

    unionid = models.CharField(max_length=64, unique=True, null=True, blank=True)
    openid = models.CharField(max_length=64, unique=True, null=True, blank=True)
    following = models.BooleanField(default=False)
    turned_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    candidate = models.OneToOneField(Candidate, models.CASCADE, null=True, blank=True, related_name="wechat")
    nickname = models.CharField(max_length=64, blank=True)
    bound_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="wechat_bound_by_unionid",
                condition=Q(candidate=None, bound_at=None)
                | Q(candidate__isnull=False, bound_at__isnull=False, unionid__isnull=False),
            ),
            models.CheckConstraint(
                name="wechat_known_by_something", condition=Q(unionid__isnull=False) | Q(openid__isnull=False)
            ),
        ]
        indexes = [
            # Whose state is to be asked for, and who is not known yet, the longest unasked first.
            models.Index(
                F("checked_at").asc(nulls_first=True), name="wechat_unasked", condition=Q(openid__isnull=False)
            ),
            models.Index(
                F("checked_at").asc(nulls_first=True),
                name="wechat_unknown",
                condition=Q(unionid__isnull=True, following=True),
            ),
        ]

    def __str__(self) -> str:
        return f"WeChat {self.pk}"


class WeChatEvent(models.Model):
    """An event of WeChat that was taken, so that the same one is taken once."""

    key = models.CharField(max_length=160, unique=True)
    at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key


class WeChatEventCount(models.Model):
    """How many events of a day were taken, came again, or were refused as forged or stale."""

    class Outcome(models.TextChoices):
        TAKEN = "taken"
        AGAIN = "again"
        FORGED = "forged"
        STALE = "stale"

    day = models.DateField()
    outcome = models.CharField(max_length=8, choices=Outcome)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "outcome"], name="wechat_event_count_once")]

    def __str__(self) -> str:
        return f"{self.day} {self.outcome}: {self.count}"
