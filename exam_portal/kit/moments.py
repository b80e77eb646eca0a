"""Days and moments as people write them: in Beijing time, to the minute, the end of a day as its 24:00."""

from datetime import date, datetime, time, timedelta

from django.core.exceptions import ValidationError
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

# Beyond these a day is a slip of the hand; and near the ends of the calendar of Python and PostgreSQL the day after, or
# the same moment in another zone, is none.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)


def check_day(day: date) -> None:
    """Refuse a day that nobody means.

    Raises:
        ValidationError: with a sentence that says between which days it must be.
    """
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValidationError(
            _("Enter a day from %(first)s to %(last)s.") % {"first": FIRST_DAY, "last": LAST_DAY}, code="invalid"
        )


def begins(day: date) -> datetime:
    """The first moment of a day in Beijing."""
    return datetime.combine(day, time(), tzinfo=timezone.get_default_timezone())


def ends(day: date) -> datetime:
    """The 24:00 of a day in Beijing: the first moment that it no longer has."""
    return begins(day + timedelta(days=1))


def ended_day(value: datetime) -> date | None:
    """The day whose 24:00 a moment is; None for a moment within a day."""
    value = _beijing(value)
    return value.date() - timedelta(days=1) if value.time() == time() else None


def moment(value: datetime) -> str:
    """A moment in Beijing time, to the minute."""
    return formats.date_format(_beijing(value), "DATETIME_FORMAT")


def end(value: datetime) -> str:
    """The end of a half-open window as people write it: midnight belongs to the day before, as 24:00."""
    day = ended_day(value)
    return f"{formats.date_format(day, 'DATE_FORMAT')} 24:00" if day else moment(value)


def last_minute(value: datetime) -> str:
    """The same end for who knows no 24:00: the last minute of the day before."""
    return moment(value - timedelta(minutes=1) if ended_day(value) else value)


def kept(text: str | None) -> datetime | None:
    """A moment that was kept as JSON; None where there is none."""
    return datetime.fromisoformat(text) if text else None


def _beijing(value: datetime) -> datetime:
    return value.astimezone(timezone.get_default_timezone())
