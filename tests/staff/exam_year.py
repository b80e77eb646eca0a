"""Staff before the pages of an exam year, as their tests do it."""

from html.parser import HTMLParser
from typing import Any

from django import forms
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from accounts.actors import Actor, working_as
from accounts.models import StaffAssignment
from tests import factories
from tests.staffing import become


class Browser(Client):
    """A browser in which somebody of staff is signed in."""

    def __init__(self, staff: StaffAssignment) -> None:
        super().__init__()
        self.staff = staff
        become(self, staff)

    @property
    def actor(self) -> Actor:
        return working_as(self.staff)


def browser(region: str = "43", role: str = "") -> Browser:
    """An administrator of the region, or with "" of the nation, unless told."""
    return Browser(factories.make_staff(region=region, role=role or ("region_admin" if region else "national_admin")))


def edit_url(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_edit", args=[row.pk])


def change_url(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def filled(client: Client, row: Any, **changes: str) -> dict[str, str]:
    """What the form of a row would send as it is shown, with changes."""
    data = {}
    for bound in client.get(edit_url(row)).context["form"]:
        if not isinstance(bound.field.widget, forms.CheckboxInput):
            data[bound.name] = bound.field.widget.format_value(bound.value()) or ""
        elif bound.value():
            data[bound.name] = "on"
    return {**data, "reason": "考点已迁址", **changes}


def preview(client: Client, row: Any, **changes: str) -> HttpResponse:
    return client.post(edit_url(row), filled(client, row, act="preview", **changes))  # type: ignore[return-value]


class Tags(HTMLParser):
    """Every tag of a page with its attributes; `frame` is the page within its frame."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    @property
    def frame(self) -> str:
        (attributes,) = [attributes for tag, attributes in self.tags if tag == "iframe"]
        assert attributes["sandbox"] is None, "nothing is let out of the frame"
        return attributes["srcdoc"] or ""


def framed(page: HttpResponse) -> str:
    """The page within the frame of a preview."""
    return Tags(page.content.decode()).frame
