"""Row locks. Tests of races take this one helper out, to show that the race is real."""

from typing import TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


def locked(rows: QuerySet[M]) -> QuerySet[M]:
    """The same rows, kept from being changed by others until the transaction ends.

    Without joined rows: after waiting for a lock PostgreSQL joins the new row with what it had found for the old one,
    and a reference that was changed meanwhile comes back empty. Read them with a query of their own, afterwards.

    The key stays free: others may write rows that refer to these meanwhile. Else whoever holds one row and tells its
    candidate, and whoever holds the candidate and wants that row, would wait for each other.
    """
    return rows.select_related(None).select_for_update(no_key=True)
