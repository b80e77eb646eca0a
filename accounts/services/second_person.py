"""Two persons: what somebody began somebody else decides, and not by an account that the same person may sign in to.

Asked where an identity (R07) and where an open exam year is changed (R28). Whoever gave an account its role, a link to
set its password or a new second step may have chosen who signs in to it. So who received is no second person after who
gave; and where an identity is at stake, who gave is none after who received, nor are two whom one and the same person
gave a way in anew. An exam year is also decided by those who gave out the accounts of who proposes: the nation oversees
the administrators whom it appoints.
"""

from django.utils.translation import gettext_lazy as _

from accounts import queries
from accounts.actors import Actor
from exam_portal.kit.errors import Refused

WHO_MAY = _(
    "A second person decides: not who did the first part, nor anybody to whom they ever gave a role or a link to set a "
    "password."
)
WHO_MAY_APART = _(
    "A second person decides: not who did the first part, nor anybody who ever gave them, or got from them, a role or "
    "a link to set a password."
)


def is_second_person(actor: Actor, *, first: int | None, apart: bool = False) -> bool:
    """Whether the actor may decide what the account `first` began.

    `apart`: neither did the actor give out that account, nor did one and the same person open both accounts anew.
    """
    if first in queries.first_persons(actor):
        return False
    if not apart or first is None:
        return True
    number = int(actor.id)
    return number not in queries.givers_of(first) and not queries.takers_of(first) & queries.takers_of(number)


def check_second_person(actor: Actor, *, first: int | None, apart: bool = False) -> None:
    """Refuse whoever is no second person after the account `first`.

    Raises:
        Refused: code `same_person`.
    """
    if not is_second_person(actor, first=first, apart=apart):
        raise Refused(WHO_MAY_APART if apart else WHO_MAY, code="same_person")
