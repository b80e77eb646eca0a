"""What the apps say together."""

from datetime import datetime

from accounts.models import Candidate
from exam_portal.kit import hooks
from exam_portal.kit.next_steps import NextStep


def next_step(*, candidate: Candidate, at: datetime) -> NextStep | None:
    """The one thing the candidate does next: the first that an app names, in the order of `NEXT_STEPS`."""
    steps = (hook(candidate=candidate, at=at) for hook in hooks.load("NEXT_STEPS"))
    return next((step for step in steps if step), None)
