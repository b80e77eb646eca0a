"""Changing a name or an ID, and deleting an account (R07).

Anybody applies online, prints the form and brings it to the exam point with originals. The exam point checks them and
scans the proof; it carries out a new name, and the deletion of the applicant's own account. A second person, of the
region, decides a changed ID type or number, and whether an account goes that somebody else is said to have made.

What is done is on record: old and new values, who, why and the scan in the request, whose number the ledger holds.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts import identity
from accounts.actors import SYSTEM, Actor, check_acts_for, check_may
from accounts.models import (
    BasicInformation,
    Candidate,
    Credential,
    EducationRecord,
    EmailCode,
    IdentityRequest,
    Point,
    RecoveryAttempts,
    RecoveryQuestion,
    WeChatBinding,
)
from accounts.models.users import CARRYING_OUT
from accounts.roles import Right
from accounts.services import ledger, outbox, sessions
from accounts.services.candidates import hold
from exam_portal import clock
from exam_portal.kit import hooks, scans
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
    present = _identity_of(candidate)
    changes = [name for name in ("name", "id_type", "id_number") if getattr(wanted, name) != getattr(present, name)]
    if not changes:
        raise Refused(_("This is what your account says already."), code="unchanged")
    if set(changes) != {"name"} and _account_with(wanted) is not None:
        raise _id_taken()
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
    return _made(Kind.DELETE, _identity_of(candidate), paper, actor, at, candidate=candidate)


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
        _remove(candidate.identity_requests.filter(state=State.MADE).exclude(once=once), actor, at)
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
        _record(request, "identity_request.made", actor, at, kind=kind, point=paper.point.code)
    return request


def _unused_number() -> str:
    number = ""
    while not number or IdentityRequest.objects.filter(number=number).exists():
        number = f"{secrets.randbelow(10**12):012d}"
    return number


def sweep(*, at: datetime) -> int:
    """Remove what was filled in and never brought. Returns how many."""
    with transaction.atomic():
        return _remove(IdentityRequest.objects.filter(state=State.MADE, made_at__lt=at - LAPSES), SYSTEM, at)


def _remove(requests: QuerySet[IdentityRequest], actor: Actor, at: datetime) -> int:
    removed = list(locked(requests).order_by("pk"))
    for request in removed:
        request.delete()
        _record(request, "identity_request.removed", actor, at)
    return len(removed)


# --- Deciding -----------------------------------------------------------------------------------
@transaction.atomic
def check(*, request: IdentityRequest, actor: Actor, proof: bytes, remark: str, at: datetime) -> IdentityRequest:
    """Note that the exam point saw form and originals; `proof` is their scan, `remark` why it is right.

    Carried out at once, unless the region decides: then it waits for `approve`, and the holder of an account said to
    be taken is told.

    Raises:
        Refused: not this point's, no longer waiting (`wrong_state`), no such account (`no_account`), the account has
            changed since or is a later one (`outdated`), a live application stands against it (`guarded`), or another
            account has the new ID number (`id_taken`).
        NoScan: the proof is no scan.
    """
    check_may(actor, Right.CHECK_IDENTITY, point=request.point.code)
    request, candidate = _opened(request, State.MADE)
    _check_nothing_against(request, candidate, at)
    request.candidate = candidate
    request.needs_region = needs_region(request)
    request.checked_by_id, request.checked_at, request.remark = int(actor.id), at, remark.strip()
    if candidate.identity_requests.filter(state=State.CHECKED).exists():
        raise Refused(_("Another application about this account waits for the region."), code="another_waits")
    request.proof.name = scans.keep(proof, folder="identity")
    if not request.needs_region:
        _carry_out(request, candidate, actor, at)
        return request
    request.state = State.CHECKED
    request.save(update_fields=IdentityRequest.DECISION)
    _record(request, "identity_request.checked", actor, at)
    if request.kind == Kind.TAKEN:
        _tell(request, candidate, "account_disputed")
    return request


@transaction.atomic
def approve(*, request: IdentityRequest, actor: Actor, remark: str, at: datetime) -> IdentityRequest:
    """Decide as the second person, of the region, that what the exam point checked is carried out.

    Raises:
        Refused: not this region's, decided by whoever checked it (`same_person`), and as `check`.
    """
    check_may(actor, Right.DECIDE_IDENTITY, region=request.point.region_id)
    request, candidate = _opened(request, State.CHECKED)
    if request.checked_by_id == int(actor.id):
        raise Refused(_("Somebody else than who checked it decides."), code="same_person")
    _check_nothing_against(request, candidate, at)
    request.remark = "\n".join(filter(None, [request.remark, remark.strip()]))
    _carry_out(request, candidate, actor, at)
    return request


@transaction.atomic
def refuse(*, request: IdentityRequest, actor: Actor, reason: str, at: datetime) -> IdentityRequest:
    """Refuse it: the exam point what was brought, the region what the exam point checked. The applicant reads why.

    Raises:
        Refused: not this actor's, no longer waiting (`wrong_state`), or without a reason (`no_reason`).
    """
    request = _locked(request)
    if request.state == State.CHECKED:
        check_may(actor, Right.DECIDE_IDENTITY, region=request.point.region_id)
    else:
        check_may(actor, Right.CHECK_IDENTITY, point=request.point.code)
    if request.state not in IdentityRequest.OPEN:
        raise _wrong_state()
    if not reason.strip():
        raise Refused(_("Give the reason."), code="no_reason")
    request.state, request.decided_by_id, request.decided_at = State.REFUSED, int(actor.id), at
    request.refusal = reason.strip()
    request.save(update_fields=IdentityRequest.DECISION)
    _record(request, "identity_request.refused", actor, at)
    if request.candidate:
        _tell(request, request.candidate, "identity_refused")
    return request


def _locked(request: IdentityRequest) -> IdentityRequest:
    """The request as its row says now, locked.

    Raises:
        Refused: `wrong_state`; it was removed meanwhile.
    """
    if locked(IdentityRequest.objects.filter(pk=request.pk)).first() is None:
        raise _wrong_state()
    return IdentityRequest.objects.select_related("point", "candidate__user").get(pk=request.pk)


def _opened(request: IdentityRequest, state: str) -> tuple[IdentityRequest, Candidate]:
    """The request, if it stands in this state, and the account that it is about; both locked, the account first.

    Raises:
        Refused: `wrong_state`, `no_account`, `outdated`.
    """
    seen = IdentityRequest.objects.select_related("candidate").filter(pk=request.pk).first()
    if seen is None:
        raise _wrong_state()
    candidate = account_of(seen)
    if candidate is not None:
        locked(Candidate.objects.filter(pk=candidate.pk)).get()
        candidate = Candidate.objects.select_related("user").get(pk=candidate.pk)
    request = _locked(request)
    if request.state != state:
        raise _wrong_state()
    if candidate is None:
        raise Refused(_("There is no account with this ID number; it can be used to sign up."), code="no_account")
    if not _is_about(request, candidate):
        raise Refused(_("The account has changed since this was applied for."), code="outdated")
    return request, candidate


def _check_nothing_against(request: IdentityRequest, candidate: Candidate, at: datetime) -> None:
    for guard in hooks.load("ACCOUNTS_GUARDS"):
        if reason := guard(candidate=candidate, at=at):
            raise Refused(reason, code="guarded")
    if request.kind == Kind.CHANGE and set(request.changes) != {"name"} and _account_with(_wanted(request)):
        raise _id_taken()


def _carry_out(request: IdentityRequest, candidate: Candidate, actor: Actor, at: datetime) -> None:
    request.decided_by_id, request.decided_at = int(actor.id), at
    request.save(update_fields=IdentityRequest.DECISION)
    _record(request, "identity_request.done", actor, at)
    if request.kind == Kind.CHANGE:
        _change(request, candidate, actor, at)
    else:
        _delete(request, candidate, actor, at)


def _change(request: IdentityRequest, candidate: Candidate, actor: Actor, at: datetime) -> None:
    wanted = _wanted(request)
    values: dict[str, object] = {name: getattr(wanted, name) for name in request.changes}
    if renumbered := set(request.changes) != {"name"}:
        values |= identity.digest_columns(id_type=wanted.id_type, number=wanted.id_number)
        if identity.ID_TYPES[wanted.id_type].tells_birth:
            born, sex = identity.birth_and_sex(id_type=wanted.id_type, number=wanted.id_number)
            values |= {"birth_date": born, "sex": sex}
    digests = {"old": candidate.id_digest, "new": values["id_digest"]} if renumbered else {}
    try:
        with transaction.atomic():
            _write(request, candidate, values)
    except IntegrityError:
        raise _id_taken() from None
    _of_account(candidate, "identity.changed", request, actor, at, fields=request.changes, **digests)
    _tell(request, candidate, "identity_changed", renumbered=renumbered)


def _delete(request: IdentityRequest, candidate: Candidate, actor: Actor, at: datetime) -> None:
    """Empty the account: its row, its ledger and its past applications stay, its number and username are free."""
    # Others about this account, and reports of its number, are void. First, since whoever refuses one of them writes a
    # message to the candidate. Reports from before a change of the look-up key are missed, and outdated.
    about = Q(candidate=candidate) | Q(kind=Kind.TAKEN, id_digest__in=_digests(_identity_of(candidate)))
    _remove(IdentityRequest.objects.filter(about, state=State.MADE).exclude(pk=request.pk), actor, at)
    old = candidate.id_digest
    erased = {"name": "", "id_number": "", "id_digest": None, "id_digest_next": None, "sex": "", "birth_date": None}
    _write(request, candidate, {**erased, "deleted_at": at})
    user = candidate.user
    # Nobody can have taken it before.
    user.username, user.email, user.is_active = f"deleted-{secrets.token_hex(8)}", "", False
    user.set_unusable_password()
    user.save(update_fields=["username", "email", "is_active", "password"])
    sessions.end_all(user=user)
    owned = (
        BasicInformation,
        EducationRecord,
        Credential,
        WeChatBinding,
        RecoveryQuestion,
        RecoveryAttempts,
        EmailCode,
    )
    for rows in owned:
        rows.objects.filter(candidate=candidate).delete()
    _of_account(candidate, "account.deleted", request, actor, at, old=old)


def _write(request: IdentityRequest, candidate: Candidate, values: dict[str, object]) -> None:
    """Change what is otherwise fixed: the trigger looks at the request that this transaction says it carries out.

    It lets that one change through, and makes the request a done one.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, %s, true)", [CARRYING_OUT, str(request.pk)])
        Candidate.objects.filter(pk=candidate.pk).update(**values)
        cursor.execute("SELECT set_config(%s, '', true)", [CARRYING_OUT])
    request.state = State.DONE


def needs_region(request: IdentityRequest) -> bool:
    """Whether somebody of the region decides after the exam point: an ID, or somebody else's account, is at stake."""
    return request.kind == Kind.TAKEN or bool({"id_type", "id_number"} & set(request.changes))


def account_of(request: IdentityRequest) -> Candidate | None:
    """The account that an application is about: whose it is, else the one with the ID number that it names."""
    return request.candidate or _account_with(_applicant(request))


def hold_open(*, request: IdentityRequest, candidate: Candidate) -> IdentityRequest | None:
    """The application as its row says now, locked, if it is undecided and about this account; else None.

    The candidate is held first.
    """
    held = locked(IdentityRequest.objects.filter(pk=request.pk, state__in=[State.MADE, State.CHECKED])).first()
    return held if held and _is_about(held, candidate) else None


def _is_about(request: IdentityRequest, candidate: Candidate) -> bool:
    """Whether the account is what the application says; a report is about the account of its time, not a later one."""
    says, account = _applicant(request), _identity_of(candidate)
    if request.kind == Kind.TAKEN:
        same = (says.id_type, says.id_number) == (account.id_type, account.id_number)
        return same and candidate.registered_at <= request.made_at
    return says == account


# --- Small parts --------------------------------------------------------------------------------
def _identity_of(candidate: Candidate) -> Identity:
    return Identity(name=candidate.name, id_type=candidate.id_type, id_number=candidate.id_number)


def _applicant(request: IdentityRequest) -> Identity:
    return Identity(name=request.name, id_type=request.id_type, id_number=request.id_number)


def _wanted(request: IdentityRequest) -> Identity:
    return Identity(name=request.new_name, id_type=request.new_id_type, id_number=request.new_id_number)


def _digests(person: Identity) -> list[str]:
    """By the look-up key, and by the next one while keys rotate."""
    columns = identity.digest_columns(id_type=person.id_type, number=person.id_number)
    return [digest for digest in columns.values() if digest]


def _account_with(person: Identity) -> Candidate | None:
    """The account with this ID, in whichever look-up column it stands while keys rotate."""
    digests = _digests(person)
    return Candidate.objects.filter(Q(id_digest__in=digests) | Q(id_digest_next__in=digests)).first()


def _id_taken() -> Refused:
    return Refused(
        _("Another account has this ID number. If somebody else took it, that account has to be deleted first."),
        code="id_taken",
    )


def _wrong_state() -> Refused:
    return Refused(_("This application is no longer waiting for you."), code="wrong_state")


def _record(request: IdentityRequest, action: str, actor: Actor, at: datetime, **payload: object) -> None:
    ledger.record(
        stream="identity_request",
        stream_id=request.number,
        action=action,
        actor=actor,
        payload=payload,
        at=at,
    )


def _of_account(
    candidate: Candidate, action: str, request: IdentityRequest, actor: Actor, at: datetime, **payload: object
) -> None:
    ledger.record(
        stream="candidate",
        stream_id=str(candidate.pk),
        action=action,
        actor=actor,
        payload={"request": request.number, **payload},
        at=at,
    )


def _tell(request: IdentityRequest, candidate: Candidate, kind: str, **facts: object) -> None:
    outbox.enqueue(
        candidate=candidate,
        kind=kind,
        object_id=request.number,
        version=1,
        facts={"kind": request.kind, "point": request.point.name, "telephone": request.point.telephone, **facts},
    )
