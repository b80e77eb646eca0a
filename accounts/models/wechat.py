"""The WeChat of a candidate (R08)."""

from django.db import models

from accounts.models.users import Candidate


class WeChatBinding(models.Model):
    """One WeChat belongs to one candidate at a time; `following` is the last known state of following us."""

    candidate = models.OneToOneField(Candidate, models.CASCADE, related_name="wechat")
    unionid = models.CharField(max_length=64, unique=True)
    following = models.BooleanField()
    bound_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"WeChat of candidate {self.candidate_id}"
