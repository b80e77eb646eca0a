"""What staff do with an application about an identity, and its two reads that are put on record (R07, R28).

The exam point checks what is brought to it, and somebody else of the region decides where `needs_region` says so.
"""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor, check_reason, forbidden
from accounts.models import Candidate, IdentityRequest
from accounts.roles import Right
from accounts.services.identity_changes import carry_out
from accounts.services.identity_requests import id_taken, identity_of, identity_wanted, record, tell
from accounts.services.second_person import check_second_person, is_second_person
from accounts.territory import check_sees, sees
from exam_portal.kit import hooks, scans
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked

Kind, State = IdentityRequest.Kind, IdentityRequest.State


def acts_open_to(*, request: IdentityRequest, actor: Actor) -> tuple[str, ...]:
    """What this actor may do with it as it stands: `check`, `approve`, `refuse`; the services of these names decide.

    Who is no second person does not approve it, but may refuse it.
    """
    if request.state == State.MADE and sees(actor, Right.CHECK_IDENTITY, request):
        return ("check", "refuse")
    if request.state == State.CHECKED and sees(actor, Right.DECIDE_IDENTITY, request):
        second = is_second_person(actor, first=request.checked_by_id, apart=True)
        return ("approve", "refuse") if second else ("refuse",)
    return ()


@transaction.atomic
def check(*, request: IdentityRequest, actor: Actor, proof: bytes, remark: str, at: datetime) -> IdentityRequest:
    """Note that the exam point saw form and originals; `proof` is their scan, `remark` why it is right.

    Carried out at once, unless the region decides: then it waits for `approve`, and the holder of an account said to
    be taken is told. A report that somebody took a number is checked whatever the account has live: anybody makes one,
    so nothing is closed for it before its originals were seen.

    Raises:
        Refused: not this point's, no longer waiting (`wrong_state`), no such account (`no_account`), the account has
            changed since or is a later one (`outdated`), a live application stands against it (`guarded`), or another
            account has the new ID number (`id_taken`).
        NoScan: the proof is no scan.
    """
    request, candidate = _opened(request, State.MADE, actor, Right.CHECK_IDENTITY)
    if request.kind != Kind.TAKEN:
        _check_nothing_against(request, candidate, at)
    request.candidate = candidate
    request.needs_region = needs_region(request)
    request.checked_by_id, request.checked_at, request.remark = int(actor.id), at, remark.strip()
    if candidate.identity_requests.filter(state=State.CHECKED).exists():
        raise Refused(_("Another application about this account waits for the region."), code="another_waits")
    request.proof.name = scans.name_for(proof, folder="identity")
    if request.needs_region:
        request.state = State.CHECKED
        request.save(update_fields=IdentityRequest.DECISION)
        record(request, "identity_request.checked", actor, at)
        if request.kind == Kind.TAKEN:
            tell(request, candidate, "account_disputed")
    else:
        carry_out(request, candidate, actor, at)
    # Last, when nothing is refused any more: what is rolled back leaves no file behind.
    scans.keep(proof, name=request.proof.name)
    return request


@transaction.atomic
def approve(*, request: IdentityRequest, actor: Actor, remark: str, at: datetime) -> IdentityRequest:
    """Decide as the second person, of the region, that what the exam point checked is carried out.

    Raises:
        Refused: not this region's, no second person after who checked it (`same_person`), and as `check`.
    """
    request, candidate = _opened(request, State.CHECKED, actor, Right.DECIDE_IDENTITY)
    check_second_person(actor, first=request.checked_by_id, apart=True)
    _check_nothing_against(request, candidate, at)
    request.remark = "\n".join(filter(None, [request.remark, remark.strip()]))
    carry_out(request, candidate, actor, at)
    return request


@transaction.atomic
def refuse(*, request: IdentityRequest, actor: Actor, reason: str, at: datetime) -> IdentityRequest:
    """Refuse it: the exam point what was brought, the region what the exam point checked. The applicant reads why.

    Raises:
        Refused: not this actor's, no longer waiting (`wrong_state`), or without a reason (`no_reason`).
    """
    request = _locked(request)
    right = Right.DECIDE_IDENTITY if request.state == State.CHECKED else Right.CHECK_IDENTITY
    check_sees(actor, right, request)
    if request.state not in IdentityRequest.OPEN:
        raise _wrong_state()
    request.refusal = check_reason(reason)
    request.state, request.decided_by_id, request.decided_at = State.REFUSED, int(actor.id), at
    request.save(update_fields=IdentityRequest.DECISION)
    record(request, "identity_request.refused", actor, at)
    if request.candidate:
        tell(request, request.candidate, "identity_refused")
    return request


# --- Reads on record ------------------------------------------------------------------------------
@transaction.atomic
def reveal(*, request: IdentityRequest, actor: Actor, reason: str, at: datetime) -> None:
    """Put on record that somebody sees the ID numbers of an application in full; only then may a page show them.

    Raises:
        Refused: not this actor's to see (`forbidden`), or without a reason (`no_reason`).
    """
    check_sees(actor, Right.REVEAL_ID, request)
    record(request, "id_number.revealed", actor, at, reason=check_reason(reason))


@transaction.atomic
def read_proof(*, request: IdentityRequest, actor: Actor, reason: str, at: datetime) -> bytes:
    """The scan of what the exam point saw, for whoever checks or decides; that it was opened is put on record.

    Raises:
        Refused: not this actor's to see (`forbidden`), nothing was scanned (`no_proof`), or without a reason
            (`no_reason`).
    """
    if not _works_on(request, actor):
        raise forbidden()
    if not request.proof:
        raise Refused(_("Nothing was scanned."), code="no_proof")
    record(request, "proof.read", actor, at, reason=check_reason(reason))
    try:
        with request.proof.open() as file:
            return file.read()
    except FileNotFoundError:
        raise Refused(_("The file of the scan is missing. Tell operations."), code="no_proof") from None


def may_read_proof(*, request: IdentityRequest, actor: Actor) -> bool:
    """Whether something was scanned that this actor may open: whoever checks or decides there."""
    return bool(request.proof) and _works_on(request, actor)


def _works_on(request: IdentityRequest, actor: Actor) -> bool:
    return any(sees(actor, right, request) for right in (Right.CHECK_IDENTITY, Right.DECIDE_IDENTITY))


# --- What an application is about -----------------------------------------------------------------
def needs_region(request: IdentityRequest) -> bool:
    """Whether somebody of the region decides after the exam point: an ID, or somebody else's account, is at stake."""
    return request.kind == Kind.TAKEN or bool({"id_type", "id_number"} & set(request.changes))


def account_of(request: IdentityRequest) -> Candidate | None:
    """The account that an application is about: whose it is, else the one with the ID number that it names."""
    return request.candidate or identity_of(request).account()


def hold_open(*, request: IdentityRequest, candidate: Candidate) -> IdentityRequest | None:
    """The application as its row says now, locked, if it is undecided and about this account; else None.

    The candidate is held first.
    """
    held = locked(IdentityRequest.objects.filter(pk=request.pk, state__in=[State.MADE, State.CHECKED])).first()
    return held if held and _is_about(held, candidate) else None


def _is_about(request: IdentityRequest, candidate: Candidate) -> bool:
    """Whether the account is what the application says; a report is about the account of its time, not a later one."""
    says, account = identity_of(request), identity_of(candidate)
    if request.kind == Kind.TAKEN:
        same = (says.id_type, says.id_number) == (account.id_type, account.id_number)
        return same and candidate.registered_at <= request.made_at
    return says == account


# --- Small parts ----------------------------------------------------------------------------------
def _locked(request: IdentityRequest) -> IdentityRequest:
    """The request as its row says now, locked.

    Raises:
        Refused: `wrong_state`; it was removed meanwhile.
    """
    if locked(IdentityRequest.objects.filter(pk=request.pk)).first() is None:
        raise _wrong_state()
    return IdentityRequest.objects.select_related("point", "candidate__user").get(pk=request.pk)


def _opened(request: IdentityRequest, state: str, actor: Actor, right: Right) -> tuple[IdentityRequest, Candidate]:
    """The request, if it is this actor's and stands in this state, and the account that it is about; both locked.

    The account first.

    Raises:
        Refused: `forbidden`, `wrong_state`, `no_account`, `outdated`.
    """
    seen = IdentityRequest.objects.select_related("candidate").filter(pk=request.pk).first()
    if seen is None:
        raise _wrong_state()
    check_sees(actor, right, seen)
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
        if reason := guard(candidate=candidate, change=hooks.Change.IDENTITY, at=at):
            # Anybody may report a number as taken: what its account applies for is nobody's to read here.
            reported = request.kind == Kind.TAKEN
            raise Refused(_("A live registration stands against it.") if reported else reason, code="guarded")
    if request.kind == Kind.CHANGE and set(request.changes) != {"name"} and identity_wanted(request).account():
        raise id_taken()


def _wrong_state() -> Refused:
    return Refused(_("This application is no longer waiting for you."), code="wrong_state")
