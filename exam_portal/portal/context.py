"""What stands on every page."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from accounts import queries
from exam_portal import clock


def portal(request: HttpRequest) -> dict[str, Any]:
    """`now` (the server's time, Beijing), `portal_env`, and `unread`: the unread messages of a signed-in candidate."""
    user = request.user
    candidate = user.candidate if user.is_authenticated and user.kind == "candidate" else None
    return {
        "now": clock.arrival(request),
        "portal_env": settings.PORTAL_ENV,
        "unread": queries.inbox(candidate).filter(read_at=None).count() if candidate else 0,
    }
