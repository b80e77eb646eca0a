"""Changes of the exam year: what waits for a second person, and what was decided."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
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
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/decide/", view(self.decide_view), name="registration_examyearchange_decide"),
            path("<int:pk>/withdraw/", view(self.withdraw_view), name="registration_examyearchange_withdraw"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What would be changed or was, and by whom."""
        return self._page(request, self._change(request, unquote(object_id), self.right), RefusalForm())

    def decide_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Carry out or refuse what somebody else proposed."""
        change = self._change(request, str(pk), Right.APPROVE_EXAM_YEAR)
        how: dict[str, Any] = {"change": change, "actor": actor_of(request), "at": clock.arrival(request)}
        if request.POST.get("verdict") == "approve":
            return self._act(
                request, lambda: exam_year_changes.approve(**how), change, _("Carried out. Candidates see it now.")
            )
        form = RefusalForm(posted(request))
        if request.POST.get("verdict") == "refuse":
            if carry_out(form, lambda data: exam_year_changes.refuse(reason=data["reason"], **how), no_reason="reason"):
                messages.success(request, _("Refused. Who proposed it reads your reason here."))
                return HttpResponseRedirect(_address(change))
            return self._page(request, change, form)
        return HttpResponseRedirect(_address(change))

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take back what oneself proposed."""
        change = self._change(request, str(pk), Right.EDIT_EXAM_YEAR)
        if request.method != "POST":
            return HttpResponseRedirect(_address(change))
        how: dict[str, Any] = {"change": change, "actor": actor_of(request), "at": clock.arrival(request)}
        return self._act(request, lambda: exam_year_changes.withdraw(**how), change, _("Withdrawn."))

    def _act(self, request: HttpRequest, act: Callable[[], Any], change: ExamYearChange, done: str) -> HttpResponse:
        try:
            act()
        except Refused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, done)
        return HttpResponseRedirect(_address(change))

    def _change(self, request: HttpRequest, pk: str, right: Right) -> ExamYearChange:
        if not actor_of(request).may(right):
            raise PermissionDenied
        change = queries.with_names(self.get_queryset(request)).filter(pk=pk).first() if pk.isdecimal() else None
        if change is None:
            raise Http404
        return change

    def _page(self, request: HttpRequest, change: ExamYearChange, form: RefusalForm) -> HttpResponse:
        actor, row = actor_of(request), rows_of(change.kind, change.key).first()
        waits = change.state == State.PROPOSED
        approves = waits and exam_year_changes.may_approve(actor, change)
        decides = approves and exam_year_changes.may_decide(actor, change)
        context = {
            **self.admin_site.each_context(request),
            "title": change.title,
            "change": change,
            "kind": change.kind,
            "form": form,
            "differences": differences(change.kind, change.old, change.new),
            "as_seen": as_seen(request, change.kind, with_values(row, change.new)) if row and waits else "",
            "row_url": _row_address(row) if row else "",
            "may_decide": decides,
            "another_decides": WHO_MAY if approves and not decides else "",
            "may_withdraw": waits and str(change.proposed_by_id) == actor.id,
            "outdated": waits and (row is None or exam_year_changes.is_outdated(change, row)),
        }
        return TemplateResponse(request, "admin/exam_years/change.html", context)


def _row_address(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def _address(change: ExamYearChange) -> str:
    return reverse("admin:registration_examyearchange_change", args=[change.pk])
