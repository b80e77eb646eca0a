"""The audit page: the ledger by person, stream, action and time, and whether it is whole (R28).

Searching is a POST, as it is for candidates: what is typed may be an ID number, and addresses are logged. Only what was
found stands in an address: a username and the number of a stream are no secrets.
"""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import identity, ledger_words, queries
from accounts.access import actor_of
from accounts.actors import Actor
from accounts.admin.base import ScopedAdmin
from accounts.histories import Told, told
from accounts.models import Candidate, LedgerEvent, StaffAssignment
from accounts.roles import Right
from accounts.staff_work import ledger_alert
from accounts.territory import visible_to
from exam_portal import clock
from exam_portal.kit import hooks
from exam_portal.kit.forms import DayField, posted
from exam_portal.kit.keyset import KeysetChangeList
from exam_portal.kit.moments import begins, ends

# In the list of actions: all of one group.
ALL_OF = ".*"
LIST = "admin:accounts_ledgerevent_changelist"


def _actions() -> list[Any]:
    return [
        ("", gettext_lazy("All")),
        *(
            (heading, [(f"{code}{ALL_OF}", format_lazy("{} ({})", heading, gettext_lazy("all"))), *words.items()])
            for code, heading, words in ledger_words.GROUPS
        ),
    ]


class AuditForm(forms.Form):
    """What of the ledger is looked for. Everything may be left empty."""

    person = forms.CharField(
        label=gettext_lazy("Username"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    stream = forms.ChoiceField(label=gettext_lazy("About"), required=False)
    subject = forms.CharField(label=gettext_lazy("Number"), max_length=40, required=False)
    action = forms.ChoiceField(label=gettext_lazy("What"), required=False)
    since = DayField(label=gettext_lazy("From"), required=False)
    until = DayField(label=gettext_lazy("To"), required=False)

    def __init__(self, data: QueryDict, *, actor: Actor) -> None:
        super().__init__(data, auto_id="audit_%s")
        self.actor = actor
        self.fields["stream"].choices = [("", gettext_lazy("All")), *ledger_words.STREAMS.items()]  # type: ignore[attr-defined]
        self.fields["action"].choices = _actions()  # type: ignore[attr-defined]

    def clean_person(self) -> Q:
        """The events of a person whom one sees: what they did, and what is about them.

        It says the same of a username that nobody has as of one that is not of one's territory.
        """
        typed = self.cleaned_data["person"]
        if not typed:
            return Q()
        username = identity.normalise_username(typed)
        member = visible_to(self.actor, StaffAssignment).filter(user__username=username).first()
        if member is not None:
            number = str(member.user_id)
            return Q(actor_kind="staff", actor_id=number) | Q(stream="staff", stream_id=number)
        candidate = visible_to(self.actor, Candidate).filter(user__username=username).first()
        if candidate is None:
            raise forms.ValidationError(_("Nobody whose record you may see has this username."))
        return _about(candidate)

    def clean_subject(self) -> str:
        """The number of a stream that one sees: what is none, and may be an ID number, gets into no address."""
        number = "".join(self.cleaned_data["subject"].split())
        streams = visible_to(self.actor, LedgerEvent).filter(stream__in=ledger_words.STREAMS)
        if number and not streams.filter(stream_id=number).exists():
            raise forms.ValidationError(_("Nothing that you may see is on record under this number."))
        return number

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("since") and data.get("until") and data["until"] < data["since"]:
            self.add_error("until", _("This is before the first day."))
        return data

    def asked(self) -> dict[str, str]:
        """What was filled in, as an address has it."""
        return {name: self.data[name] for name in self.fields if self.data.get(name)}

    def condition(self) -> Q:
        """What a valid form looks for."""
        data = self.cleaned_data
        found: Q = data["person"]
        if data["stream"]:
            found &= Q(stream=data["stream"])
        if data["subject"]:
            found &= Q(stream_id=data["subject"])
        if action := data["action"]:
            group = {code: words for code, _heading, words in ledger_words.GROUPS}.get(action.removesuffix(ALL_OF))
            found &= Q(action__in=list(group)) if action.endswith(ALL_OF) and group else Q(action=action)
        if data["since"]:
            found &= Q(at__gte=begins(data["since"]))
        if data["until"]:
            found &= Q(at__lt=ends(data["until"]))
        return found


def _about(candidate: Candidate) -> Q:
    number = str(candidate.pk)
    found = Q(actor_kind="candidate", actor_id=number) | Q(stream="candidate", stream_id=number)
    for numbered in candidate.identity_requests.values_list("number", flat=True):
        found |= Q(stream="identity_request", stream_id=numbered)
    for hook in hooks.load("LEDGER_STREAMS"):
        for stream, stream_id in hook(candidate=candidate):
            found |= Q(stream=stream, stream_id=stream_id)
    return found


class AuditList(KeysetChangeList):
    """The events that the form above the list asks for, each in words."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in AuditForm.base_fields}

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        rows = super().get_queryset(request, exclude_parameters)
        self.form = AuditForm(posted(request) or request.GET, actor=actor_of(request))
        self.ways = [rows.filter(self.form.condition()) if self.form.is_valid() else rows.none()]
        return self.ways[0]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.events: list[Told] = told(self.result_list)
        self.filtered = bool(self.form.asked())


@admin.register(LedgerEvent)
class LedgerEventAdmin(ScopedAdmin):
    """Read only, the newest first; above it the filters, and what the last verification found.

    In the order of time: by it the index finds an old day at once, where paging by number would read all days since.
    """

    right = Right.SEE_LEDGER
    pages = {"changelist"}
    ordering = ["-at", "-pk"]
    list_display = ("at",)
    list_display_links = None

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[AuditList]:
        return AuditList

    def get_urls(self) -> list[URLPattern]:
        return [self.own("search/", self.search, "search"), *super().get_urls()]

    def search(self, request: HttpRequest) -> HttpResponse:
        """Look for what the form asks for. What finds nothing may be an ID number: it stands on this page once."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if (data := posted(request)) is None:
            return redirect(LIST)
        form = AuditForm(data, actor=actor_of(request))
        if not form.is_valid():
            return self.changelist_view(request)
        return redirect(f"{reverse(LIST)}?{urlencode(form.asked())}")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        last = queries.last_verification()
        alert = ledger_alert(last, at=clock.arrival(request))
        context = {"verification": last, "alert": alert, **(extra_context or {})}
        return super().changelist_view(request, context)
