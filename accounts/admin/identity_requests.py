"""Applications about identities (R07), as the exam point and the region work on them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import identity
from accounts.access import actor_of
from accounts.actors import Actor
from accounts.admin.base import Numbers
from accounts.admin.forms import ApproveForm, CheckForm, RefuseForm
from accounts.admin.searching import SearchedByPost
from accounts.histories import history
from accounts.models import IdentityRequest
from accounts.roles import Right
from accounts.searches import MOST, Sought
from accounts.services import identity_desk
from accounts.services.second_person import WHO_MAY_APART
from accounts.territory import visible_to
from accounts.two_step import ask_for_proof, proof_address, proved_for
from exam_portal import clock
from exam_portal.kit import hooks
from exam_portal.kit.forms import carry_out, posted
from exam_portal.kit.text import grouped

# Scans by the ending under which they are kept (exam_portal.kit.scans looks into them).
SCAN_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "png": "image/png"}
# Of what is open, as much is decrypted to look for the last characters of an ID number.
SEARCHED = 20_000
WORKING = (Right.CHECK_IDENTITY, Right.DECIDE_IDENTITY)


@admin.register(IdentityRequest)
class IdentityRequestAdmin(SearchedByPost):
    """The list by number, state and kind, the newest first; and the page of one, on which it is decided."""

    right = Right.SEE_CANDIDATES
    ordering = ["-made_at", "-pk"]
    list_display = ("number_on_paper", "applicant", "masked_id_number", "kind", "state", "point", "made_at")
    list_filter = ("state", "kind")
    list_select_related = ("point",)

    @admin.display(description=gettext_lazy("number"))
    def number_on_paper(self, row: IdentityRequest) -> str:
        return grouped(row.number)

    @admin.display(description=gettext_lazy("Name"))
    def applicant(self, row: IdentityRequest) -> str:
        return row.name

    @admin.display(description=gettext_lazy("ID number"))
    def masked_id_number(self, row: IdentityRequest) -> str:
        return identity.mask(row.id_number)

    def look_for(self, request: HttpRequest, typed: str, data: QueryDict) -> Sought | None:
        """By the number under the barcode; or by the end of the ID number that the list shows, never by all of it."""
        number = identity.normalise_number(typed)
        rows = visible_to(actor_of(request), IdentityRequest)
        if len(number) == 4:
            still_open = rows.filter(state__in=IdentityRequest.OPEN).values_list("pk", "id_number")[: SEARCHED + 1]
            keys = [pk for pk, id_number in still_open if id_number.endswith(number)]
            if len(still_open) > SEARCHED:
                text = _("More than %(count)d are open: not all were looked through. Enter the 12 digits of the form.")
                messages.warning(request, text % {"count": SEARCHED})
        else:
            keys = list(rows.filter(number=number).values_list("pk", flat=True))
        return Sought(keys=keys[:MOST]) if keys else None

    # --- One application ------------------------------------------------------------------------
    def get_urls(self) -> list[URLPattern]:
        views = {
            "check": self.check_view,
            "approve": self.approve_view,
            "refuse": self.refuse_view,
            "reveal": self.reveal_view,
            "proof": self.proof_view,
        }
        return [*(self.own(f"<int:pk>/{name}/", view, name) for name, view in views.items()), *super().get_urls()]

    def check_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The exam point saw the originals."""
        row = self.row_for(request, pk, Right.CHECK_IDENTITY)
        if not proved_for(request):
            return ask_for_proof(request)
        form = CheckForm(posted(request), request.FILES or None, auto_id="check_%s")

        def act(data: dict[str, Any]) -> None:
            done = identity_desk.check(request=row, actor=actor_of(request), at=clock.arrival(request), **data)
            text = _("Handed on to the region.") if done.needs_region else _("Carried out.")
            messages.success(request, text)

        return self._carried_out(request, row, "check", form, act)

    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The second person, of the region, decides that it is carried out."""
        row = self.row_for(request, pk, Right.DECIDE_IDENTITY)
        if not proved_for(request):
            return ask_for_proof(request)
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
        """Ask why the ID numbers must be known, then show them in full, once, to compare them with the card."""
        row = self.row_for(request, pk, Right.REVEAL_ID)

        def read(**how: Any) -> Numbers:
            identity_desk.reveal(request=row, **how)
            return _numbers(row, masked=False)

        return self._read_on_record(request, row, read, _("Reveal the ID number"), masked=_numbers(row))

    def proof_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why, then open the scan of what the exam point saw: on an ID card stands the full number."""
        row = self.row_for(request, pk, *WORKING)

        def read(**how: Any) -> HttpResponse:
            content = identity_desk.read_proof(request=row, **how)
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

        return self._read_on_record(request, row, read, _("Open the scan"), masked=[])

    def _read_on_record(
        self,
        request: HttpRequest,
        row: IdentityRequest,
        read: Callable[..., Numbers | HttpResponse],
        heading: str,
        *,
        masked: Numbers,
    ) -> HttpResponse:
        back = (self.address("change", row.pk), _("Back to the application"))
        return self.read_on_record(request, _title(row), read=read, masked=masked, heading=heading, back=back)

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
        if not self.get_queryset(request).filter(pk=row.pk).exists():
            messages.error(request, _("It was removed meanwhile: applied for anew, or the account was deleted."))
            return redirect(self.address("changelist"))
        row.refresh_from_db()
        if name not in identity_desk.acts_open_to(request=row, actor=actor_of(request)):
            # It went on meanwhile, or was never this person's: there is no form to show the error in.
            messages.error(request, " ".join(map(str, form.non_field_errors())) or _("This is not yours to change."))
            return self._back(row)
        return self.shown(request, row, bound={name: form})

    def _back(self, row: IdentityRequest) -> HttpResponse:
        return redirect(self.address("change", row.pk))

    def shown(
        self, request: HttpRequest, row: IdentityRequest, *, bound: dict[str, forms.Form] | None = None
    ) -> HttpResponse:
        """What is applied for, what stands against it, and what may be done.

        `bound` is a form that was sent and refused, in the place of an empty one.
        """
        bound = bound or {}
        actor, at = actor_of(request), clock.arrival(request)
        unbound: dict[str, type[forms.Form]] = {"check": CheckForm, "approve": ApproveForm, "refuse": RefuseForm}
        acts = {
            name: bound.get(name) or unbound[name](auto_id=f"{name}_%s")
            for name in identity_desk.acts_open_to(request=row, actor=actor)
        }
        return self.page(
            request,
            "accounts/identityrequest/page",
            _title(row),
            subtitle=row.get_kind_display(),
            row=row,
            is_change=row.kind == IdentityRequest.Kind.CHANGE,
            is_deletion=row.kind != IdentityRequest.Kind.CHANGE,
            facts=_facts(row),
            may_reveal=actor.may(Right.REVEAL_ID),
            acts=acts,
            proof_url="" if proved_for(request) else proof_address(self.address("change", row.pk)),
            carried_out_here=not identity_desk.needs_region(row),
            another_decides=WHO_MAY_APART if list(acts) == ["refuse"] else "",
            may_open_proof=identity_desk.may_read_proof(request=row, actor=actor),
            history=history(("identity_request", row.number)),
            **_account(row, actor, at),
        )


def _title(row: IdentityRequest) -> str:
    return _("Application %(number)s") % {"number": grouped(row.number)}


def _account(row: IdentityRequest, actor: Actor, at: datetime) -> dict[str, Any]:
    """The account that an application is about, and what stands against it; once it is decided, nothing of it any more.

    Anybody may report that somebody took a number. So of the account that has it no more is told than whoever decides
    needs: that it is there, whether its name is the applicant's, who may only have forgotten it, and what one closes;
    that, when the exam point has seen the originals.
    """
    is_open = row.state in IdentityRequest.OPEN
    account = identity_desk.account_of(row) if is_open or row.state == IdentityRequest.State.DONE else None
    reported = row.kind == IdentityRequest.Kind.TAKEN
    looked_at_later = reported and row.state == IdentityRequest.State.MADE
    against = []
    if account and is_open and not looked_at_later:
        for hook in hooks.load("IDENTITY_OBSTACLES"):
            against += hook(candidate=account, actor=actor, at=at)
    told = [obstacle for obstacle in against if obstacle.url or not reported]
    return {
        "has_account": account is not None and account.deleted_at is None,
        "was_deleted": account is not None and account.deleted_at is not None,
        "account": account if is_open and not reported else None,
        "looked_at_later": looked_at_later,
        "is_open": is_open,
        "same_name": account is not None and account.name == row.name,
        "obstacles": told,
        "more_against": len(told) < len(against),
    }


def _numbers(row: IdentityRequest, *, masked: bool = True) -> Numbers:
    """The ID number, and what it is to be; what differs is marked."""
    compared = identity.compare(row.id_number, row.new_id_number or row.id_number, masked=masked)
    old = (_("ID number"), compared.old)
    return [old, (_("To be"), compared.new)] if "id_number" in row.changes else [old]


def _facts(row: IdentityRequest) -> list[dict[str, Any]]:
    """Name, ID type and ID number, for a change beside what they are to be; the number as masked, marked characters."""
    types = {"": "", **{code: str(id_type.label) for code, id_type in identity.ID_TYPES.items()}}
    compared = identity.compare(row.id_number, row.new_id_number or row.id_number)
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
