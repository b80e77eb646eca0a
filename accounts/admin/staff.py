"""Who works here: a region's administrators give and end roles in their own region, and help to sign in (R28, R32)."""

from functools import partial
from typing import Any, cast

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import queries, searches
from accounts.access import actor_of
from accounts.admin.base import Help
from accounts.admin.forms import AddStaffForm, ReasonForm
from accounts.admin.searching import SearchedByPost
from accounts.histories import LATEST, told
from accounts.models import LedgerEvent, StaffAssignment
from accounts.models.staff import StaffAssignments
from accounts.roles import Right
from accounts.searches import MOST, Sought
from accounts.services import staff
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
    """Roles in force now or later, unless one asks for those that have ended; a search finds those of all times."""

    title = gettext_lazy("in force")
    parameter_name = "when"

    def __init__(self, request: HttpRequest, *how: Any) -> None:
        self.sought = searches.kept(request, StaffAssignment, searches.Sought)
        super().__init__(request, *how)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("ended", gettext_lazy("Ended")), ("all", gettext_lazy("All"))]

    def choices(self, changelist: Any) -> Any:
        current, *others = super().choices(changelist)
        now_or_later = {"display": _("Now or later"), "selected": current["selected"] and not self.sought}
        return [{**current, **now_or_later}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        at = clock.arrival(request)
        if self.value() == "all":
            return queryset
        if self.value() == "ended":
            return queryset.filter(valid_until__lte=at)
        return queryset if self.sought else cast(StaffAssignments, queryset).lasting(at)


@admin.register(StaffAssignment)
class StaffAssignmentAdmin(SearchedByPost):
    """The staff of one's own region: list, a member's roles and acts; and for its administrators what changes them."""

    right = Right.SEE_STAFF
    ordering = ["-valid_from", "-pk"]
    list_display = ("called", "username", "role", "place", "valid_from", "valid_until")
    list_filter = (InForce, "role")
    list_select_related = ("user", "region", "point", "site")

    @admin.display(description=gettext_lazy("Name"))
    def called(self, row: StaffAssignment) -> str:
        return row.name

    @admin.display(description=gettext_lazy("username"))
    def username(self, row: StaffAssignment) -> str:
        return row.user.username

    @admin.display(description=gettext_lazy("institution"))
    def place(self, row: StaffAssignment) -> str:
        return row.institution

    def look_for(self, request: HttpRequest, typed: str, data: QueryDict) -> Sought | None:
        """By a part of name or username; of each person the latest role, since the page of one shows all."""
        rows = visible_to(actor_of(request), StaffAssignment)
        found = rows.filter(Q(name__icontains=typed) | Q(user__username__icontains=typed))
        latest = found.order_by("user", "-valid_from", "-pk").distinct("user")
        keys = list(latest.values_list("pk", flat=True)[:MOST])
        return Sought(keys=keys) if keys else None

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
        """Give somebody a role, after a proof of who one is; the answer shows once where a new one sets a password."""
        actor, at = actor_of(request), clock.arrival(request)
        if not actor.may(Right.MANAGE_STAFF):
            raise PermissionDenied
        if not recently_proved(request):
            return ask_for_proof(request)
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
        actor, at = actor_of(request), clock.arrival(request)
        helps = HELP if self._may_help(request, row) else {}
        acts = visible_to(actor, LedgerEvent).filter(queries.by_and_about({row.user_id}))
        roles = self.get_queryset(request).filter(user=row.user)
        return self.page(
            request,
            "accounts/staffassignment/member",
            row.name,
            subtitle=row.user.username,
            row=row,
            roles=[(held, staff.may_end(actor, held, at=at)) for held in roles],
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
        if not staff.may_end(actor_of(request), row, at=clock.arrival(request)):
            return redirect(self.address("change", row.pk))
        return self.page(request, "accounts/staffassignment/end", _("End a role"), row=row)

    def help(self, name: str, request: HttpRequest, pk: int) -> HttpResponse:
        """Carry out one of `HELP`, after a proof of who one is: it opens somebody else's account.

        Its service returns the path that is shown once, or None.
        """
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
