"""Two persons: what somebody began somebody else decides, and not by an account that the first may have signed in to.

Asked where an identity (R07) and where an open exam year is changed (R28).
"""

from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import LedgerEvent
from exam_portal.kit.errors import Refused

WHO_MAY = _(
    "A second person decides: not who did the first part, nor anybody to whom they ever gave a role or a link to set a "
    "password."
)
# Whoever did this for an account has chosen who signs in to it.
_GIVEN = ("staff.added", "password.link_made")


def first_persons(actor: Actor) -> set[int]:
    """The accounts after whom this one is no second person: itself, and those who gave it a role or a link."""
    given = LedgerEvent.objects.filter(stream="staff", stream_id=actor.id, action__in=_GIVEN, actor_kind="staff")
    return {int(number) for number in (actor.id, *given.values_list("actor_id", flat=True))}


def is_second_person(actor: Actor, *, first: int | None) -> bool:
    """Whether the actor may decide what the account `first` began."""
    return first not in first_persons(actor)


def check_second_person(actor: Actor, *, first: int | None) -> None:
    """Refuse whoever is no second person after the account `first`.

    Raises:
        Refused: code `same_person`.
    """
    if not is_second_person(actor, first=first):
        raise Refused(WHO_MAY, code="same_person")
