"""Applications about identities (R07), as the exam point and the region work on them."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import identity
from accounts.access import actor_of
from accounts.admin.base import ScopedAdmin
from accounts.histories import history
from accounts.identity_desk_forms import ApproveForm, CheckForm, RefuseForm, RevealForm
from accounts.models import IdentityRequest
from accounts.roles import Right
from accounts.services import identity_desk
from accounts.two_step import ask_for_proof, recently_proved
from exam_portal import clock
from exam_portal.kit import hooks
from exam_portal.kit.errors import Refused
from exam_portal.kit.forms import carry_out, posted
from exam_portal.kit.text import grouped, visible

# Scans by the ending under which they are kept (exam_portal.kit.scans looks into them).
SCAN_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}
# Of what is open, as much is decrypted to look for the last characters of an ID number.
SEARCHED = 2_000
WORKING = (Right.CHECK_IDENTITY, Right.DECIDE_IDENTITY)


@admin.register(IdentityRequest)
class IdentityRequestAdmin(ScopedAdmin):
    """The list by number, state and kind, the newest first; and the page of one, on which it is decided."""

    right = Right.SEE_CANDIDATES
    ordering = ["-made_at", "-pk"]
    list_display = ("number_on_paper", "applicant", "masked_id_number", "kind", "state", "point", "made_at")
    list_filter = ("state", "kind")
    list_select_related = ("point",)
    search_help_text = gettext_lazy(
        "The 12 digits under the barcode of the form; or, among open ones, the last 4 characters of the ID number"
    )

    @admin.display(description=gettext_lazy("number"))
    def number_on_paper(self, row: IdentityRequest) -> str:
        return grouped(row.number)

    @admin.display(description=gettext_lazy("Name"))
    def applicant(self, row: IdentityRequest) -> str:
        return row.name

    @admin.display(description=gettext_lazy("ID number"))
    def masked_id_number(self, row: IdentityRequest) -> str:
        return identity.mask(row.id_number)

    # --- The list -------------------------------------------------------------------------------
    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """By number, exactly; or by the end of the ID number that the lists show. Never by what names somebody."""
        typed = _typed(search_term)
        if not typed:
            return queryset, False
        if len(typed) != 4:
            return queryset.filter(number=typed), False
        rows = queryset.filter(state__in=IdentityRequest.OPEN).values_list("pk", "id_number")[:SEARCHED]
        return queryset.filter(pk__in=[pk for pk, id_number in rows if id_number.endswith(typed)]), False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """As always; a number that is found, such as one that was scanned, leads straight to its page."""
        typed = _typed(request.GET.get("q", ""))
        if re.fullmatch(r"[0-9]{12}", typed) and self.has_view_permission(request):
            found = self.get_queryset(request).filter(number=typed).first()
            if found is not None:
                return redirect("admin:accounts_identityrequest_change", found.pk)
        return super().changelist_view(request, extra_context)

    # --- One application ------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(view),
                name=f"accounts_identityrequest_{name}",
            )
            for name, view in (
                ("check", self.check_view),
                ("approve", self.approve_view),
                ("refuse", self.refuse_view),
                ("reveal", self.reveal_view),
                ("proof", self.proof_view),
            )
        ]
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """What is applied for, what stands against it, and what may be done."""
        if not object_id.isdecimal():
            raise Http404
        row = self.row_for(request, int(object_id), self.right)
        if request.method == "POST":
            raise PermissionDenied
        return self._page(request, row)

    def check_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The exam point saw the originals."""
        row = self.row_for(request, pk, Right.CHECK_IDENTITY)
        form = CheckForm(posted(request), request.FILES or None, auto_id="check_%s")

        def act(data: dict[str, Any]) -> None:
            done = identity_desk.check(request=row, actor=actor_of(request), at=clock.arrival(request), **data)
            text = _("Handed on to the region.") if done.needs_region else _("Carried out.")
            messages.success(request, text)

        return self._carried_out(request, row, "check", form, act)

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The second person, of the region, decides that it is carried out."""
        row = self.row_for(request, pk, Right.DECIDE_IDENTITY)
        form = ApproveForm(posted(request), auto_id="approve_%s")

        def act(data: dict[str, Any]) -> None:
            identity_desk.approve(request=row, actor=actor_of(request), at=clock.arrival(request), **data)
            messages.success(request, _("Carried out."))

        return self._carried_out(request, row, "approve", form, act)

    def refuse_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Whoever's turn it is refuses it."""
        row = self.row_for(request, pk, *WORKING)
        form = RefuseForm(posted(request), auto_id="refuse_%s")

        def act(data: dict[str, Any]) -> None:
            identity_desk.refuse(request=row, actor=actor_of(request), at=clock.arrival(request), **data)
            messages.success(request, _("Refused; the applicant reads the reason."))

        return self._carried_out(request, row, "refuse", form, act)

    def reveal_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The page once with the ID numbers in full, to compare them with the card; put on record, with the reason."""
        row = self.row_for(request, pk, Right.REVEAL_ID)
        if request.method != "POST":
            return self._back(row)
        if not recently_proved(request):
            return ask_for_proof(request)
        form = RevealForm(posted(request), auto_id="reveal_%s")
        done = carry_out(
            form,
            lambda data: identity_desk.reveal(
                request=row, actor=actor_of(request), at=clock.arrival(request), reason=data["reason"]
            ),
            no_reason="reason",
        )
        return self._page(request, row, revealed=done, bound={} if done else {"reveal": form})

    def proof_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The scan of what the exam point saw; each time it is opened is put on record, so it takes a POST."""
        row = self.row_for(request, pk, *WORKING)
        if request.method != "POST":
            return self._back(row)
        try:
            content = identity_desk.read_proof(request=row, actor=actor_of(request), at=clock.arrival(request))
        except Refused as refused:
            messages.error(request, str(refused))
            return self._back(row)
        ending = row.proof.name.rpartition(".")[2]
        return HttpResponse(
            content,
            content_type=SCAN_TYPES[ending],
            headers={
                "Content-Disposition": f'inline; filename="{row.number}.{ending}"',
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
            },
        )

    def _carried_out(
        self,
        request: HttpRequest,
        row: IdentityRequest,
        name: str,
        form: forms.Form,
        act: Callable[[dict[str, Any]], None],
    ) -> HttpResponse:
        """Back to the page when it was done, else the page with what was typed and what is wrong with it."""
        if request.method != "POST" or carry_out(form, act, no_reason="reason", no_scan="proof"):
            return self._back(row)
        row.refresh_from_db()
        if name not in identity_desk.acts_open_to(request=row, actor=actor_of(request)):
            # It went on meanwhile, or was never this person's: there is no form to show the error in.
            messages.error(request, " ".join(map(str, form.non_field_errors())) or _("This is not yours to change."))
            return self._back(row)
        return self._page(request, row, bound={name: form})

    def _back(self, row: IdentityRequest) -> HttpResponse:
        return redirect("admin:accounts_identityrequest_change", row.pk)

    def _page(
        self,
        request: HttpRequest,
        row: IdentityRequest,
        *,
        revealed: bool = False,
        bound: dict[str, forms.Form] | None = None,
    ) -> HttpResponse:
        """The page, with the forms that were sent and refused in the place of empty ones."""
        bound = bound or {}
        actor, at = actor_of(request), clock.arrival(request)
        account = identity_desk.account_of(row)
        unbound: dict[str, type[forms.Form]] = {"check": CheckForm, "approve": ApproveForm, "refuse": RefuseForm}
        acts = {
            name: bound.get(name) or unbound[name](auto_id=f"{name}_%s")
            for name in identity_desk.acts_open_to(request=row, actor=actor)
        }
        is_open = row.state in IdentityRequest.OPEN
        obstacles = [
            obstacle
            for hook in hooks.load("IDENTITY_OBSTACLES")
            for obstacle in (hook(candidate=account, actor=actor, at=at) if account and is_open else [])
        ]
        may_reveal = actor.may(Right.REVEAL_ID) and not revealed
        context = {
            **self.admin_site.each_context(request),
            "title": _("Application %(number)s") % {"number": grouped(row.number)},
            "subtitle": row.get_kind_display(),
            "row": row,
            "is_change": row.kind == IdentityRequest.Kind.CHANGE,
            "is_deletion": row.kind != IdentityRequest.Kind.CHANGE,
            "facts": _facts(row, revealed=revealed),
            "revealed": revealed,
            "reveal": (bound.get("reveal") or RevealForm(auto_id="reveal_%s")) if may_reveal else None,
            "account": account,
            "obstacles": obstacles,
            "acts": acts,
            "carried_out_here": not identity_desk.needs_region(row),
            "checked_by_me": row.state == IdentityRequest.State.CHECKED and str(row.checked_by_id) == actor.id,
            "may_open_proof": bool(row.proof) and any(actor.may(right) for right in WORKING),
            "history": history(("identity_request", row.number)),
            "list_url": reverse("admin:accounts_identityrequest_changelist"),
        }
        return TemplateResponse(request, "admin/accounts/identityrequest/page.html", context)


def _typed(text: str) -> str:
    """A number as typed or scanned: half-width, without spaces and hyphens."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", visible(text))).upper()


def _facts(row: IdentityRequest, *, revealed: bool) -> list[dict[str, Any]]:
    """Name, ID type and ID number, for a change beside what they are to be; the number as marked characters."""
    types = {"": "", **{code: str(id_type.label) for code, id_type in identity.ID_TYPES.items()}}
    compared = identity.compare(row.id_number, row.new_id_number or row.id_number, masked=not revealed)
    facts: list[dict[str, Any]] = [
        {"field": "name", "label": _("Name"), "old": row.name, "new": row.new_name},
        {"field": "id_type", "label": _("ID type"), "old": types[row.id_type], "new": types[row.new_id_type]},
        {"field": "id_number", "label": _("ID number"), "old": compared.old, "new": compared.new},
    ]
    return [
        {
            **fact,
            "changes": fact["field"] in row.changes,
            "is_number": fact["field"] == "id_number",
            "places": compared.places if fact["field"] == "id_number" else [],
        }
        for fact in facts
    ]
