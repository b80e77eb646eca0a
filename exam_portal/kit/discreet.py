"""What logs and reports of exceptions may tell: where something went wrong, never what a person typed.

Django's own report lists the request, the settings and the variables of every frame, of which only those count as
secret that somebody has marked. Ours leaves them all out.
"""

import logging
import re
from types import FrameType, TracebackType
from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

_NUMBER = re.compile(r"(?<![0-9])([0-9]{4})[0-9]{13}([0-9Xx])(?![0-9])")


def without_numbers(text: str) -> str:
    """The text with every ID number of 18 characters masked, as far as messages of exceptions may hold one."""
    return _NUMBER.sub(r"\1*************\2", text)


class LineFormatter(logging.Formatter):
    """A line of the log; no ID number in it, nor in the traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        return without_numbers(super().format(record))


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
