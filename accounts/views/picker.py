"""生僻字输入 inside a form whose name is being typed (includes/rare_characters.html): its buttons send that form."""

from typing import Any

from django.core.paginator import Paginator
from django.http import QueryDict

from accounts import identity, rare_characters
from accounts.forms import RareCharacterForm


def searched(posted: QueryDict) -> bool:
    """Whether a form was sent to search for a rare character: by its button, or by Enter with something new to find."""
    query = posted.get("picker_query", "").strip()
    return "search" in posted or ("enter" in posted and query not in {"", posted.get("picker_searched")})


def chosen(posted: QueryDict) -> str:
    """The rare character, or the 「·」, that a form was sent to put into the name, or ""."""
    character = posted.get("pick", "")
    return character if character == identity.DOT or rare_characters.find_character(character) else ""


def as_typed(posted: QueryDict) -> dict[str, str]:
    """What a form shows again, unchecked, with a chosen character put into the name, or into both where it has two."""
    typed = {name: posted.get(name, "") for name in posted}
    if character := chosen(posted):
        name = typed.get("name", "")
        again = typed.get("name_again", name)
        name, again = rare_characters.insert(character=character, name=name, again=again)
        typed |= {"name": name, "name_again": again}
    return typed


def picker(posted: QueryDict) -> dict[str, Any]:
    """What the include shows: after a search a page of characters, else only the field."""
    query, character = posted.get("picker_query", "").strip(), chosen(posted)
    sought = query if searched(posted) and not character else ""
    page = Paginator(rare_characters.find(sought), rare_characters.AT_ONCE).get_page(posted.get("search"))
    return {
        "form": RareCharacterForm(initial={"picker_query": "" if character else query}),
        "chosen": character,
        "open": bool(character or searched(posted)),
        "searched": sought,
        "found": page.object_list,
        "lacking": not all(rare.printed for rare in page.object_list),
        "next": page.next_page_number() if page.has_next() else None,
    }
