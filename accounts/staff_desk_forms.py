"""The form by which somebody is given a role (R28)."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts import identity, roles
from accounts.actors import Actor
from accounts.models import Point, Region, Site
from accounts.roles import Level
from accounts.territory import visible_to
from exam_portal import clock
from exam_portal.kit.forms import CHOOSE, DayField
from exam_portal.kit.moments import begins, ends


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

    def clean_valid_from(self) -> date:
        if self.cleaned_data["valid_from"] < self._today():
            raise forms.ValidationError(_("A role begins today or later."))
        return self.cleaned_data["valid_from"]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("valid_from"), data.get("valid_until")
        if first and last and last < first:
            self.add_error("valid_until", _("This is before the first day."))
        return data

    def times(self) -> dict[str, datetime | None]:
        """The moments between which a valid form gives the role: from now on where the first day is today."""
        first, last = self.cleaned_data["valid_from"], self.cleaned_data["valid_until"]
        return {
            "valid_from": self.at if first == self._today() else begins(first),
            "valid_until": ends(last) if last else None,
        }
