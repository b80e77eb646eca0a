"""Who works here: a region's administrators give and end roles in their own region, and help to sign in (R28, R32)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import actor_of
from accounts.admin.base import ScopedAdmin
from accounts.candidate_forms import ReasonForm
from accounts.histories import LATEST, told
from accounts.models import LedgerEvent, StaffAssignment
from accounts.roles import Right
from accounts.services import staff
from accounts.staff_desk_forms import AddStaffForm
from accounts.territory import visible_to
from accounts.two_step import ask_for_proof, recently_proved
from exam_portal import clock
from exam_portal.kit.errors import Refused
from exam_portal.kit.forms import carry_out, posted

# Beside which field a refusal of the service stands, by its code.
_FIELDS = {
    "unknown_role": "role",
    "unknown_institution": "code",
    "candidate": "username",
    "spelled_otherwise": "username",
    "overlaps": "username",
}


@dataclass(frozen=True)
class Help:
    """Something by which an administrator lets somebody sign in again, with a reason: what it is called, and does.

    `service` returns the path that is shown once, or None.
    """

    service: Callable[..., str | None]
    label: str | Promise
    explains: str | Promise


HELP = {
    "link": Help(
        staff.make_link,
        gettext_lazy("Link for a new password"),
        gettext_lazy("For whoever forgot the password. You see the link once, and give it to the person yourself."),
    ),
    "two_step": Help(
        staff.reset_two_step,
        gettext_lazy("Reset two-step verification"),
        gettext_lazy(
            "For whoever lost telephone, passkey and recovery codes. The person is signed out everywhere, and sets it "
            "up anew after signing in by the password."
        ),
    ),
}


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
    """The staff of one's own region: list, a member's roles and acts; and for its administrators what changes them."""

    right = Right.SEE_STAFF
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
        return [
            self.own("add/", self.add_somebody, "add"),
            self.own("<int:pk>/end/", self.end_view, "end"),
            *(self.own(f"<int:pk>/{name}/", partial(self.help, name), name) for name in HELP),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        may_add = actor_of(request).may(Right.MANAGE_STAFF)
        return super().changelist_view(request, {"may_add": may_add, **(extra_context or {})})

    def add_somebody(self, request: HttpRequest) -> HttpResponse:
        """Give somebody a role; the answer shows once where a new person sets a password."""
        actor, at = actor_of(request), clock.arrival(request)
        if not actor.may(Right.MANAGE_STAFF):
            raise PermissionDenied
        form = AddStaffForm(posted(request), actor=actor, at=at)
        added: list[tuple[StaffAssignment, str]] = []

        def act(data: dict[str, Any]) -> None:
            added.append(staff.invite(actor=actor, at=at, **{**data, **form.times()}))

        context: dict[str, Any] = {"form": form}
        if carry_out(form, act, **_FIELDS):
            row, link = added[0]
            if not link:
                messages.success(request, _("%(name)s has the role.") % {"name": row.name})
                return redirect(self.address("change", row.pk))
            context |= {"row": row, "address": settings.PORTAL_ORIGIN + link}
        return self.page(request, "accounts/staffassignment/add", _("Add somebody"), **context)

    def shown(self, request: HttpRequest, row: StaffAssignment) -> HttpResponse:
        """A member of staff: the roles, what was done by and about them, and the ways of letting them sign in again."""
        actor, number = actor_of(request), str(row.user_id)
        helps = HELP if self._may_help(request, row) else {}
        acts = visible_to(actor, LedgerEvent).filter(
            Q(actor_kind="staff", actor_id=number) | Q(stream="staff", stream_id=number)
        )
        roles = self.get_queryset(request).filter(user=row.user)
        return self.page(
            request,
            "accounts/staffassignment/member",
            row.name,
            subtitle=row.user.username,
            row=row,
            roles=[(held, self._may_end(request, held)) for held in roles],
            helps=[(self.address(name, row.pk), HELP[name]) for name in helps],
            history=told(acts.order_by("-at", "-pk")[:LATEST]),
            audit_url=f"{reverse('admin:accounts_ledgerevent_changelist')}?person={row.user.username}",
        )

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """End a role, after a look at whose it is; all sessions of the account end."""
        row = self.row_for(request, pk, Right.MANAGE_STAFF)
        if request.method == "POST":
            try:
                staff.end(actor=actor_of(request), assignment=row, at=clock.arrival(request))
                messages.success(request, _("The role has ended."))
            except Refused as refused:
                messages.error(request, str(refused))
            return redirect(self.address("change", row.pk))
        if not self._may_end(request, row):
            return redirect(self.address("change", row.pk))
        return self.page(request, "accounts/staffassignment/end", _("End a role"), row=row)

    def help(self, name: str, request: HttpRequest, pk: int) -> HttpResponse:
        """Carry out one of `HELP`, after a proof of who one is: it opens somebody else's account."""
        row = self.row_for(request, pk, Right.MANAGE_STAFF)
        back = redirect(self.address("change", row.pk))
        if request.method != "POST" and not self._may_help(request, row):
            return back
        if not recently_proved(request):
            return ask_for_proof(request)
        form, links = ReasonForm(posted(request)), list[str | None]()

        def act(data: dict[str, Any]) -> None:
            how = {"actor": actor_of(request), "at": clock.arrival(request)}
            links.append(HELP[name].service(user=row.user, **how, **data))

        context: dict[str, Any] = {"row": row, "help": HELP[name], "form": form}
        if carry_out(form, act, no_reason="reason"):
            if not links[0]:
                messages.success(request, _("Two-step verification is reset."))
                return back
            context["address"] = settings.PORTAL_ORIGIN + links[0]
        back_to = (self.address("change", row.pk), row.name)
        return self.page(request, "accounts/staffassignment/help", str(HELP[name].label), back=back_to, **context)

    def _may_help(self, request: HttpRequest, row: StaffAssignment) -> bool:
        return staff.helps(actor_of(request), row.user, at=clock.arrival(request))

    def _may_end(self, request: HttpRequest, row: StaffAssignment) -> bool:
        """Who manages staff ends a role that has not ended, and nobody the own one (R32)."""
        actor, at = actor_of(request), clock.arrival(request)
        lasts = row.valid_until is None or row.valid_until > at
        return actor.may(Right.MANAGE_STAFF) and lasts and str(row.user_id) != actor.id
