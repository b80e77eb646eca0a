"""What a candidate may practise as, and since when."""

from django.db import models
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts import credentials
from accounts.credentials import CREDENTIAL_KINDS, WITH_CATEGORY, PracticeCategory
from accounts.models.profile import check_held
from accounts.models.users import Candidate


class Credential(models.Model):
    """A practice registration, the residency certificate or a title; one of each kind a candidate.

    `since` is the month from which years count (R20, R22), kept as its first day: of the first registration, of the
    certificate's signature, or in which the title was obtained. Unlike education it is corrected in place.
    """

    candidate = models.ForeignKey(Candidate, models.CASCADE, related_name="credentials")
    kind = models.CharField(
        _("kind"), max_length=40, choices=[(code, kind.label) for code, kind in CREDENTIAL_KINDS.items()]
    )
    category = models.CharField(_("practice category"), max_length=16, choices=PracticeCategory, blank=True)
    since = models.DateField(_("month"), validators=[check_held])

    class Meta:
        ordering = ["since", "kind"]
        constraints = [
            models.UniqueConstraint(name="credential_one_of_a_kind", fields=["candidate", "kind"]),
            models.CheckConstraint(name="credential_kind_known", condition=Q(kind__in=list(CREDENTIAL_KINDS))),
            models.CheckConstraint(
                name="credential_category",
                condition=Q(kind__in=WITH_CATEGORY, category__in=PracticeCategory.values)
                | (~Q(kind__in=WITH_CATEGORY) & Q(category="")),
            ),
            models.CheckConstraint(name="credential_month", condition=Q(since__day=1)),
        ]

    def __str__(self) -> str:
        return self.kind

    @property
    def month_label(self) -> str | Promise:
        """What its month is called."""
        return credentials.month_label(self.kind)
