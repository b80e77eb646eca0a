"""Applying to change a name or an ID, or to delete an account (R07).

Anybody applies online, prints the form and brings it to the exam point with originals. The exam point checks them and
scans the proof; it carries out a new name, and the deletion of the applicant's own account. A second person, of the
region, decides a changed ID type or number, and whether an account goes that somebody else is said to have made
(identity_desk). How it is carried out is in identity_changes.

What is done is on record: old and new values, who, why and the scan in the request, whose number the ledger holds.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import identity
from accounts.actors import SYSTEM, Actor, check_acts_for
from accounts.models import Candidate, IdentityRequest, Point
from accounts.services import ledger, outbox
from accounts.services.candidates import hold
from exam_portal import clock
from exam_portal.kit.crypto import keyed_digest
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked

Kind, State = IdentityRequest.Kind, IdentityRequest.State

# What was filled in and not brought within this time is removed.
LAPSES = timedelta(days=90)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """A name and an ID, as typed."""

    name: str
    id_type: str
    id_number: str

    def checked(self) -> "Identity":
        """The same, normalised.

        Raises:
            ValidationError: something typed cannot be right.
        """
        name, number = identity.normalise_name(self.name), identity.normalise_number(self.id_number)
        identity.check_name(name)
        identity.check_number(id_type=self.id_type, number=number)
        return Identity(name=name, id_type=self.id_type, id_number=number)

    def digests(self) -> list[str]:
        """What the ID is found by: by the look-up key, and by the next one while keys rotate."""
        columns = identity.digest_columns(id_type=self.id_type, number=self.id_number)
        return [digest for digest in columns.values() if digest]

    def account(self) -> Candidate | None:
        """The account with this ID, in whichever look-up column it stands while keys rotate."""
        digests = self.digests()
        return Candidate.objects.filter(Q(id_digest__in=digests) | Q(id_digest_next__in=digests)).first()


def identity_of(row: Candidate | IdentityRequest) -> Identity:
    """What an account says, or who applies."""
    return Identity(name=row.name, id_type=row.id_type, id_number=row.id_number)


def identity_wanted(request: IdentityRequest) -> Identity:
    """What a change is to bring."""
    return Identity(name=request.new_name, id_type=request.new_id_type, id_number=request.new_id_number)


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What every application says: where it is brought, how to reach the applicant, and why."""

    point: Point
    telephone: str
    reason: str


# --- Applying -----------------------------------------------------------------------------------
@transaction.atomic
def apply_for_change(
    *, candidate: Candidate, actor: Actor, wanted: Identity, paper: Paper, at: datetime
) -> IdentityRequest:
    """Apply for another name, ID type or ID number. What the candidate applied for before and did not bring is void.

    Applying for the same twice on a day is once; here and below.

    Raises:
        ValidationError: something typed cannot be right.
        Refused: nothing would change (`unchanged`), or another account has the ID number (`id_taken`).
    """
    check_acts_for(actor, candidate)
    candidate = hold(candidate)
    wanted = wanted.checked()
    present = identity_of(candidate)
    changes = [name for name in ("name", "id_type", "id_number") if getattr(wanted, name) != getattr(present, name)]
    if not changes:
        raise Refused(_("This is what your account says already."), code="unchanged")
    if set(changes) != {"name"} and wanted.account() is not None:
        raise id_taken()
    return _made(
        Kind.CHANGE,
        present,
        paper,
        actor,
        at,
        candidate=candidate,
        new_name=wanted.name,
        new_id_type=wanted.id_type,
        new_id_number=wanted.id_number,
        changes=changes,
    )


@transaction.atomic
def apply_for_deletion(*, candidate: Candidate, actor: Actor, paper: Paper, at: datetime) -> IdentityRequest:
    """Apply for the deletion of one's own account. What the candidate applied for before and did not bring is void."""
    check_acts_for(actor, candidate)
    candidate = hold(candidate)
    return _made(Kind.DELETE, identity_of(candidate), paper, actor, at, candidate=candidate)


@transaction.atomic
def report_taken(*, person: Identity, actor: Actor, paper: Paper, browser: str, at: datetime) -> IdentityRequest:
    """Apply for the deletion of an account that somebody else made with one's ID number; needs no account.

    `browser` is a secret that tells one browser from another: the same from the same one is once. Whether there is such
    an account is not said here: the exam point looks, once it has seen whose number it is.

    Raises:
        ValidationError: something typed cannot be right.
    """
    return _made(Kind.TAKEN, person.checked(), paper, actor, at, browser=browser)


def _made(
    kind: str,
    person: Identity,
    paper: Paper,
    actor: Actor,
    at: datetime,
    *,
    candidate: Candidate | None = None,
    browser: str = "",
    **more: object,
) -> IdentityRequest:
    """The application, made now, or the same one that was made today and waits; all others of the candidate's are void.

    The button pressed twice is two at once, of which the database lets one through.
    """
    content = {
        "kind": kind,
        "name": person.name,
        "id_type": person.id_type,
        "id_number": person.id_number,
        "telephone": paper.telephone.strip(),
        "reason": paper.reason.strip(),
        **more,
    }
    who = f"candidate {candidate.pk}" if candidate else f"browser {browser}"
    today = at.astimezone(clock.BEIJING).date().isoformat()
    once = keyed_digest("identity request", json.dumps([who, today, paper.point.code, content]))
    if candidate:
        remove(candidate.identity_requests.filter(state=State.MADE).exclude(once=once), actor, at)
    request, is_new = IdentityRequest.objects.get_or_create(
        once=once,
        state=State.MADE,
        defaults={
            **content,
            "number": _unused_number(),
            "candidate": candidate,
            "point": paper.point,
            "id_digest": identity.digest(id_type=person.id_type, number=person.id_number),
            "made_at": at,
        },
    )
    if is_new:
        record(request, "identity_request.made", actor, at, kind=kind, point=paper.point.code)
    return request


def _unused_number() -> str:
    number = ""
    while not number or IdentityRequest.objects.filter(number=number).exists():
        number = f"{secrets.randbelow(10**12):012d}"
    return number


def sweep(*, at: datetime) -> int:
    """Remove what was filled in and never brought. Returns how many."""
    with transaction.atomic():
        return remove(IdentityRequest.objects.filter(state=State.MADE, made_at__lt=at - LAPSES), SYSTEM, at)


# --- What deciding and carrying out do too --------------------------------------------------------
def remove(requests: QuerySet[IdentityRequest], actor: Actor, at: datetime) -> int:
    """Remove what nobody has checked, each on record. Returns how many."""
    removed = list(locked(requests).order_by("pk"))
    for request in removed:
        request.delete()
        record(request, "identity_request.removed", actor, at)
    return len(removed)


def id_taken() -> Refused:
    """The refusal of a number that another account has."""
    return Refused(
        _("Another account has this ID number. If somebody else took it, that account has to be deleted first."),
        code="id_taken",
    )


def record(
    request: IdentityRequest, action: str, actor: Actor, at: datetime, *, reason: str = "", **payload: object
) -> None:
    """An event of the application's own stream."""
    ledger.record(
        stream="identity_request",
        stream_id=request.number,
        action=action,
        actor=actor,
        reason=reason,
        payload=payload,
        at=at,
    )


def tell(request: IdentityRequest, candidate: Candidate, kind: str, **facts: object) -> None:
    """A message to the holder of the account, with whom to call."""
    outbox.enqueue(
        candidate=candidate,
        kind=kind,
        object_id=request.number,
        version=1,
        facts={"kind": request.kind, "point": request.point.name, "telephone": request.point.telephone, **facts},
    )
