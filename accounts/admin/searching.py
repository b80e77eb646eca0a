"""Lists of people in the staff site, which are searched by POST (accounts.searches, docs/decisions/0023)."""

from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import URLPattern

from accounts import searches
from accounts.admin.base import ScopedAdmin
from exam_portal.kit.forms import posted
from exam_portal.kit.keyset import AFTER, BEFORE


class SearchedByPost(ScopedAdmin):
    """A list that shows what was looked for until something else is; what alone has a number leads to its page.

    Whoever follows a link with a filter to the list sees all that the filter lets through.

    Attributes:
        sought: how the session keeps what was found.
    """

    sought: ClassVar[type[searches.Sought]] = searches.Sought

    def look_for(self, request: HttpRequest, typed: str, data: QueryDict) -> searches.Sought | None:
        """What is found by what was typed, within one's own territory; None when nothing is."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        return [self.own("search/", self.search, "search"), *super().get_urls()]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        sought = searches.kept(request, self.model, self.sought)
        return (sought.among(queryset) if sought else queryset), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if set(request.GET) - {AFTER, BEFORE}:
            searches.keep(request, self.model, None)
        context = {
            "sought": searches.kept(request, self.model, self.sought),
            "search_url": self.address("search"),
            "typed": "",
            "not_found": False,
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def search(self, request: HttpRequest) -> HttpResponse:
        """Look for what was typed: to the page of the one that a number finds, else to the list of those found."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        data, to_list = posted(request), redirect(self.address("changelist"))
        if data is None:
            return to_list
        typed = data.get("typed", "").strip()[:100]
        found = self.look_for(request, typed, data) if typed else None
        if found and len(found.keys) == 1:
            return redirect(self.address("change", found.keys[0]))
        searches.keep(request, self.model, found)
        # Nothing found: what was typed stands in the field again, this once, since it may be an ID number.
        return self.changelist_view(request, {"typed": typed, "not_found": True}) if typed and not found else to_list
