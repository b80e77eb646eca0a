"""The one clock of the portal.

Every deadline, ledger event and page reads the time here, never from `timezone.now()` or the database. Outside
production the clock may be shifted by `PORTAL_CLOCK_OFFSET` seconds, so that the windows of a past exam year can be
walked through; production refuses to start with an offset. Sessions, tokens and one-time codes stay on real time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest

BEIJING = ZoneInfo("Asia/Shanghai")

_test_shift: timedelta | None = None


def _offset() -> timedelta:
    return timedelta(seconds=settings.PORTAL_CLOCK_OFFSET) if _test_shift is None else _test_shift


def now() -> datetime:
    """The portal's present moment, aware, in Beijing time (R: all times are Beijing time)."""
    return datetime.now(UTC).astimezone(BEIJING) + _offset()


def as_shown(real: datetime) -> datetime:
    """A moment of real time, such as the beginning of a session, as the portal's clock showed it."""
    return real.astimezone(BEIJING) + _offset()


def as_real(shown: datetime) -> datetime:
    """The reverse: the moment of real time at which the portal's clock shows this one."""
    return shown - _offset()


def today() -> date:
    """The portal's present date in Beijing."""
    return now().date()


def note_arrival(request: HttpRequest) -> None:
    """Note that a request has just reached the server."""
    request.arrived_at = now()  # type: ignore[attr-defined]


def arrival(request: HttpRequest) -> datetime:
    """When a request reached the server: what counts for every window (R01)."""
    return request.arrived_at  # type: ignore[attr-defined]


@contextmanager
def shifted_to(moment: datetime) -> Iterator[None]:
    """Let the clock of this process go on from `moment`; for tests and for making demo people of earlier years.

    Raises:
        RuntimeError: in production, whose clock is never shifted.
    """
    global _test_shift
    if settings.PORTAL_ENV == "production":
        raise RuntimeError("The clock is never shifted in production.")
    before, _test_shift = _test_shift, moment - datetime.now(UTC)
    try:
        yield
    finally:
        _test_shift = before
