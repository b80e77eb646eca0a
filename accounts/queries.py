"""Reads of the accounts app."""

from django.db.models import QuerySet

from accounts.models import Candidate, Message, Region, User


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
