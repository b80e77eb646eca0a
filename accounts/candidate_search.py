"""How staff find a candidate: what was typed decides what it is (R30).

No name holds a digit, and every number does: an ID number of any type, the code of a form, a telephone number.
"""

from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts import identity, queries
from accounts.actors import Actor
from accounts.models import Candidate
from accounts.searches import MOST, Sought
from accounts.territory import visible_to
from exam_portal.kit import hooks


@dataclass(frozen=True)
class SoughtCandidates(Sought):
    """Whom the list of candidates shows: those of a name, or whose name begins so, or those that a number found."""

    name: str = ""
    beginning: bool = False

    @property
    def typed(self) -> str:
        return self.name

    def among(self, rows: QuerySet[Candidate]) -> QuerySet[Candidate]:
        if self.name:
            return queries.candidates_named(self.name, beginning=self.beginning, among=rows)
        return super().among(rows)


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


def by_name(*, actor: Actor, typed: str) -> SoughtCandidates | None:
    """Those of exactly this name; when there are none, those whose name begins so; None when there are none either."""
    candidates = visible_to(actor, Candidate)
    ways = (SoughtCandidates(name=typed), SoughtCandidates(name=typed, beginning=True))
    return next((way for way in ways if way.among(candidates).exists()), None)
