"""Searching inside a form (生僻字输入, schools): the buttons send that form, which comes back as it was typed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.paginator import Paginator

from accounts import identity, rare_characters, schools
from accounts.forms import RareCharacterForm
from accounts.profile_forms import SchoolForm

# What was sent, or was laid aside when a session ended.
Sent = Mapping[str, Any]


def _text(sent: Sent, name: str) -> str:
    """What a field holds; nothing where a forged form that was laid aside held it twice."""
    value = sent.get(name, "")
    return value.strip() if isinstance(value, str) else ""


@dataclass(frozen=True)
class Picker:
    """A search: what is found for a text, `at_once` on a page, what may be chosen, and the form of its field."""

    find: Callable[[str], Sequence[Any]]
    known: Callable[[str], bool]
    at_once: int
    form: type[forms.Form]

    def chosen(self, sent: Sent) -> str:
        """What a form was sent to choose, or ""."""
        choice = _text(sent, "pick")
        return choice if self.known(choice) else ""

    def searched(self, sent: Sent) -> bool:
        """Whether a form was sent to search: by its button, or by Enter with something new to find."""
        query = _text(sent, "picker_query")
        return "search" in sent or ("enter" in sent and query not in {"", sent.get("picker_searched")})

    def asked(self, sent: Sent) -> bool:
        """Whether a form was sent to choose or to search, and is not to be carried out."""
        return bool(self.chosen(sent)) or self.searched(sent)

    def shown(self, sent: Sent) -> dict[str, Any]:
        """What its include shows: after a search a page of what was found, else only the field.

        `query` goes along with the form, and comes back as `picker_searched`: Enter searches only for something else.
        """
        choice = self.chosen(sent)
        query = "" if choice else _text(sent, "picker_query")
        sought = query if self.searched(sent) else ""
        page = Paginator(self.find(sought), self.at_once).get_page(sent.get("search"))
        return {
            "form": self.form(initial={"picker_query": query}),
            "query": query,
            "chosen": choice,
            "open": self.asked(sent),
            "searched": sought,
            "found": page.object_list,
            "total": page.paginator.count,
            "next": page.next_page_number() if page.has_next() else None,
        }


RARE_CHARACTERS = Picker(
    find=rare_characters.find,
    known=lambda choice: choice == identity.DOT or rare_characters.find_character(choice) is not None,
    at_once=rare_characters.AT_ONCE,
    form=RareCharacterForm,
)
SCHOOLS = Picker(
    find=schools.find,
    known=lambda choice: schools.code_of(choice) != schools.OTHER,
    at_once=schools.AT_ONCE,
    form=SchoolForm,
)


def characters_shown(sent: Sent) -> dict[str, Any]:
    """What the search for rare characters shows; `lacking` where the printed form has no glyph for one of them."""
    shown = RARE_CHARACTERS.shown(sent)
    return {**shown, "lacking": not all(rare.printed for rare in shown["found"])}


def with_character(sent: Sent) -> dict[str, Any]:
    """A form as it was typed, with the chosen character in the name, or in both where it has two."""
    typed = {name: sent.get(name, "") for name in sent}
    if character := RARE_CHARACTERS.chosen(sent):
        name = typed.get("name", "")
        again = typed.get("name_again", name)
        name, again = rare_characters.insert(character=character, name=name, again=again)
        typed |= {"name": name, "name_again": again}
    return typed


def with_school(sent: Sent) -> dict[str, Any]:
    """A form as it was typed, with the chosen school; a note on another one goes."""
    typed = {name: sent[name] for name in sent}
    school = SCHOOLS.chosen(sent)
    return typed | {"school": school, "school_note": ""} if school else typed
