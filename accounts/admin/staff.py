"""Who works here: a region's administrators give and end roles in their own region (R28, R32)."""

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import actor_of
from accounts.admin.base import ScopedAdmin
from accounts.histories import LATEST, told
from accounts.models import LedgerEvent, StaffAssignment
from accounts.roles import Right
from accounts.services import staff
from accounts.staff_desk_forms import AddStaffForm
from accounts.territory import visible_to
from exam_portal import clock
from exam_portal.kit.errors import Refused
from exam_portal.kit.forms import carry_out, posted

# Beside which field a refusal of the service stands, by its code.
_FIELDS = {"unknown_role": "role", "unknown_institution": "code", "candidate": "username", "overlaps": "username"}


class InForce(admin.SimpleListFilter):
    """Roles in force now or later, unless one asks for those that have ended."""

    title = gettext_lazy("in force")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("ended", gettext_lazy("Ended")), ("all", gettext_lazy("All"))]

    def choices(self, changelist: Any) -> Any:
        current, *others = super().choices(changelist)
        return [{**current, "display": _("Now or later")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        at = clock.arrival(request)
        if self.value() == "all":
            return queryset
        if self.value() == "ended":
            return queryset.filter(valid_until__lte=at)
        return queryset.filter(Q(valid_until=None) | Q(valid_until__gt=at))


@admin.register(StaffAssignment)
class StaffAssignmentAdmin(ScopedAdmin):
    """The staff of one's own region: list, adding somebody, a member's roles and acts, ending a role."""

    right = Right.MANAGE_STAFF
    ordering = ["-valid_from", "-pk"]
    list_display = ("called", "username", "role", "place", "valid_from", "valid_until")
    list_filter = (InForce, "role")
    list_select_related = ("user", "region", "point", "site")
    search_fields = ("name", "user__username")
    search_help_text = gettext_lazy("Name or username")

    @admin.display(description=gettext_lazy("Name"))
    def called(self, row: StaffAssignment) -> str:
        return row.name

    @admin.display(description=gettext_lazy("username"))
    def username(self, row: StaffAssignment) -> str:
        return row.user.username

    @admin.display(description=gettext_lazy("institution"))
    def place(self, row: StaffAssignment) -> str:
        return row.institution

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("add/", view(self.add_somebody), name="accounts_staffassignment_add"),
            path("<int:pk>/end/", view(self.end_view), name="accounts_staffassignment_end"),
        ]
        return [*own, *super().get_urls()]

    def add_somebody(self, request: HttpRequest) -> HttpResponse:
        """Give somebody a role; the answer shows once where a new person sets a password."""
        actor, at = actor_of(request), clock.arrival(request)
        if not actor.may(self.right):
            raise PermissionDenied
        form = AddStaffForm(posted(request), actor=actor, at=at)
        added: list[StaffAssignment] = []

        def act(data: dict[str, Any]) -> None:
            added.append(staff.add(actor=actor, **{**data, **form.times()}))

        done = carry_out(form, act, **_FIELDS)
        if done and added[0].user.has_usable_password():
            messages.success(request, _("%(name)s has the role.") % {"name": added[0].name})
            return redirect("admin:accounts_staffassignment_change", added[0].pk)
        context = {
            **self._context(request, _("Add somebody")),
            "form": form,
            "added": added[0] if done else None,
            "address": settings.PORTAL_ORIGIN + staff.make_link(actor=actor, user=added[0].user, at=at) if done else "",
        }
        return TemplateResponse(request, "admin/accounts/staffassignment/add.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A member of staff: the roles, and what was done by and about them."""
        if not object_id.isdecimal():
            raise Http404
        row = self.row_for(request, int(object_id), self.right)
        if request.method == "POST":
            raise PermissionDenied
        actor, number = actor_of(request), str(row.user_id)
        acts = visible_to(actor, LedgerEvent).filter(
            Q(actor_kind="staff", actor_id=number) | Q(stream="staff", stream_id=number)
        )
        roles = self.get_queryset(request).filter(user=row.user)
        context = {
            **self._context(request, row.name),
            "subtitle": row.user.username,
            "roles": [(held, self._may_end(request, held)) for held in roles],
            "history": told(acts.order_by("-at", "-pk")[:LATEST]),
            "audit_url": f"{reverse('admin:accounts_ledgerevent_changelist')}?person={row.user.username}",
        }
        return TemplateResponse(request, "admin/accounts/staffassignment/member.html", context)

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End a role, after a look at whose it is; all sessions of the account end."""
        row = self.row_for(request, pk, self.right)
        if request.method == "POST":
            try:
                staff.end(actor=actor_of(request), assignment=row, at=clock.arrival(request))
                messages.success(request, _("The role has ended."))
            except Refused as refused:
                messages.error(request, str(refused))
            return redirect("admin:accounts_staffassignment_change", row.pk)
        if not self._may_end(request, row):
            return redirect("admin:accounts_staffassignment_change", row.pk)
        context = {**self._context(request, _("End a role")), "row": row}
        return TemplateResponse(request, "admin/accounts/staffassignment/end.html", context)

    def _may_end(self, request: HttpRequest, row: StaffAssignment) -> bool:
        """Not what has ended, and nobody the own role (R32)."""
        at = clock.arrival(request)
        return (row.valid_until is None or row.valid_until > at) and str(row.user_id) != actor_of(request).id

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        list_url = reverse("admin:accounts_staffassignment_changelist")
        return {**self.admin_site.each_context(request), "title": title, "list_url": list_url}
