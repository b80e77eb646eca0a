"""Holding a candidate's row while something of the account is written."""

from django.utils.translation import gettext_lazy as _

from accounts.models import Candidate
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked


def hold(candidate: Candidate) -> Candidate:
    """The candidate as the row says now, kept from being changed by others until the transaction ends.

    Raises:
        Refused: code `deleted`; the account was deleted meanwhile (R07).
    """
    held = locked(Candidate.objects.filter(pk=candidate.pk)).get()
    if held.deleted_at is not None:
        raise Refused(_("This account has been deleted."), code="deleted")
    return held
