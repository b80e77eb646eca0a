"""What every page of the staff site stands on: rows of one's own territory, by right, masked, paged by key (R28)."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern

from accounts.access import actor_of
from accounts.roles import Right
from accounts.territory import visible_to
from exam_portal.kit.keyset import KeysetChangeList


class ScopedAdmin(admin.ModelAdmin):
    """Rows that `queries` of the territory let this member of staff see, to read; what changes them are services.

    Attributes:
        right: what one's role must have to see list and page.
        pages: of Django's own pages those that this model has.
        ordering: of the list, as `exam_portal.kit.keyset` wants it.
    """

    right: ClassVar[Right]
    pages: ClassVar[set[str]] = {"changelist", "change"}
    ordering = ["-pk"]
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    actions = None
    sortable_by = []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.as_listed(visible_to(actor_of(request), self.model))

    def ways(self, request: HttpRequest) -> list[QuerySet[Any]]:
        """The rows of the list; more than one query where each finds some of them by an index of its own."""
        return [self.get_queryset(request)]

    def as_listed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """These rows in the list's order, with what it shows of others."""
        rows, related = rows.order_by(*self.ordering), self.list_select_related
        return rows if isinstance(related, bool) else rows.select_related(*related)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what the list's own filters ask for: any other could be used to guess what is not shown."""
        filters = self.get_list_filter(request)
        asked = {f"{field}__{how}" for field in filters if isinstance(field, str) for how in ("exact", "isnull")}
        return lookup in asked | {getattr(each, "parameter_name", None) for each in filters}

    def get_urls(self) -> list[URLPattern]:
        prefix = f"{self.opts.app_label}_{self.opts.model_name}_"
        return [url for url in super().get_urls() if str(url.name or "").removeprefix(prefix) in self.pages]

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """As every page: what is not there for somebody is not found."""
        raise Http404

    def row_for(self, request: HttpRequest, pk: int, *rights: Right) -> Any:
        """The row that the address of a page of our own names, for whoever has one of these rights.

        Raises:
            PermissionDenied: the role has none of them.
            Http404: the row is not of one's territory.
        """
        if not any(actor_of(request).may(right) for right in rights):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), pk=pk)

    # --- Who may: by right to see, and nobody to add, change or delete by hand ------------------
    def has_module_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).may(self.right)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return actor_of(request).may(self.right)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
