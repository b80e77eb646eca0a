"""The page of a row of an exam year, and how a change of it is proposed: form, preview, and then done or handed on."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.access import actor_of
from accounts.admin.base import ScopedAdmin
from accounts.roles import Right
from exam_portal import clock
from exam_portal.kit.forms import carry_out, posted
from registration import queries
from registration.admin.forms import ChangeForm
from registration.differences import differences, values_of
from registration.models import ExamYearChange
from registration.services import exam_year_changes
from registration.services.exam_year.editable import (
    EDITABLE,
    Kind,
    Row,
    is_open,
    key_of,
    kind_of,
    title_of,
    with_values,
)
from registration.services.exam_year_changes import INVALID, Draft

HISTORY = 20


class YearRowAdmin(ScopedAdmin):
    """A row of an exam year: a page to look at it, and one to propose a change of it."""

    right = Right.SEE_EXAM_YEARS
    page_template: ClassVar[str] = "admin/exam_years/row.html"

    def get_urls(self) -> list[URLPattern]:
        info = self.opts.app_label, self.opts.model_name
        view = self.admin_site.admin_view(self.edit_view)
        return [path("<path:object_id>/edit/", view, name="{}_{}_edit".format(*info)), *super().get_urls()]

    @admin.display(description=_lazy("Marks"))
    def marked(self, row: Any) -> str:
        """In a list: whether the row holds invented data."""
        return _("Example data") if row.example else ""

    def row(self, request: HttpRequest, object_id: str) -> Any:
        """The row that an address names, of the actor's territory.

        Raises:
            PermissionDenied: without the right. Http404: not theirs, or not there.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        return row

    def more(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of such a row shows beside its own values."""
        return {}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The row as it is, what waits, and what was changed before."""
        row, actor, at = self.row(request, object_id), actor_of(request), clock.arrival(request)
        kind, key = kind_of(row), key_of(row)
        history = list(queries.changes_of(actor=actor, kind=kind, key=key)[: HISTORY + 1])
        context = {
            **self.admin_site.each_context(request),
            "title": title_of(row),
            "row": row,
            "kind": kind,
            "values": values_of(row),
            "open": is_open(row, at),
            "edit_url": self.address("edit", row) if exam_year_changes.may_propose(actor, row) else "",
            "key": key,
            "history": [(change, differences(change.kind, change.old, change.new)) for change in history[:HISTORY]],
            "more_history": len(history) > HISTORY,
            **self.more(request, row),
        }
        return TemplateResponse(request, self.page_template, context)

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form, its preview, and the change itself."""
        row, actor, at = self.row(request, object_id), actor_of(request), clock.arrival(request)
        if not exam_year_changes.may_propose(actor, row):
            raise PermissionDenied
        form = ChangeForm(row, posted(request))
        act = request.POST.get("act", "")
        beside = {INVALID + name: name for name in EDITABLE[kind_of(row)].fields} | {"no_reason": "reason"}
        found: list[Any] = []
        if act == "preview":
            how: dict[str, Any] = {"row": row, "at": at}
            if carry_out(form, lambda _data: found.append(exam_year_changes.draft(**how, **form.change())), **beside):
                return self._preview(request, row, form, found[0])
        elif act in {"propose", "alone"}:
            how = {"row": row, "actor": actor, "at": at, "alone": act == "alone"}
            if carry_out(
                form,
                lambda data: found.append(exam_year_changes.propose(reason=data["reason"], **how, **form.change())),
                **beside,
            ):
                return self._done(request, row, found[0])
        form.show_anew(row)
        context = {"row": row, "form": form, "open": is_open(row, at), **self._frame(request, row)}
        return TemplateResponse(request, "admin/exam_years/edit.html", context)

    def _preview(self, request: HttpRequest, row: Row, form: ChangeForm, draft: Draft) -> HttpResponse:
        kind = kind_of(row)
        context = {
            "row": row,
            "kind": kind,
            "form": form,
            "draft": draft,
            "reason": form.cleaned_data["reason"],
            "differences": differences(kind, draft.old, draft.new),
            "as_seen": as_seen(request, kind, with_values(row, draft.new)),
            **self._frame(request, row),
        }
        return TemplateResponse(request, "admin/exam_years/preview.html", context)

    def _done(self, request: HttpRequest, row: Row, change: ExamYearChange) -> HttpResponse:
        if change.state == ExamYearChange.State.LIVE:
            messages.success(request, _("Carried out. Candidates see it now."))
            return HttpResponseRedirect(self.address("change", row))
        messages.success(request, _("Proposed. Candidates see it once a second person has approved."))
        return HttpResponseRedirect(reverse("admin:registration_examyearchange_change", args=[change.pk]))

    def _frame(self, request: HttpRequest, row: Row) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "title": _("Change: %(name)s") % {"name": title_of(row)},
            "back_url": self.address("change", row),
            "back_label": title_of(row),
        }

    def address(self, page: str, row: Any) -> str:
        """The address of a page of the row."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=[row.pk])


def as_seen(request: HttpRequest, kind: str, row: Any) -> SafeString:
    """What candidates see of a row with these values, which need not be saved: a page of its own, for a frame."""
    at = clock.arrival(request)
    context: dict[str, Any] = {"kind": kind}
    match kind:
        case Kind.EXAM:
            context["exam"] = row
            context["row"] = {"exam": row, "open": row.is_open(at), "early": at < row.opens_at}
        case Kind.REGION:
            context |= {"exam_region": row, "places": queries.places_of(row)}
        case Kind.POINT:
            context |= {"point": row, "sites": list(row.sites.all())}
        case _:
            sites = [row if site.pk == row.pk else site for site in row.point.sites.all()]
            context |= {"point": row.point, "sites": sites}
    return render_to_string("admin/exam_years/as_seen.html", context, request)
