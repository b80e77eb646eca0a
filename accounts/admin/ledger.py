"""The audit page: the ledger by person, stream, action and time, and whether it is whole (R28).

Searching is a POST, as it is for candidates: what is typed may be an ID number, and addresses are logged. Only what was
found stands in an address (docs/decisions/0023): a username and the number of a stream.
"""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse

from accounts import queries
from accounts.access import actor_of
from accounts.admin.base import ScopedAdmin
from accounts.admin.forms import AuditForm
from accounts.histories import Told, told
from accounts.models import LedgerEvent
from accounts.roles import Right
from accounts.staff_work import ledger_alert
from exam_portal import clock
from exam_portal.kit.forms import posted
from exam_portal.kit.keyset import KeysetChangeList

LIST = "admin:accounts_ledgerevent_changelist"


class AuditList(KeysetChangeList):
    """The events that the form above the list asks for, each in words."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in AuditForm.base_fields}

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        rows = super().get_queryset(request, exclude_parameters)
        self.form = AuditForm(posted(request) or request.GET, actor=actor_of(request))
        self.ways = [rows.filter(self.form.condition()) if self.form.is_valid() else rows.none()]
        return self.ways[0]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.events: list[Told] = told(self.result_list)
        self.filtered = bool(self.form.asked())


@admin.register(LedgerEvent)
class LedgerEventAdmin(ScopedAdmin):
    """Read only, the newest first; above it the filters, and what the last verification found.

    In the order of time: by it the index finds an old day at once, where paging by number would read all days since.
    """

    right = Right.SEE_LEDGER
    pages = {"changelist"}
    ordering = ["-at", "-pk"]
    list_display = ("at",)
    list_display_links = None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[AuditList]:
        return AuditList

    def get_urls(self) -> list[URLPattern]:
        return [self.own("search/", self.search, "search"), *super().get_urls()]

    def search(self, request: HttpRequest) -> HttpResponse:
        """Look for what the form asks for. What finds nothing may be an ID number: it stands on this page once."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if (data := posted(request)) is None:
            return redirect(LIST)
        form = AuditForm(data, actor=actor_of(request))
        if not form.is_valid():
            return self.changelist_view(request)
        return redirect(f"{reverse(LIST)}?{urlencode(form.asked())}")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        last = queries.last_verification()
        alert = ledger_alert(last, at=clock.arrival(request))
        context = {"verification": last, "alert": alert, **(extra_context or {})}
        return super().changelist_view(request, context)
