"""What apps show to staff: on the home page what waits and until when, and on a candidate's page what they know."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise

from exam_portal.kit.counts import Count


@dataclass(frozen=True)
class Queue:
    """Rows that wait for somebody of staff: how many, since when the oldest waits, and where they are worked on."""

    label: str | Promise
    url: str
    count: Count
    oldest: datetime | None


@dataclass(frozen=True)
class Alert:
    """Something wrong that somebody of staff must see first, and where it is looked into."""

    label: str | Promise
    url: str


@dataclass(frozen=True)
class Obstacle:
    """What stands against carrying out an application about an identity.

    `where` names whose it is to take away, `state` how it stands; `url` is where this member of staff takes it away,
    "" where it is not theirs.
    """

    label: str | Promise
    where: str
    state: str | Promise
    url: str = ""


@dataclass(frozen=True)
class Deadline:
    """Something that opens or ends at a moment, and where that is looked at."""

    label: str | Promise
    at: datetime
    url: str


@dataclass(frozen=True)
class Panel:
    """A part of a candidate's page: a template and its context, and the streams of the ledger that it stands for."""

    template: str
    context: dict[str, Any]
    streams: tuple[tuple[str, str], ...] = ()


Work = Queue | Deadline | Alert
