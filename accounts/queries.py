"""Reads of the accounts app."""

from django.db.models import QuerySet

from accounts.models import Candidate, Message, Region


def inbox(candidate: Candidate) -> QuerySet[Message]:
    """Messages that reached the candidate's inbox, newest first."""
    return candidate.messages.filter(state=Message.State.SENT)


def regions() -> QuerySet[Region]:
    """All exam regions by code."""
    return Region.objects.all()
