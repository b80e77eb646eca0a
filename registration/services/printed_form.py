"""The printed application form."""

from registration.models import Submission


def render(submission: Submission) -> bytes:
    """The application form of a submission, as PDF."""
    raise NotImplementedError
