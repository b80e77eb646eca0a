"""Changes of the exam year: what waits for a second person, and what was decided."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import actor_of
from accounts.admin.base import ScopedAdmin
from accounts.roles import Right
from accounts.services.second_person import WHO_MAY
from exam_portal import clock
from exam_portal.kit.errors import Refused
from exam_portal.kit.forms import carry_out, posted
from registration import queries
from registration.admin.forms import RefusalForm
from registration.admin.rows import as_seen
from registration.differences import differences
from registration.models import ExamYearChange
from registration.services import exam_year_changes
from registration.services.exam_year.editable import rows_of, with_values

State = ExamYearChange.State


class WaitsFor(admin.SimpleListFilter):
    """Those that wait, apart from one's own: what the home page counts."""

    title = gettext_lazy("waits for")
    parameter_name = "waits"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("me", gettext_lazy("my decision"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queries.waiting_for(actor_of(request), queryset) if self.value() == "me" else queryset


@admin.register(ExamYearChange)
class ExamYearChangeAdmin(ScopedAdmin):
    """The list, and the page of one change with what may be done about it."""

    right = Right.SEE_EXAM_YEARS
    ordering = ["-proposed_at", "-pk"]
    list_display = ("title", "kind", "state", "proposed_at")
    list_filter = (WaitsFor, "state", "kind")
    search_fields = ("key", "title")

    def get_urls(self) -> list[URLPattern]:
        return [
            self.own("<int:pk>/decide/", self.decide_view, "decide"),
            self.own("<int:pk>/withdraw/", self.withdraw_view, "withdraw"),
            *super().get_urls(),
        ]

    def as_listed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return queries.with_names(super().as_listed(rows))

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Carry out or refuse what somebody else proposed."""
        change = self.row_for(request, pk, Right.APPROVE_EXAM_YEAR)
        how: dict[str, Any] = {"change": change, "actor": actor_of(request), "at": clock.arrival(request)}
        if request.POST.get("verdict") == "approve":
            return self._act(
                request, lambda: exam_year_changes.approve(**how), change, _("Carried out. Candidates see it now.")
            )
        form = RefusalForm(posted(request))
        if request.POST.get("verdict") == "refuse":
            if carry_out(form, lambda data: exam_year_changes.refuse(reason=data["reason"], **how), no_reason="reason"):
                messages.success(request, _("Refused. Who proposed it reads your reason here."))
                return redirect(self.address("change", change.pk))
            return self.shown(request, change, form)
        return redirect(self.address("change", change.pk))

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take back what oneself proposed."""
        change = self.row_for(request, pk, Right.EDIT_EXAM_YEAR)
        if request.method != "POST":
            return redirect(self.address("change", change.pk))
        how: dict[str, Any] = {"change": change, "actor": actor_of(request), "at": clock.arrival(request)}
        return self._act(request, lambda: exam_year_changes.withdraw(**how), change, _("Withdrawn."))

    def _act(self, request: HttpRequest, act: Callable[[], Any], change: ExamYearChange, done: str) -> HttpResponse:
        try:
            act()
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, done)
        return redirect(self.address("change", change.pk))

    def shown(self, request: HttpRequest, change: ExamYearChange, form: RefusalForm | None = None) -> HttpResponse:
        """What would be changed or was, and by whom; `form` is one that was sent and refused."""
        actor, row = actor_of(request), rows_of(change.kind, change.key).first()
        waits = change.state == State.PROPOSED
        approves = waits and exam_year_changes.may_approve(actor, change)
        decides = approves and exam_year_changes.may_decide(actor, change)
        return self.page(
            request,
            "exam_years/change",
            change.title,
            change=change,
            kind=change.kind,
            form=form or RefusalForm(),
            differences=differences(change.kind, change.old, change.new),
            as_seen=as_seen(request, change.kind, with_values(row, change.new)) if row and waits else "",
            row_url=_row_address(row) if row else "",
            may_decide=decides,
            another_decides=WHO_MAY if approves and not decides else "",
            may_withdraw=waits and exam_year_changes.may_withdraw(actor, change),
            outdated=waits and (row is None or exam_year_changes.is_outdated(change, row)),
        )


def _row_address(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
