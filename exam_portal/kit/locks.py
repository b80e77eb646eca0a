"""Row locks. Tests of races take this one helper out, to show that the race is real."""

from typing import TypeVar

from django.db.models import Model, QuerySet

M = TypeVar("M", bound=Model)


def locked(rows: QuerySet[M]) -> QuerySet[M]:
    """The same rows, kept from being changed by others until the transaction ends; joined rows stay free."""
    return rows.select_for_update(of=("self",))
