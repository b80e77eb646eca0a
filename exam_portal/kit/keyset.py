"""Lists of the staff site that stay quick however long they are: paged by key, and never counted to the end."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.timezone import is_naive

from exam_portal.kit.counts import about

AFTER, BEFORE = "after", "before"


class KeysetChangeList(ChangeList):
    """A changelist in one order, newest or first, that knows the next and the previous page by the keys at its ends.

    `ordering` of the ModelAdmin is one column that is never empty and then `pk`, both in the same direction, or `pk`;
    its `ways` are the queries that find the list's rows, and `as_listed` puts any rows in the list's order.
    """

    model_admin: Any
    older = newer = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = capfirst(str(self.opts.verbose_name_plural))

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in {AFTER, BEFORE}}

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """As Django's; whoever filters anew begins at the first page."""
        return super().get_query_string(new_params, [*(remove or []), *({AFTER, BEFORE} - set(new_params or {}))])

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        return self._ordering

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """As Django's, for each of the ways in which the list's rows are found."""
        self.ways: list[QuerySet[Any]] = []
        for rows in self.model_admin.ways(request):
            self.root_queryset = rows
            self.ways.append(super().get_queryset(request, exclude_parameters))
        return self.ways[0]

    def get_results(self, request: HttpRequest) -> None:
        size = self.list_per_page
        after, before = self._asked(AFTER), self._asked(BEFORE)
        backwards = bool(before) and not after
        try:
            ways = [way.filter(self._beyond(after or before, backwards=backwards)) for way in self.ways]
        except (TypeError, ValueError, OverflowError, ValidationError):
            # An address that somebody made up shows the first page.
            after, before, backwards, ways = [], [], False, self.ways
        if backwards:
            ways = [way.reverse() for way in ways]
        found = self._first(ways, size + 1, backwards=backwards)
        more, found = len(found) > size, found[:size]
        if backwards:
            found.reverse()
        if found and (more or backwards):
            self.older = self.get_query_string({AFTER: self._key(found[-1])})
        if found and (after or (backwards and more)):
            self.newer = self.get_query_string({BEFORE: self._key(found[0])})
        self.result_list = found
        self.count = about(*self.ways)
        self.result_count = self.count.number
        # What Django's own templates ask for.
        self.full_result_count, self.show_full_result_count = None, False
        self.show_admin_actions, self.can_show_all, self.multi_page = True, False, False

    def _first(self, ways: Sequence[QuerySet[Any]], most: int, *, backwards: bool) -> list[Model]:
        """The first so many rows of those that are found in any of these ways."""
        one, *others = (way[:most] for way in ways)
        if not others:
            return list(one)
        keys = one.values("pk").union(*(way.values("pk") for way in others))
        rows = self.model_admin.as_listed(self.model._default_manager.filter(pk__in=keys))
        return list((rows.reverse() if backwards else rows)[:most])

    @property
    def _ordering(self) -> list[str]:
        return [str(name) for name in self.model_admin.ordering or ()]

    def _columns(self) -> tuple[list[str], bool]:
        ordering = self._ordering
        return [name.removeprefix("-") for name in ordering], ordering[0].startswith("-")

    def _beyond(self, key: list[Any], *, backwards: bool) -> Q:
        """Rows after `key` in the list's order, or before it."""
        columns, descending = self._columns()
        key = [self._value(name, value) for name, value in zip(columns, key, strict=False)]
        than = "lt" if descending is not backwards else "gt"
        if not key:
            return Q()
        if len(columns) == 1:
            return Q(**{f"{columns[0]}__{than}": key[0]})
        first, pk = columns
        return Q(**{f"{first}__{than}e": key[0]}) & (Q(**{f"{first}__{than}": key[0]}) | Q(**{f"{pk}__{than}": key[1]}))

    def _value(self, column: str, value: Any) -> Any:
        """What an address says of a column, as the column has it."""
        field = self.opts.pk if column == "pk" else self.opts.get_field(column)
        found = cast(Field, field).to_python(value)
        if isinstance(found, datetime):
            if is_naive(found):
                raise ValueError("a moment without a time zone")
            return found.astimezone(UTC)  # PostgreSQL knows not every zone that Python does
        return found

    def _asked(self, name: str) -> list[str]:
        key = _read(self.params.get(name))
        return key if len(key) == len(self._ordering) else []

    def _key(self, row: Model) -> str:
        columns, _descending = self._columns()
        values = [
            row.pk if name == "pk" else cast(Field, row._meta.get_field(name)).value_to_string(row) for name in columns
        ]
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def _read(text: str | None) -> list[str]:
    """The key that an address names; empty for one that cannot be read."""
    if not text:
        return []
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return []
    made_here = isinstance(values, list) and all(type(v) is int or (isinstance(v, str) and _is_text(v)) for v in values)
    return values if made_here else []


def _is_text(value: str) -> bool:
    """Whether PostgreSQL can hold it: no NUL, and no half of a pair of code points."""
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
