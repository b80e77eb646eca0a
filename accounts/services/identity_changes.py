"""Carrying out what was decided about an identity: changing an account, or emptying it (R07).

The trigger that keeps identities fixed lets through what a decided application names, once, and no more.
"""

import secrets
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from accounts import identity
from accounts.actors import Actor
from accounts.models import (
    BasicInformation,
    CalendarLink,
    Candidate,
    Credential,
    EducationRecord,
    EmailCode,
    IdentityRequest,
    RecoveryAttempts,
    RecoveryQuestion,
)
from accounts.models.users import CARRYING_OUT
from accounts.services import ledger, photos, sessions, wechat
from accounts.services.identity_requests import id_taken, identity_of, identity_wanted, record, remove, tell

Kind, State = IdentityRequest.Kind, IdentityRequest.State


def carry_out(request: IdentityRequest, candidate: Candidate, actor: Actor, at: datetime) -> None:
    """Do to the account, which is held, what the application asks; from then on it is done.

    Raises:
        Refused: another account has the new ID number (`id_taken`).
    """
    request.decided_by_id, request.decided_at = int(actor.id), at
    request.save(update_fields=IdentityRequest.DECISION)
    record(request, "identity_request.done", actor, at)
    if request.kind == Kind.CHANGE:
        _change(request, candidate, actor, at)
    else:
        _delete(request, candidate, actor, at)


def _change(request: IdentityRequest, candidate: Candidate, actor: Actor, at: datetime) -> None:
    wanted = identity_wanted(request)
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
        raise id_taken() from None
    _of_account(candidate, "identity.changed", request, actor, at, fields=request.changes, **digests)
    tell(request, candidate, "identity_changed", renumbered=renumbered)


def _delete(request: IdentityRequest, candidate: Candidate, actor: Actor, at: datetime) -> None:
    """Empty the account: its row, its ledger and its past applications stay, its number and username are free."""
    # Others about this account, and reports of its number, are void. First, since whoever refuses one of them writes a
    # message to the candidate. Reports from before a change of the look-up key are missed, and outdated.
    about = Q(candidate=candidate) | Q(kind=Kind.TAKEN, id_digest__in=identity_of(candidate).digests())
    remove(IdentityRequest.objects.filter(about, state=State.MADE).exclude(pk=request.pk), actor, at)
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
        CalendarLink,
        EducationRecord,
        Credential,
        RecoveryQuestion,
        RecoveryAttempts,
        EmailCode,
    )
    for rows in owned:
        rows.objects.filter(candidate=candidate).delete()
    wechat.forget(candidate=candidate)
    photos.forget(candidate=candidate)
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


def _of_account(
    candidate: Candidate, action: str, request: IdentityRequest, actor: Actor, at: datetime, **payload: Any
) -> None:
    ledger.record_about(candidate, action, actor, at, request=request.number, **payload)
