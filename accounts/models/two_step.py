"""Two-step verification of staff: what the portal itself remembers beside django-allauth's authenticators."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.users import User


class SecondStep(models.Model):
    """How somebody's codes were used: the row that is locked while one is checked.

    `last_code` is the number of the 30 seconds whose code was accepted last: neither it nor an earlier one is again.
    `wrong` counts wrong codes since `since`, which is real time, as codes are.
    """

    user = models.OneToOneField(User, models.PROTECT, related_name="second_step", verbose_name=_("account"))
    last_code = models.BigIntegerField(default=0)
    wrong = models.PositiveSmallIntegerField(default=0)
    since = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.wrong} since {self.since}"
