"""Candidates, as staff find them, look at them and help them (R28, R30)."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts import candidate_search as search
from accounts import looking, queries
from accounts.access import actor_of
from accounts.actors import Actor
from accounts.admin.base import Help
from accounts.admin.forms import ReasonForm, VerificationForm
from accounts.admin.searching import SearchedByPost
from accounts.candidate_search import SoughtCandidates
from accounts.histories import history
from accounts.models import Candidate, EducationRecord, IdentityRequest
from accounts.roles import Right
from accounts.searches import Sought
from accounts.services import helping, verification
from accounts.territory import candidates_by_reason, visible_to
from exam_portal import clock
from exam_portal.kit import hooks
from exam_portal.kit.forms import carry_out, posted
from exam_portal.kit.text import masked

HELP = {
    "look": Help(
        helping.look,
        gettext_lazy("Look at the portal as the candidate sees it"),
        gettext_lazy("For 15 minutes, to read only. It is recorded; the candidate's unread messages stay unread."),
    ),
    "sessions": Help(
        helping.end_sessions,
        gettext_lazy("Sign out everywhere"),
        gettext_lazy("Ends every session of the account. The candidate reads of it in the inbox."),
    ),
    "unlock": Help(
        helping.unlock,
        gettext_lazy("Unlock"),
        gettext_lazy(
            "After too many wrong passwords or wrong answers, so that the candidate can try again at once. The "
            "candidate reads of it in the inbox."
        ),
    ),
}


@admin.register(Candidate)
class CandidateAdmin(SearchedByPost):
    """The list, found by number or name; and a candidate's page with what staff do there, each by its own address."""

    right = Right.SEE_CANDIDATES
    sought = SoughtCandidates
    list_display = ("person", "id_document", "mobile", "username", "registered")
    list_display_links = ("person",)
    list_select_related = ("user", "basic_information")

    def get_urls(self) -> list[URLPattern]:
        return [
            self.own("looking/end/", self.end_looking, "look_end"),
            self.own("<int:key>/reveal/", self.reveal, "reveal"),
            self.own("education/<int:key>/", self.verify, "verify"),
            *(self.own(f"<int:key>/{name}/", partial(self.help, name), name) for name in HELP),
            *super().get_urls(),
        ]

    # --- The list -------------------------------------------------------------------------------
    def ways(self, request: HttpRequest) -> list[QuerySet[Any]]:
        return [self.as_listed(rows) for rows in candidates_by_reason(actor_of(request))]

    @admin.display(description=gettext_lazy("Name"))
    def person(self, candidate: Candidate) -> str:
        return candidate.name or _("(account deleted)")

    @admin.display(description=gettext_lazy("ID document"))
    def id_document(self, candidate: Candidate) -> str:
        return f"{candidate.get_id_type_display()} {candidate.masked_id_number}"

    @admin.display(description=gettext_lazy("mobile telephone"))
    def mobile(self, candidate: Candidate) -> str:
        basic = getattr(candidate, "basic_information", None)
        return masked(basic.mobile, first=3, last=4) if basic else ""

    @admin.display(description=gettext_lazy("username"))
    def username(self, candidate: Candidate) -> str:
        return candidate.user.username

    @admin.display(description=gettext_lazy("signed up"))
    def registered(self, candidate: Candidate) -> Any:
        return candidate.registered_at

    def look_for(self, request: HttpRequest, typed: str, data: QueryDict) -> Sought | None:
        actor = actor_of(request)
        if search.is_number(typed):
            keys = search.by_number(actor=actor, typed=typed)
            return SoughtCandidates(keys=keys) if keys else None
        if "beginning" in data:
            return SoughtCandidates(name=typed, beginning=True)
        return search.by_name(actor=actor, typed=typed)

    # --- The page -------------------------------------------------------------------------------
    def shown(self, request: HttpRequest, candidate: Candidate, **forms: Any) -> HttpResponse:
        """The candidate's page; `forms` are those that were sent and not carried out, by their names."""
        actor, at = actor_of(request), clock.arrival(request)
        panels = [hook(actor=actor, candidate=candidate, at=at) for hook in hooks.load("STAFF_CANDIDATE_PANELS")]
        panels = [panel for panel in panels if panel]
        requests = list(visible_to(actor, IdentityRequest).filter(candidate=candidate).select_related("point"))
        streams = [
            ("candidate", str(candidate.pk)),
            *(("identity_request", each.number) for each in requests),
            *(stream for panel in panels for stream in panel.streams),
        ]
        there = candidate.deleted_at is None
        return self.page(
            request,
            "accounts/candidate/page",
            candidate.name or _("(account deleted)"),
            candidate=candidate,
            basic=getattr(candidate, "basic_information", None),
            wechat=getattr(candidate, "wechat", None),
            photo=queries.standing_photo(candidate),
            email=_masked_address(candidate.user.email),
            may_reveal=there and actor.may(Right.REVEAL_ID),
            helps=self._helps(actor, candidate, forms) if there else [],
            places=queries.sessions_of(candidate.user, here="") if actor.may(Right.HELP_ACCOUNTS) else [],
            education=self._education(actor, candidate, forms),
            panels=panels,
            requests=requests,
            history=history(*streams),
        )

    def _helps(self, actor: Actor, candidate: Candidate, forms: dict[str, Any]) -> list[dict[str, Any]]:
        if not actor.may(Right.HELP_ACCOUNTS):
            return []
        return [
            {
                "url": self.address(name, candidate.pk),
                "help": each,
                "form": forms.get(name) or ReasonForm(auto_id=f"id_%s_{name}"),
                "open": name in forms,
            }
            for name, each in HELP.items()
        ]

    def _education(self, actor: Actor, candidate: Candidate, forms: dict[str, Any]) -> list[dict[str, Any]]:
        """The candidate's records, those that were corrected last, each that stands with a form to say what it is."""
        rows = []
        for record in sorted(
            candidate.education.all(), key=lambda record: (record.superseded_at is not None, record.pk)
        ):
            form = forms.get(f"education-{record.pk}")  # also where a correction came while it was filled in
            if form is None and actor.may(Right.VERIFY_EDUCATION) and not record.superseded_at:
                form = VerificationForm(record=record)
            rows.append({"record": record, "form": form, "open": f"education-{record.pk}" in forms})
        return rows

    # --- What is done there ---------------------------------------------------------------------
    def reveal(self, request: HttpRequest, key: int) -> HttpResponse:
        """Ask why the number must be known, then show it, once, on the page that answers."""
        candidate = self.row_for(request, key, Right.REVEAL_ID)
        label = candidate.get_id_type_display()
        return self.read_on_record(
            request,
            candidate.name,
            read=lambda **how: [(label, [(helping.reveal_id_number(candidate=candidate, **how), False)])],
            masked=[(label, [(candidate.masked_id_number, False)])],
            heading=_("Reveal the ID number"),
            back=(self.address("change", key), _("Back to the candidate")),
        )

    def help(self, name: str, request: HttpRequest, key: int) -> HttpResponse:
        """Carry out one of `HELP`."""
        candidate = self.row_for(request, key, Right.HELP_ACCOUNTS)
        back = redirect("admin:accounts_candidate_change", key)
        if request.method != "POST":
            return back
        form, ended = ReasonForm(posted(request), auto_id=f"id_%s_{name}"), 0

        def act(data: dict[str, Any]) -> None:
            nonlocal ended
            ended = HELP[name].service(candidate=candidate, **_how(request), **data) or 0

        if not carry_out(form, act, no_reason="reason"):
            return self.shown(request, candidate, **{name: form})
        if name == "look":
            looking.begin(request, candidate)
            return redirect("portal:dashboard")
        if name == "unlock":
            messages.success(request, _("Unlocked. The candidate can try again at once."))
        else:
            text = ngettext("Signed out in %(count)d place.", "Signed out in %(count)d places.", ended)
            messages.success(request, text % {"count": ended})
        return back

    def verify(self, request: HttpRequest, key: int) -> HttpResponse:
        """Set what comparing an education record has shown (R21)."""
        if not actor_of(request).may(Right.VERIFY_EDUCATION):
            raise PermissionDenied
        records = visible_to(actor_of(request), EducationRecord).select_related("candidate__user")
        record = get_object_or_404(records, pk=key)
        back = redirect("admin:accounts_candidate_change", record.candidate_id)
        if request.method != "POST":
            return back
        form = VerificationForm(posted(request), record=record)
        if not carry_out(
            form,
            lambda data: verification.set_verification(record=record, **_how(request), **data),
            no_reason="reason",
        ):
            return self.shown(request, record.candidate, **{f"education-{record.pk}": form})
        messages.success(request, _("Saved."))
        return back

    def end_looking(self, request: HttpRequest) -> HttpResponse:
        """Look no more, and go back to the candidate's page."""
        return redirect(looking.end(request) if request.method == "POST" else "admin:index")


def _how(request: HttpRequest) -> dict[str, Any]:
    """What every service wants to know."""
    return {"actor": actor_of(request), "at": clock.arrival(request)}


def _masked_address(address: str) -> str:
    """`l*******@example.org`, by which a candidate knows the own address again."""
    local, at, domain = address.partition("@")
    return f"{masked(local, first=1, last=0)}{at}{domain}" if at else ""
