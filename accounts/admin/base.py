"""What every page of the staff site stands on: rows of one's own territory, by right, masked, paged by key (R28)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import ShowFacets
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.text import capfirst

from accounts.access import actor_of
from accounts.admin.forms import ReasonForm
from accounts.roles import Right
from accounts.territory import visible_to
from accounts.two_step import ask_for_proof, recently_proved
from exam_portal import clock
from exam_portal.kit.forms import carry_out, posted
from exam_portal.kit.keyset import KeysetChangeList

READ = ["GET", "HEAD"]
# Numbers under their labels, as characters with whether each is marked.
Numbers = list[tuple[str, list[tuple[str, bool]]]]


@dataclass(frozen=True)
class Help:
    """Something that staff do for somebody's account, with a reason: its service, and what it is called."""

    service: Callable[..., Any]
    label: str | Promise
    explains: str | Promise


class ScopedAdmin(admin.ModelAdmin):
    """The rows of one's own territory (`accounts.territory`), to read; what changes them are services.

    Attributes:
        right: what one's role must have to see list and page.
        pages: of Django's own pages those that this model has.
        ordering: of the list, as `exam_portal.kit.keyset` wants it.
    """

    right: ClassVar[Right]
    pages: ClassVar[set[str]] = {"changelist", "change"}
    ordering = ["-pk"]
    list_per_page = 50
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    actions = None
    sortable_by = []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return self.as_listed(visible_to(actor_of(request), self.model))

    def ways(self, request: HttpRequest) -> list[QuerySet[Any]]:
        """The rows of the list; more than one query where each finds some of them by an index of its own."""
        return [self.get_queryset(request)]

    def as_listed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """These rows in the list's order, with what it shows of others."""
        rows, related = rows.order_by(*self.ordering), self.list_select_related
        return rows if isinstance(related, bool) else rows.select_related(*related)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what the list's own filters ask for: any other could be used to guess what is not shown."""
        filters = self.get_list_filter(request)
        asked = {f"{field}__{how}" for field in filters if isinstance(field, str) for how in ("exact", "isnull")}
        return lookup in asked | {getattr(each, "parameter_name", None) for each in filters}

    def get_urls(self) -> list[URLPattern]:
        wanted = {self._named(page) for page in self.pages}
        return [url for url in super().get_urls() if url.name in wanted]

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        """As every page: what is not there for somebody is not found."""
        raise Http404

    # --- Pages of our own -----------------------------------------------------------------------
    def address(self, page: str, *args: Any) -> str:
        """The address of a page of this model, such as `changelist`."""
        return reverse(f"admin:{self._named(page)}", args=args)

    def own(self, route: str, view: Callable[..., HttpResponse], page: str) -> URLPattern:
        """A page of our own, by its name."""
        return path(route, self.admin_site.admin_view(view), name=self._named(page))

    def row_for(self, request: HttpRequest, key: Any, *rights: Right) -> Any:
        """The row that an address names, for whoever has one of these rights.

        Raises:
            PermissionDenied: the role has none of them.
            Http404: the row is not of one's territory, or not there.
        """
        if not any(actor_of(request).may(right) for right in rights):
            raise PermissionDenied
        row = self.get_object(request, unquote(str(key)))
        if row is None:
            raise Http404
        return row

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of a row, to read: what is done there has addresses of its own."""
        row = self.row_for(request, object_id, self.right)
        return self.shown(request, row) if request.method in READ else HttpResponseNotAllowed(READ)

    def shown(self, request: HttpRequest, row: Any, /) -> HttpResponse:
        """The page of a row."""
        raise NotImplementedError

    def page(
        self, request: HttpRequest, template: str, title: str, *, back: tuple[str, Any] | None = None, **context: Any
    ) -> HttpResponse:
        """A page of our own, with the way back above its title: an address and its words, the list's unless given."""
        if back is None and "changelist" in self.pages:
            back = (self.address("changelist"), capfirst(self.opts.verbose_name_plural))
        context = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "back": back, **context}
        return TemplateResponse(request, f"admin/{template}.html", context)

    def read_on_record(
        self,
        request: HttpRequest,
        title: str,
        *,
        read: Callable[..., Numbers | HttpResponse],
        masked: Numbers,
        **context: Any,
    ) -> HttpResponse:
        """A page that asks why something hidden has to be read, and answers with it, once.

        Who one is has to be proved before it asks: no reason is typed in vain. `read` is given actor, time and reason
        and puts them on record; it returns the numbers to show instead of the `masked` ones, or an answer of its own.
        `context` is of `page`, with what is read in `heading`.
        """
        if not recently_proved(request):
            return ask_for_proof(request)
        form = ReasonForm(posted(request))
        found: Numbers | HttpResponse | None = None

        def act(data: dict[str, Any]) -> None:
            nonlocal found
            found = read(actor=actor_of(request), at=clock.arrival(request), **data)

        carry_out(form, act, no_reason="reason")
        if isinstance(found, HttpResponse):
            return found
        numbers, is_read = found or masked, found is not None
        return self.page(
            request, "accounts/read_on_record", title, form=form, numbers=numbers, is_read=is_read, **context
        )

    def _named(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    # --- Who may: by right to see, and nobody to add, change or delete by hand ------------------
    def has_module_permission(self, request: HttpRequest) -> bool:
        return actor_of(request).may(self.right)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return actor_of(request).may(self.right)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
