"""Middleware of the portal."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from exam_portal import clock

GetResponse = Callable[[HttpRequest], HttpResponse]


class ArrivalMiddleware:
    """Notes when the request reached the server: what counts for every window (R01). First in the list."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        clock.note_arrival(request)
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
