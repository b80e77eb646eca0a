"""How staff find a candidate: what was typed decides what it is (R30).

No name holds a digit, and every number does: an ID number of any type, the code of a form, a telephone number. What was
typed stands in no address, since addresses are logged; the session keeps a name, and of a number only whom it found.
"""

from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest

from accounts import identity, queries
from accounts.actors import Actor
from accounts.models import Candidate
from accounts.territory import visible_to
from exam_portal.kit import hooks

KEY = "candidates_sought"
MOST = 50


@dataclass(frozen=True)
class Sought:
    """Whom the list of candidates shows: those of a name, or whose name begins so, or those that a number found."""

    name: str = ""
    beginning: bool = False
    keys: list[int] = field(default_factory=list)

    def among(self, rows: QuerySet[Candidate]) -> QuerySet[Candidate]:
        """Those of these rows."""
        if self.name:
            return queries.candidates_named(self.name, beginning=self.beginning, among=rows)
        return rows.filter(pk__in=self.keys)


def is_number(typed: str) -> bool:
    """Whether this is a number of some kind, and else a name."""
    return any(character.isdigit() for character in typed)


def by_number(*, actor: Actor, typed: str) -> list[int]:
    """Keys of the candidates whom this member of staff finds by an ID number, a form's code or a telephone number."""
    number, digests = identity.normalise_number(typed), identity.digests_of_any_type(typed)
    candidates = visible_to(actor, Candidate)
    # One query for each index: PostgreSQL would read all candidates to answer them together.
    ways = (
        Q(id_digest__in=digests) | Q(id_digest_next__in=digests),
        Q(basic_information__mobile=number),
    )
    found = [pk for way in ways for pk in candidates.filter(way).values_list("pk", flat=True)[:MOST]]
    known = [pk for hook in hooks.load("STAFF_CANDIDATE_SEARCH") for pk in hook(actor=actor, number=number)]
    found += candidates.filter(pk__in=known).values_list("pk", flat=True)
    return sorted(set(found))


def by_name(*, actor: Actor, typed: str) -> Sought | None:
    """Those of exactly this name; when there are none, those whose name begins so; None when there are none either."""
    candidates = visible_to(actor, Candidate)
    ways = (Sought(name=typed), Sought(name=typed, beginning=True))
    return next((way for way in ways if way.among(candidates).exists()), None)


def keep(request: HttpRequest, sought: Sought | None) -> None:
    """Let the list show these from now on; with None all."""
    if sought is None:
        request.session.pop(KEY, None)
    else:
        request.session[KEY] = asdict(sought)


def kept(request: HttpRequest) -> Sought | None:
    """Whom the list is to show, or None for all."""
    state: dict[str, Any] | None = request.session.get(KEY)
    return Sought(**state) if state else None
