"""The page of a row of an exam year, and how a change of it is proposed: form, preview, and then done or handed on."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import URLPattern, reverse
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
    page_template: ClassVar[str] = "exam_years/row"

    def get_urls(self) -> list[URLPattern]:
        return [self.own("<path:object_id>/edit/", self.edit_view, "edit"), *super().get_urls()]

    @admin.display(description=_lazy("Marks"))
    def marked(self, row: Any) -> str:
        """In a list: whether the row holds invented data."""
        return _("Example data") if row.example else ""

    def above(self, row: Any) -> tuple[str, Any] | None:
        """Where the way back from the page of such a row leads, with its words; None for the list."""
        return None

    def more(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of such a row shows beside its own values."""
        return {}

    def shown(self, request: HttpRequest, row: Any) -> HttpResponse:
        """The row as it is, what waits, and what was changed before."""
        actor, at = actor_of(request), clock.arrival(request)
        kind, key = kind_of(row), key_of(row)
        history = list(queries.changes_of(actor=actor, kind=kind, key=key)[: HISTORY + 1])
        return self.page(
            request,
            self.page_template,
            title_of(row),
            back=self.above(row),
            row=row,
            kind=kind,
            values=values_of(row),
            open=is_open(row, at),
            edit_url=self.address("edit", row.pk) if exam_year_changes.may_propose(actor, row) else "",
            key=key,
            history=[(change, differences(change.kind, change.old, change.new)) for change in history[:HISTORY]],
            more_history=len(history) > HISTORY,
            **self.more(request, row),
        )

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form, its preview, and the change itself."""
        row, actor, at = self.row_for(request, object_id, self.right), actor_of(request), clock.arrival(request)
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
        return self._step(request, "edit", row, form, open=is_open(row, at))

    def _preview(self, request: HttpRequest, row: Row, form: ChangeForm, draft: Draft) -> HttpResponse:
        kind = kind_of(row)
        return self._step(
            request,
            "preview",
            row,
            form,
            kind=kind,
            draft=draft,
            reason=form.cleaned_data["reason"],
            differences=differences(kind, draft.old, draft.new),
            as_seen=as_seen(request, kind, with_values(row, draft.new)),
        )

    def _step(self, request: HttpRequest, template: str, row: Row, form: ChangeForm, **context: Any) -> HttpResponse:
        title, back = _("Change: %(name)s") % {"name": title_of(row)}, (self.address("change", row.pk), title_of(row))
        return self.page(request, f"exam_years/{template}", title, back=back, row=row, form=form, **context)

    def _done(self, request: HttpRequest, row: Row, change: ExamYearChange) -> HttpResponse:
        if change.state == ExamYearChange.State.LIVE:
            messages.success(request, _("Carried out. Candidates see it now."))
            return HttpResponseRedirect(self.address("change", row.pk))
        messages.success(request, _("Proposed. Candidates see it once a second person has approved."))
        return HttpResponseRedirect(reverse("admin:registration_examyearchange_change", args=[change.pk]))


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
