"""What logs and reports of exceptions may tell: where something went wrong, never what a person typed.

Django's own report lists the request, the settings and the variables of every frame, of which only those count as
secret that somebody has marked. Ours leaves them all out.
"""

import logging
import re
import unicodedata
from types import FrameType, TracebackType
from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

# Between the characters of a number that is typed in groups; a colon is no such thing, but part of a time of day.
_GAP = r"(?:[^\w:\n]|_){0,2}"
_DIGIT = "[0-9]"
_BIRTH = ["[12]", "[09]", _DIGIT, _DIGIT, "[01]", _DIGIT, "[0-3]", _DIGIT]
_ALONE = r"(?<![0-9A-Z])(?P<number>{})(?![0-9A-Z])"
_NUMBERS = [
    re.compile(pattern)
    for pattern in (
        # Of 18 characters, and the 15 digits of older cards; in groups by the day of birth within.
        r"(?<![0-9])(?P<number>[0-9]{15}|[0-9]{17}[0-9X])(?![0-9])",
        rf"(?<![0-9])(?P<number>{_GAP.join([_DIGIT] * 6 + _BIRTH + [_DIGIT] * 3 + ['[0-9X]'])})(?![0-9])",
        # Older cards of foreigners; travel permits for Hong Kong and Macau; passports as most are, of nine characters.
        _ALONE.format(_GAP.join(["[A-Z]"] * 3 + [_DIGIT] * 12)),
        _ALONE.format(r"[HM][0-9]{10}|[A-Z][0-9A-Z][0-9]{7}"),
        # What is as short as a telephone number or a day is told by the word before it alone.
        r"(?:证件?|护照|字第?|军)(?:号码?)?[是为]?[^\w\n]{0,3}(?P<number>[A-Z]{0,3}[0-9][0-9A-Z]{4,9})(?![0-9A-Z])",
    )
]


def without_numbers(text: str) -> str:
    """The text with every ID number masked, however it is typed, as far as one can be told from other numbers.

    Told are the types of `accounts.identity` by their form; bare digits that could be a telephone number or a day (of
    Taiwan's travel permits, officers' cards and a few passports) only where a word before them says what they are.
    """
    plain, shown = _plain(text), list(text)
    for pattern in _NUMBERS:
        for found in pattern.finditer(plain):
            places = [place for place in range(*found.span("number")) if plain[place].isalnum()]
            for place in places[4 if len(places) >= 12 else 2 : -1]:
                shown[place] = "*"
    return "".join(shown)


# The address of somebody's calendar, which whoever knows it can read (accounts.models.CalendarLink).
_CALENDAR = re.compile(r"(/calendar/)[^/\s?\"']+?([.]ics)")


def without_secrets(text: str) -> str:
    """The text of a log without ID numbers, and without what opens somebody's calendar."""
    return _CALENDAR.sub(r"\1…\2", without_numbers(text))


def _plain(text: str) -> str:
    """The text in capitals, half-width and with any script's digits as 0-9, character by character."""

    def plain(character: str) -> str:
        simple = str(unicodedata.decimal(character, unicodedata.normalize("NFKC", character).upper()))
        return simple if len(simple) == 1 else character

    return text.upper() if text.isascii() else "".join(map(plain, text))


class LineFormatter(logging.Formatter):
    """A line of the log; no ID number or address of a calendar in it, nor in the traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


class Filter(SafeExceptionReporterFilter):
    """Shows no setting and no variable."""

    def get_safe_settings(self) -> dict[str, Any]:
        return {}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> Any:
        return {}.items()


class Reporter(ExceptionReporter):
    """Shows the traceback, without the request."""

    def __init__(
        self,
        request: HttpRequest | None,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        tb: TracebackType | None,
        is_email: bool = False,
    ) -> None:
        super().__init__(None, exc_type, exc_value, tb, is_email=is_email)

    def get_traceback_data(self) -> dict[str, Any]:
        data: dict[str, Any] = dict(super().get_traceback_data())
        told = {name: without_numbers(data[name]) for name in ("exception_value", "exception_notes") if name in data}
        return data | {"unicode_hint": ""} | told
