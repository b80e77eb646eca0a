"""Searching schools inside the form of an education record (includes/schools.html): its buttons send that form."""

from collections.abc import Mapping
from typing import Any

from django.core.paginator import Paginator

from accounts import schools
from accounts.profile_forms import SchoolForm

# What was sent, or was laid aside when a session ended.
Sent = Mapping[str, Any]


def _text(sent: Sent, name: str) -> str:
    """What a field holds; nothing where a forged form that was laid aside held it twice."""
    value = sent.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def searched(sent: Sent) -> bool:
    """Whether a form was sent to search for a school: by its button, or by Enter with something new to find."""
    query = _text(sent, "picker_query")
    return "search" in sent or ("enter" in sent and query not in {"", sent.get("picker_searched")})


def chosen(sent: Sent) -> str:
    """The name of a school of the list that a form was sent to take over, or ""."""
    name = _text(sent, "pick")
    return name if schools.code_of(name) != schools.OTHER else ""


def as_typed(sent: Sent) -> dict[str, Any]:
    """What a form shows again, unchecked, with the school that was chosen; what belongs to another school goes."""
    typed = {name: sent[name] for name in sent}
    return typed | {"school": chosen(sent), "school_note": ""} if chosen(sent) else typed


def picker(sent: Sent) -> dict[str, Any]:
    """What the include shows: after a search a page of schools, else only the field.

    `query` goes along with the form, and comes back as `picker_searched`: Enter searches only for something else.
    """
    name = chosen(sent)
    query = "" if name else _text(sent, "picker_query")
    sought = query if searched(sent) else ""
    page = Paginator(schools.find(sought), schools.AT_ONCE).get_page(sent.get("search"))
    return {
        "form": SchoolForm(initial={"picker_query": query}),
        "query": query,
        "chosen": name,
        "open": bool(name or searched(sent)),
        "searched": sought,
        "found": page.object_list,
        "total": page.paginator.count,
        "next": page.next_page_number() if page.has_next() else None,
    }
