"""Forms of the staff's pages of this app; the rules are in the services."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts import identity, ledger_words, queries, roles
from accounts.actors import Actor
from accounts.models import Candidate, EducationRecord, LedgerEvent, Point, Region, Site, StaffAssignment
from accounts.roles import Level
from accounts.territory import visible_to
from exam_portal import clock
from exam_portal.kit import hooks, scans
from exam_portal.kit.forms import CHOOSE, DayField
from exam_portal.kit.moments import begins, ends

Verification = EducationRecord.Verification


class ReasonForm(forms.Form):
    """Why something is done; it goes into the ledger."""

    reason = forms.CharField(
        label=_("Why"),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"required": _("Give the reason.")},
    )


class VerificationForm(forms.Form):
    """What comparing an education record with the certificate has shown."""

    state = forms.ChoiceField(
        label=_("Result of the comparison"),
        choices=[CHOOSE, *((s.value, s.label) for s in Verification if s != Verification.UNVERIFIED)],
    )
    reason = forms.CharField(
        label=_("Compared with"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Say what the record was compared with.")},
    )

    def __init__(self, *args: Any, record: EducationRecord, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": f"id_%s_{record.pk}", **kwargs})


# --- Applications about identities (R07) ---------------------------------------------------------
class ScanField(forms.FileField):
    """A scanned paper: its bytes, once they are a PDF, JPEG or PNG that can be kept."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.FileInput(attrs={"accept": ".pdf,.jpg,.jpeg,.png"})
        super().__init__(**{"widget": widget, **kwargs})

    def clean(self, data: UploadedFile | None, initial: Any = None) -> bytes:
        file = super().clean(data, initial)
        content = file.read(scans.MOST_BYTES + 1)
        try:
            scans.extension(content)
        except scans.NoScan as error:
            raise forms.ValidationError(str(error), code=error.code) from None
        return content


class CheckForm(forms.Form):
    """The scan of the originals, and why it is right."""

    proof = ScanField(
        label=_("Scan of the signed form and the originals"),
        help_text=_("One PDF, JPEG or PNG file, at most 10 MB."),
    )
    remark = forms.CharField(
        label=_("Remark"),
        help_text=_("What was compared; only staff read it."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class ApproveForm(forms.Form):
    """What the second person remarks."""

    remark = forms.CharField(
        label=_("Remark"),
        help_text=_("Only staff read it."),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class RefuseForm(forms.Form):
    """Why it is refused."""

    reason = forms.CharField(
        label=_("Reason for refusing"),
        help_text=_("The applicant reads it: say what is missing, and how to mend it."),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


# --- Staff (R28) ---------------------------------------------------------------------------------
class AddStaffForm(forms.Form):
    """Who, in which role, of which institution of the actor's own territory, and on which days; the last included.

    Fields have the names of the service's arguments, so that what it finds wrong stands beside them.
    """

    username = forms.CharField(
        label=_("Username"),
        help_text=_("For signing in; an account of staff, never a candidate's. A new one is made if there is none."),
        max_length=30,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
    )
    name = forms.CharField(
        label=_("Name"), max_length=50, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    )
    role = forms.ChoiceField(label=_("Role"))
    code = forms.ChoiceField(label=_("Institution"), help_text=_("Of the level that the role is of."), required=False)
    valid_from = DayField(label=_("First day"))
    valid_until = DayField(label=_("Last day"), help_text=_("Empty: until the role is ended."), required=False)

    def __init__(self, data: QueryDict | None, *, actor: Actor, at: datetime) -> None:
        self.at = at
        super().__init__(data, initial={"valid_from": self._today()})
        nation = not actor.region
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            CHOOSE,
            *(
                (code, f"{role.label} ({role.level.label})")
                for code, role in roles.ROLES.items()
                if nation or role.level != Level.NATION
            ),
        ]
        self.fields["code"].required = not nation
        self.fields["code"].choices = [  # type: ignore[attr-defined]
            ("", _("None: the nation")) if nation else CHOOSE,
            *(
                (level.label, [(row.pk, f"{row.pk} {row}") for row in rows])
                for level, rows in (
                    (Level.REGION, visible_to(actor, Region)),
                    (Level.POINT, visible_to(actor, Point)),
                    (Level.SITE, visible_to(actor, Site)),
                )
            ),
        ]

    def _today(self) -> date:
        return self.at.astimezone(clock.BEIJING).date()

    def clean_username(self) -> str:
        username = identity.normalise_username(self.cleaned_data["username"])
        identity.check_username(username)
        return username

    def clean_name(self) -> str:
        name = identity.normalise_name(self.cleaned_data["name"])
        identity.check_name(name)
        return name

    def times(self) -> dict[str, datetime | None]:
        """The moments between which a valid form gives the role; None as the first: from now on, as it is today."""
        first, last = self.cleaned_data["valid_from"], self.cleaned_data["valid_until"]
        return {
            "valid_from": None if first == self._today() else begins(first),
            "valid_until": ends(last) if last else None,
        }


# --- The ledger ----------------------------------------------------------------------------------
# In the list of actions: all of one group.
ALL_OF = ".*"


def _actions() -> list[Any]:
    return [
        ("", _("All")),
        *(
            (heading, [(f"{code}{ALL_OF}", format_lazy("{} ({})", heading, _("all"))), *words.items()])
            for code, heading, words in ledger_words.GROUPS
        ),
    ]


class AuditForm(forms.Form):
    """What of the ledger is looked for. Everything may be left empty."""

    person = forms.CharField(
        label=_("Username"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    stream = forms.ChoiceField(label=_("About"), required=False)
    subject = forms.CharField(label=_("Number"), max_length=40, required=False)
    action = forms.ChoiceField(label=_("What"), required=False)
    since = DayField(label=_("From"), required=False)
    until = DayField(label=_("To"), required=False)

    def __init__(self, data: QueryDict, *, actor: Actor) -> None:
        super().__init__(data, auto_id="audit_%s")
        self.actor = actor
        self.fields["stream"].choices = [("", _("All")), *ledger_words.STREAMS.items()]  # type: ignore[attr-defined]
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
            return queries.by_and_about({member.user_id})
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
