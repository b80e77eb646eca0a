"""Photos: those that the checks doubt, many at once, decided by keyboard; and the page of one (R03)."""

import re
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import identity
from accounts.access import actor_of
from accounts.admin.base import ScopedAdmin
from accounts.histories import history
from accounts.models import Photo
from accounts.photos.report import Box, Verdict
from accounts.roles import Right
from accounts.services import photo_desk
from accounts.territory import visible_to
from accounts.views.photo import PARTS, findings, serve
from exam_portal import clock
from exam_portal.kit.errors import Refused

State = Photo.State
# Where the session keeps decisions that were not carried out, until the page is shown again.
NOT_DECIDED = "photos_not_decided"
NOTHING = {"decision": "", "reason": ""}
# What a form calls its fields about one photo.
_OF_ONE = re.compile(r"(?:decide|reason)-([0-9]{1,18})\Z")


class StateFilter(admin.SimpleListFilter):
    """Those that wait, unless others are asked for."""

    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(state.value, state.label) for state in (State.DOUBTFUL, State.ACCEPTED, State.REFUSED)]

    def choices(self, changelist: Any) -> Any:
        for value, label in self.lookup_choices:
            query = changelist.get_query_string({self.parameter_name: value})
            yield {"selected": self.wanted == value, "query_string": query, "display": label}

    @property
    def wanted(self) -> str:
        """The state that is shown."""
        return self.value() if self.value() in Photo.STANDING else State.DOUBTFUL.value  # type: ignore[return-value]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state=self.wanted)


@admin.register(Photo)
class PhotoAdmin(ScopedAdmin):
    """The queue, the longest waiting first, as cards; decisions of a page are sent together, each with its result."""

    right = Right.SEE_CANDIDATES
    ordering = ["chosen_at", "pk"]
    list_per_page = 24
    list_filter = (StateFilter,)
    list_display = ("pk",)
    list_select_related = ("candidate",)
    change_list_template = "admin/accounts/photo/change_list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(state__in=Photo.STANDING).prefetch_related("alike")

    def get_urls(self) -> list[URLPattern]:
        return [
            self.own("decide/", self.decide_view, "decide"),
            self.own("<int:pk>/<str:part>.jpg", self.picture_view, "picture"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        response = super().changelist_view(request, extra_context)
        shown = getattr(response, "context_data", None) or {}
        if (changelist := shown.get("cl")) is not None:
            typed = request.session.pop(NOT_DECIDED, {})
            shown["cards"] = [self._card(photo, typed.get(str(photo.pk), NOTHING)) for photo in changelist.result_list]
            shown["may_decide"] = actor_of(request).may(Right.DECIDE_PHOTO)
            shown["back_to"] = request.get_full_path()
        return response

    def decide_view(self, request: HttpRequest) -> HttpResponse:
        """Carry out what was decided about the photos of a page, and say of each what came of it."""
        actor, at = actor_of(request), clock.arrival(request)
        if not actor.may(Right.DECIDE_PHOTO):
            return HttpResponse(status=403)
        if request.method == "POST":
            named = ((_OF_ONE.match(name), str(value).strip()) for name, value in request.POST.items())
            wanted = {int(found[1]) for found, value in named if found and value}
            accepted = refused = 0
            not_decided: dict[str, dict[str, str]] = {}
            for photo in visible_to(actor, Photo).filter(pk__in=wanted).select_related("candidate").order_by("pk"):
                decision, reason = (str(request.POST.get(f"{what}-{photo.pk}", "")) for what in ("decide", "reason"))
                try:
                    if decision == "accept":
                        photo_desk.accept(photo=photo, actor=actor, at=at)
                        accepted += 1
                    elif decision == "refuse":
                        photo_desk.refuse(photo=photo, reason=reason, actor=actor, at=at)
                        refused += 1
                    else:
                        raise Refused(_("Choose “Refuse” to send the reason."), code="no_decision")
                except Refused as error:
                    messages.error(request, f"{photo.candidate.name}: {error}")
                    not_decided[str(photo.pk)] = {"decision": decision, "reason": reason}
            if not_decided:  # what was typed stands there again
                request.session[NOT_DECIDED] = not_decided
            if accepted or refused:
                text = _("Accepted: %(accepted)d. Refused: %(refused)d.")
                messages.success(request, text % {"accepted": accepted, "refused": refused})
            elif not wanted:
                messages.info(request, _("Nothing was decided."))
        return redirect(self.address("changelist"))

    def picture_view(self, request: HttpRequest, pk: int, part: str) -> HttpResponse:
        """A picture of a photo of one's territory. The file that was uploaded is never served."""
        photo = self.row_for(request, pk, self.right)
        if part not in PARTS:
            raise Http404
        return serve(getattr(photo, part))

    def shown(self, request: HttpRequest, row: Photo, /) -> HttpResponse:
        """What was uploaded with head and frame drawn over it, what is kept, the report, and what happened."""
        may_decide = row.state == State.DOUBTFUL and actor_of(request).may(Right.DECIDE_PHOTO)
        alike = visible_to(actor_of(request), Photo).filter(alike=row).select_related("candidate")
        return self.page(
            request,
            "accounts/photo/page",
            row.candidate.name,
            photo=row,
            masked=identity.mask(row.candidate.id_number),
            may_decide=may_decide,
            typed=request.session.pop(NOT_DECIDED, {}).get(str(row.pk), NOTHING) if may_decide else NOTHING,
            overlay=_overlay(row),
            picture_findings=findings(row.items),
            frame_findings=findings(row.frame_items),
            alike=list(alike),
            alike_elsewhere=row.alike.count() - len(alike),
            history=history(("candidate", str(row.candidate_id))),
        )

    def _card(self, photo: Photo, typed: dict[str, str]) -> dict[str, Any]:
        found = findings([item for item in photo.items + photo.frame_items if item.verdict != Verdict.PASS])
        return {"photo": photo, "findings": found, "alike": len(photo.alike.all()), "typed": typed}


def _overlay(photo: Photo) -> dict[str, Any] | None:
    """Head and frame in the pixels of the picture that was uploaded, as SVG takes them; None where it is gone."""
    if not photo.preview or not photo.report.get("head"):
        return None
    head, frame = Box(**photo.report["head"]), photo.chosen_frame
    ratio = photo.rule_set.rules.ratio
    return {
        "width": photo.report["width"],
        "height": photo.report["height"],
        "stroke": max(photo.report["width"], photo.report["height"]) / 250,
        "head": head,
        "head_width": head.right - head.left,
        "head_height": head.bottom - head.top,
        "head_x": (head.left + head.right) / 2,
        "head_y": (head.top + head.bottom) / 2,
        "frame": frame,
        "frame_left": frame.x - frame.width / 2,
        "frame_top": frame.y - frame.width / ratio / 2,
        "frame_height": frame.width / ratio,
    }
