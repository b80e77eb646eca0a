"""What the home page of staff shows: what waits for them, and what must be done until when."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise


@dataclass(frozen=True)
class Queue:
    """Rows that wait for somebody of staff: how many, since when the oldest waits, and where they are worked on.

    `exact` is False where only the beginning was counted.
    """

    label: str | Promise
    url: str
    count: int
    oldest: datetime | None
    exact: bool = True


@dataclass(frozen=True)
class Deadline:
    """Something that opens or ends at a moment."""

    label: str | Promise
    at: datetime
    url: str = ""
