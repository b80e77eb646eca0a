"""Middleware of the portal."""

from collections.abc import Callable
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.template import loader
from django.utils import translation

from exam_portal import clock

GetResponse = Callable[[HttpRequest], HttpResponse]


class ArrivalMiddleware:
    """Notes when the request reached the server: what counts for every window (R01). First in the list."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        clock.note_arrival(request)
        return self.get_response(request)


class ReadableMiddleware:
    """Refuses what no browser sends here: forms in any encoding but UTF-8, which Django's error pages stumble over, and
    addresses or cookies with a NUL, which PostgreSQL stumbles over.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        charset = (request.content_params or {}).get("charset", "utf-8")
        values = (request.path_info, unquote(request.META["QUERY_STRING"]), *request.COOKIES.values())
        if charset.lower().replace("_", "-") not in {"utf-8", "utf8"} or any("\0" in value for value in values):
            return HttpResponse(loader.render_to_string("400.html"), status=400)
        return self.get_response(request)


class ChosenLanguageMiddleware(LocaleMiddleware):
    """Simplified Chinese, unless the person has chosen another language here.

    What the browser prefers does not count: a telephone set up in English would show official words in translation.
    """

    def process_request(self, request: HttpRequest) -> None:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        language = chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
        translation.activate(language)
        request.LANGUAGE_CODE = translation.get_language()


class PrivatePagesMiddleware:
    """Pages of a signed-in person are kept by no cache: several people share one computer."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.user.is_authenticated and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        return response
