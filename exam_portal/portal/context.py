"""What stands on every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts import queries
from accounts.next_steps import next_step
from exam_portal import clock
from exam_portal.kit.kept import owner_mark


def portal(request: HttpRequest) -> dict[str, Any]:
    """What every template can use.

    `now` is the server's time in Beijing, `portal_env` the environment; for a signed-in candidate `unread` counts the
    unread messages, `guide` is the next step, looked up only where a page shows it, and `owner_mark` goes into forms.
    """
    user = getattr(request, "user", None)  # not there yet where a page says that the request itself is refused
    candidate = queries.candidate_of(user) if user and user.is_authenticated else None
    at = clock.arrival(request)
    return {
        "now": at,
        "portal_env": settings.PORTAL_ENV,
        "unread": queries.inbox(candidate).filter(read_at=None).count() if candidate else 0,
        "owner_mark": SimpleLazyObject(lambda: owner_mark(request)) if candidate else "",
        "guide": SimpleLazyObject(lambda: next_step(candidate=candidate, at=at)) if candidate else None,
    }
