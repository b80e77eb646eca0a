"""The staff site: who comes in, the home page with one's own work, and the menu by task."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache

from accounts.access import actor_of
from accounts.models import StaffAssignment
from exam_portal import clock
from exam_portal.kit import hooks
from exam_portal.kit.staff_work import Alert, Deadline, Queue
from exam_portal.staff.menu import menu_of

# Of Django's own pages those that are allauth's business here, and such as nothing leads to: what is not there need not
# be held to the territory.
_LEFT_OUT = {"password_change", "password_change_done", "view_on_site", "app_list", "autocomplete", "jsi18n"}


class StaffSite(admin.AdminSite):
    """Django's admin site, for staff in a role that is in force and with two-step sign-in set up."""

    site_title = gettext_lazy("Staff site")
    site_header = gettext_lazy("Staff site")
    site_url = None
    enable_nav_sidebar = True
    index_template = "admin/home.html"

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """As Django's; candidates, and staff whose role has ended, are told that this is not theirs."""

        def gate(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            actor_of(request)
            return view(request, *args, **kwargs)

        return super().admin_view(gate, cacheable)

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Everybody signs in on one page, allauth's."""
        return redirect_to_login(request.GET.get("next", reverse("admin:index")))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        raise PermissionDenied  # the page's own form goes to allauth's address

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [url for url in super().get_urls() if getattr(url, "name", None) not in _LEFT_OUT]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        return []  # the menu is by task, not by table

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        assignment: StaffAssignment = request.staff_assignment  # type: ignore[attr-defined]
        return {
            **super().each_context(request),
            "assignment": assignment,
            "menu": menu_of(actor_of(request), path=request.path),
            "portal_env": settings.PORTAL_ENV,
            "now": clock.arrival(request),
        }

    def index(self, request: HttpRequest, extra_context: Any = None) -> TemplateResponse:
        """What is wrong, what waits for this member of staff, the oldest first, and the deadlines, the next first."""
        at = clock.arrival(request)
        work = [item for hook in hooks.load("STAFF_WORK") for item in hook(actor=actor_of(request), at=at)]
        context = {
            **self.each_context(request),
            "title": _("My work"),
            "alerts": [item for item in work if isinstance(item, Alert)],
            "queues": sorted((item for item in work if isinstance(item, Queue)), key=_since),
            "deadlines": sorted((item for item in work if isinstance(item, Deadline)), key=lambda item: item.at),
            **(extra_context or {}),
        }
        return TemplateResponse(request, self.index_template, context)


def _since(queue: Queue) -> tuple[bool, float]:
    """What puts queues in order: since when the oldest waits; last those where nothing does."""
    return queue.oldest is None, queue.oldest.timestamp() if queue.oldest else 0
