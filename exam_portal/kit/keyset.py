"""Lists of the staff site that stay quick however long they are: paged by key, and never counted to the end."""

import base64
import binascii
import json
from typing import Any, cast

from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst

AFTER, BEFORE = "after", "before"
COUNTED = 10_000


def about(rows: QuerySet[Any]) -> tuple[int, bool]:
    """How many rows there are, and whether that is exact: beyond 10,000 it is what PostgreSQL estimates."""
    rows = rows.order_by()
    count = rows[: COUNTED + 1].count()
    if count <= COUNTED:
        return count, True
    (plan,) = json.loads(rows.explain(format="json"))
    return max(count, int(plan["Plan"]["Plan Rows"])), False


class KeysetChangeList(ChangeList):
    """A changelist in one order, newest or first, that knows the next and the previous page by the keys at its ends.

    `ordering` of the ModelAdmin is one column that is never empty and then `pk`, both in the same direction, or `pk`.
    """

    older = newer = ""
    exact = True

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

    def get_results(self, request: HttpRequest) -> None:
        size = self.list_per_page
        after, before = self._asked(AFTER), self._asked(BEFORE)
        backwards = bool(before) and not after
        rows = self.queryset
        try:
            rows = rows.filter(self._beyond(after or before, backwards=backwards))
        except (TypeError, ValueError, ValidationError):
            after, before, backwards = [], [], False  # an address that somebody made up shows the first page
        if backwards:
            rows = rows.reverse()
        found = list(rows[: size + 1])
        more, found = len(found) > size, found[:size]
        if backwards:
            found.reverse()
        if found and (more or backwards):
            self.older = self.get_query_string({AFTER: self._key(found[-1])})
        if found and (after or (backwards and more)):
            self.newer = self.get_query_string({BEFORE: self._key(found[0])})
        self.result_list = found
        self.result_count, self.exact = about(self.queryset)
        # What Django's own templates ask for.
        self.full_result_count, self.show_full_result_count = None, False
        self.show_admin_actions, self.can_show_all, self.multi_page = True, False, False

    @property
    def _ordering(self) -> list[str]:
        return [str(name) for name in self.model_admin.ordering or ()]

    def _columns(self) -> tuple[list[str], bool]:
        ordering = self._ordering
        return [name.removeprefix("-") for name in ordering], ordering[0].startswith("-")

    def _beyond(self, key: list[str], *, backwards: bool) -> Q:
        """Rows after `key` in the list's order, or before it."""
        columns, descending = self._columns()
        than = "lt" if descending is not backwards else "gt"
        if not key:
            return Q()
        if len(columns) == 1:
            return Q(**{f"{columns[0]}__{than}": key[0]})
        first, pk = columns
        return Q(**{f"{first}__{than}e": key[0]}) & (Q(**{f"{first}__{than}": key[0]}) | Q(**{f"{pk}__{than}": key[1]}))

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
    except (binascii.Error, ValueError):
        return []
    made_here = isinstance(values, list) and all(
        isinstance(v, int) or (isinstance(v, str) and "\0" not in v) for v in values
    )
    return values if made_here else []
