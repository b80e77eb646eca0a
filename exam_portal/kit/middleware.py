"""Middleware of the portal."""

from collections.abc import Callable
from datetime import datetime

from django.http import HttpRequest, HttpResponse

from exam_portal import clock

GetResponse = Callable[[HttpRequest], HttpResponse]


class PortalRequest(HttpRequest):
    """A request as the views see it."""

    arrived_at: datetime


class ArrivalMiddleware:
    """Notes when the request reached the server: what counts for every window (R01). First in the list."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.arrived_at = clock.now()  # type: ignore[attr-defined]
        return self.get_response(request)


class PrivatePagesMiddleware:
    """Pages of a signed-in person are kept by no cache: several people share one computer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        return response
