"""How many rows there are, without counting them to the end."""

import json
from typing import Any, NamedTuple

from django.db.models import QuerySet

COUNTED = 10_000


class Count(NamedTuple):
    """How many rows: an `exact` number, or one that PostgreSQL estimates."""

    number: int
    exact: bool = True

    @property
    def more_than(self) -> bool:
        """Whether there are more than the number says, and PostgreSQL's plan knows nothing of them."""
        return not self.exact and self.number == COUNTED


def about(*ways: QuerySet[Any]) -> Count:
    """How many rows there are: exactly up to 10,000, beyond it what PostgreSQL estimates.

    A row that is found in several ways counts once.
    """
    ways = tuple(way.order_by() for way in ways)
    one, *others = (way.values("pk")[: COUNTED + 1] for way in ways)
    count = (one.union(*others) if others else one).count()
    if count <= COUNTED:
        return Count(count)
    plans = [json.loads(way.explain(format="json"))[0] for way in ways]
    return Count(max(COUNTED, *(int(plan["Plan"]["Plan Rows"]) for plan in plans)), exact=False)
