"""Moments as people write them: in Beijing time, to the minute."""

from datetime import datetime, timedelta

from django.utils import formats, timezone


def moment(value: datetime) -> str:
    """A moment in Beijing time, to the minute."""
    return formats.date_format(_beijing(value), "DATETIME_FORMAT")


def end(value: datetime) -> str:
    """The end of a half-open window as people write it: midnight belongs to the day before, as 24:00."""
    value = _beijing(value)
    if (value.hour, value.minute, value.second) != (0, 0, 0):
        return moment(value)
    return f"{formats.date_format(value - timedelta(days=1), 'DATE_FORMAT')} 24:00"


def _beijing(value: datetime) -> datetime:
    return value.astimezone(timezone.get_default_timezone())
