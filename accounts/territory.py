"""Which rows somebody of staff sees (R28): each model declares its scope, and everybody asks `visible_to`.

Lists, forms, files and services of staff reach rows in no other way, but for what docs/architecture.md names: what is
told about a row that one sees, and what is needed to decide about it. A model without a scope is seen by nobody, and
registered in the staff site it fails a system check.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, OuterRef, Q, QuerySet

from accounts import queries
from accounts.actors import Actor, forbidden
from accounts.models import (
    Candidate,
    EducationRecord,
    IdentityRequest,
    LedgerEvent,
    Photo,
    Point,
    Region,
    Site,
    StaffAssignment,
)
from accounts.roles import Right
from exam_portal.kit import hooks

Row = TypeVar("Row", bound=Model)
Scope = Callable[[Actor], Q]
NOTHING = Q(pk__in=[])
EVERYTHING = Q()

_SCOPES: dict[type[Model], Scope] = {}


def scope(model: type[Model]) -> Callable[[Scope], Scope]:
    """Declare which rows of `model` an actor of a region, point or site sees; those of the nation see all of them."""

    def declare(function: Scope) -> Scope:
        _SCOPES[model] = function
        return function

    return declare


def has_scope(model: type[Model]) -> bool:
    """Whether the model has declared one."""
    return model in _SCOPES


def visible_to(actor: Actor, model: type[Row]) -> QuerySet[Row]:
    """The rows of `model` that this actor sees: none for whoever is not of staff.

    Raises:
        LookupError: the model has no scope.
    """
    try:
        declared = _SCOPES[model]
    except KeyError:
        raise LookupError(f"{model.__name__} has no scope (accounts.territory)") from None
    rows: QuerySet[Row] = model._default_manager.all()
    if actor.kind != "staff" or not actor.role:
        return rows.none()
    return rows.filter(declared(actor)) if actor.region else rows


def sees(actor: Actor, right: Right, row: Model) -> bool:
    """Whether somebody's role has the right, and this row is visible to them (R28)."""
    return actor.may(right) and visible_to(actor, type(row)).filter(pk=row.pk).exists()


def check_sees(actor: Actor, right: Right, row: Model) -> None:
    """Refuse whoever's role has not the right, or to whom this row is not visible (`sees`).

    Raises:
        Refused: code `forbidden`.
    """
    if not sees(actor, right, row):
        raise forbidden()


# --- The scopes of this app ---------------------------------------------------------------------
def within(actor: Actor, *, region: str, point: str, site: str = "") -> Q:
    """A condition: rows whose columns of these names are of the actor's institution, the narrowest that is named."""
    if actor.site and site:
        return Q(**{site: actor.site})
    return Q(**{point: actor.point}) if actor.point else Q(**{region: actor.region})


def candidates_by_reason(actor: Actor) -> list[QuerySet[Candidate]]:
    """The candidates whom `visible_to` shows, for lists: a query for each reason, which may show the same candidates.

    So PostgreSQL plans each for itself, by the index of its keys or by that of the order; both together it would find
    by reading all candidates, or all keys of a region.
    """
    everybody = visible_to(actor, Candidate)
    if everybody.query.is_empty() or not actor.region:
        return [everybody]
    return [Candidate.objects.filter(pk__in=keys) for keys in _keys_of_candidates(actor)]


def _keys_of_candidates(actor: Actor) -> list[QuerySet[Any, Any]]:
    still_open = visible_to(actor, IdentityRequest).filter(state__in=IdentityRequest.OPEN)
    requests = still_open.exclude(kind=IdentityRequest.Kind.TAKEN).values("candidate")
    return [keys.order_by() for keys in (requests, *(hook(actor=actor) for hook in hooks.load("STAFF_TERRITORY")))]


@scope(Candidate)
def _candidates(actor: Actor) -> Q:
    """Those who apply here, and those whose own application about the identity is open at the exam point (R07).

    Not whom a report is about that somebody took a number: anybody makes one. Asked for one candidate after the other:
    to look for a person, nobody gathers the keys of a whole region.
    """
    here = NOTHING
    for keys in _keys_of_candidates(actor):
        here |= Q(pk__in=keys.filter(candidate=OuterRef("pk")))
    return here


@scope(EducationRecord)
def _education(actor: Actor) -> Q:
    return Q(candidate__in=visible_to(actor, Candidate))


@scope(Photo)
def _photos(actor: Actor) -> Q:
    return Q(candidate__in=visible_to(actor, Candidate))


@scope(IdentityRequest)
def _identity_requests(actor: Actor) -> Q:
    """Those addressed to the exam point, whatever its site, or to a point of the region."""
    return within(actor, region="point__region", point="point")


@scope(StaffAssignment)
def _staff(actor: Actor) -> Q:
    """A region's own staff and that of its points, to whoever sees staff."""
    return Q(region=actor.region) if actor.may(Right.SEE_STAFF) else NOTHING


@scope(LedgerEvent)
def _events(actor: Actor) -> Q:
    """To the administrators of a region: what was done by and about its staff while they were its staff.

    Not what candidates of the region did: theirs is read from the pages of each candidate, request and application.
    The accounts are fetched first, so that the index by actor finds their events however long the ledger is; times
    matter for those only who have worked elsewhere too.
    """
    if not actor.may(Right.SEE_LEDGER):
        return NOTHING
    here = StaffAssignment.objects.filter(region=actor.region)
    elsewhere = StaffAssignment.objects.filter(user__in=here.values("user")).exclude(region=actor.region)
    moved = set(elsewhere.values_list("user", flat=True))
    held = list(here.values_list("user", "valid_from", "valid_until"))
    found = queries.by_and_about({user for user, _since, _until in held} - moved)
    for user, since, until in held:
        if user in moved:
            then = Q(at__gte=since, at__lte=until) if until else Q(at__gte=since)
            found |= then & queries.by_and_about({user})
    return found


@scope(Region)
def _regions(actor: Actor) -> Q:
    return Q(pk=actor.region)


@scope(Point)
def _points(actor: Actor) -> Q:
    return within(actor, region="region", point="pk")


@scope(Site)
def _sites(actor: Actor) -> Q:
    return within(actor, region="point__region", point="point", site="pk")
