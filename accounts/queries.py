"""Reads of the accounts app."""

from django.db.models import QuerySet, TextField, Value

from accounts import identity
from accounts.models import Candidate, Message, Region, User
from accounts.models.users import NameKey


def inbox(candidate: Candidate) -> QuerySet[Message]:
    """Messages that reached the candidate's inbox, newest first."""
    return candidate.messages.filter(state=Message.State.SENT)


def regions() -> QuerySet[Region]:
    """All exam regions by code."""
    return Region.objects.all()


def candidate_of(user: User) -> Candidate | None:
    """The candidate who signed in as `user`, with basic information and WeChat, fetched once; None for staff."""
    if user.kind != User.Kind.CANDIDATE:
        return None
    if not User.candidate.is_cached(user):
        candidate = Candidate.objects.select_related("basic_information", "wechat").get(user=user)
        user.candidate = candidate
    return user.candidate


def candidates_named(typed: str, *, beginning: bool = False) -> QuerySet[Candidate]:
    """Candidates of this name, or whose name begins so, by name and key; nobody for an empty name (R30).

    Dots of all kinds are the same, so are the code points of one character in its compatibility forms, and case.
    """
    name = identity.normalise_name(typed)
    if not name or "\0" in name:
        return Candidate.objects.none()
    key = NameKey(Value(name, output_field=TextField()))
    named = Candidate.objects.alias(key=NameKey("name"))
    named = named.filter(key__startswith=key) if beginning else named.filter(key=key)
    return named.order_by("name", "pk")
