"""What staff do with an application: so far, a region closes what stands against correcting an identity (R07)."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils.translation import gettext as _

from accounts.access import actor_of
from accounts.admin.base import ScopedAdmin
from accounts.models import IdentityRequest
from accounts.roles import Right
from accounts.territory import visible_to
from accounts.two_step import ask_for_proof, proved_for
from exam_portal import clock
from exam_portal.kit.forms import carry_out, posted
from registration.admin.forms import CloseForm
from registration.models import Application
from registration.services import applications


@admin.register(Application)
class ApplicationAdmin(ScopedAdmin):
    """No list yet: the page that closes one is opened from the application about an identity that it stands against.

    An application about an identity may be another region's; its number, told by that region's exam point, is enough
    here, and the service looks whether it is about this candidate.
    """

    right = Right.CLOSE_APPLICATION
    pages = set()
    list_select_related = ("candidate__user", "exam", "exam_region__region", "point")

    def get_urls(self) -> list[URLPattern]:
        return [self.own("<int:pk>/close/", self.close_view, "close"), *super().get_urls()]

    def close_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Close a live application, so that an identity can be corrected; who one is has to be proved before."""
        row = self.row_for(request, pk, self.right)
        if not proved_for(request):
            return ask_for_proof(request)
        actor, at = actor_of(request), clock.arrival(request)
        form = CloseForm(posted(request), initial={"request": request.GET.get("request", "")})

        def act(data: dict[str, Any]) -> None:
            applications.close_for_identity(application=row, actor=actor, at=at, **data)

        if carry_out(form, act, no_request="request", not_checked="request", no_reason="reason"):
            messages.success(request, _("The registration is closed; the candidate is told."))
            about = visible_to(actor, IdentityRequest).filter(pk=form.cleaned_data["request"].pk).first()
            if about is None or not actor.may(Right.SEE_CANDIDATES):
                return redirect("admin:index")
            return redirect("admin:accounts_identityrequest_change", about.pk)
        row.refresh_from_db()
        return self.page(
            request,
            "registration/application/close",
            _("Close a registration because of an identity"),
            row=row,
            status=row.status_at(at),
            may_close=applications.may_close(application=row, actor=actor),
            form=form,
        )
