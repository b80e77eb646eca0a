"""Writing, verifying and sealing the ledger."""

import hashlib
import json
import os
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from accounts.actors import Actor
from accounts.models import Candidate, LedgerEvent, LedgerVerification, User
from exam_portal import clock
from exam_portal.kit import crypto
from exam_portal.kit.discreet import without_numbers
from exam_portal.kit.errors import Refused

# Each event with what `event_hash` is computed from, as text that PostgreSQL writes, so that no rounding comes between,
# and with its stream's head. One statement, so one moment of the database.
_EVENTS = """
    SELECT e.stream, e.stream_id, e.position, e.previous_hash, e.hash, e.action, e.actor_kind, e.actor_id, e.channel,
           e.reason, to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), e.payload::text,
           h.count, h.last_hash
    FROM accounts_ledgerevent e LEFT JOIN accounts_ledgerhead h USING (stream, stream_id)
    ORDER BY e.stream, e.stream_id, e.position
"""
_EMPTY_STREAMS = """
    SELECT h.stream, h.stream_id, h.count FROM accounts_ledgerhead h
    WHERE NOT EXISTS (SELECT FROM accounts_ledgerevent e WHERE (e.stream, e.stream_id) = (h.stream, h.stream_id))
"""
_ENDS = """
    SELECT DISTINCT ON (stream, stream_id) stream, stream_id, position, hash FROM accounts_ledgerevent
    WHERE id <= %s ORDER BY stream, stream_id, position DESC
"""
# Shared: what somebody does at once in two windows does not wait, but with the end of the role it takes turns.
_ROLE_IN_FORCE = """
    SELECT FROM accounts_staffassignment
    WHERE user_id = %s AND role = %s
        AND coalesce(region_id, '') = %s AND coalesce(point_id, '') = %s AND coalesce(site_id, '') = %s
        AND valid_from <= %s AND (valid_until IS NULL OR valid_until > %s)
    FOR SHARE
"""


def record(
    *,
    stream: str,
    stream_id: str,
    action: str,
    actor: Actor,
    reason: str = "",
    payload: dict[str, Any] | None = None,
    at: datetime | None = None,
) -> None:
    """Append an event to the stream `(stream, stream_id)`, inside the transaction of the change that it records.

    `payload` holds field names, codes, keyed digests and references - never personal data. A reason is typed by people:
    an ID number in it is masked, since nothing is ever taken out again.

    Whatever staff do is recorded here, so here it is seen that their role has not ended while they did it (R28): it
    holds at the moment of the act and still now, however long the request was on its way.

    Raises:
        Refused: somebody of staff has not, or no longer, the role that they act in (`forbidden`).
    """
    at = at or clock.now()
    if actor.kind == "staff":
        _check_in_force(actor, at)
    LedgerEvent.objects.create(
        stream=stream,
        stream_id=stream_id,
        action=action,
        actor_kind=actor.kind,
        actor_id=actor.id,
        channel=actor.channel,
        reason=without_numbers(reason),
        at=at,
        payload=payload or {},
    )


def _check_in_force(actor: Actor, at: datetime) -> None:
    with connection.cursor() as cursor:
        place = (actor.region, actor.point, actor.site)
        cursor.execute(_ROLE_IN_FORCE, [actor.id, actor.role, *place, at, max(at, clock.now())])
        if not cursor.fetchall():
            raise Refused(_("Your role has ended. Nothing was changed."), code="forbidden")


def record_about(
    account: Candidate | User,
    action: str,
    actor: Actor,
    at: datetime | None = None,
    *,
    reason: str = "",
    **payload: object,
) -> None:
    """Append an event to the stream of a candidate, or of the account of somebody of staff (`record`)."""
    record(
        stream="candidate" if isinstance(account, Candidate) else "staff",
        stream_id=str(account.pk),
        action=action,
        actor=actor,
        reason=reason.strip(),
        payload=payload,
        at=at,
    )


def event_hash(previous_hash: str, *texts: str) -> str:
    """The hash of an event over the one before it in its stream, 64 hex digits, as the insert trigger computes it."""
    return hashlib.sha256(json.dumps([previous_hash, *texts], ensure_ascii=False).encode()).hexdigest()


def verify() -> Generator[str, None, int]:
    """Everything that is wrong with the ledger, a line each: altered, missing or surplus events, and removed tails.

    Memory stays flat however long the ledger is. Its value at the end is how many events it looked at.
    """
    events = yield from _verify_chains()
    yield from _verify_seals()
    return events


def verify_and_note(*, at: datetime, tell: Callable[[str], object] = lambda line: None) -> LedgerVerification:
    """Verify the ledger, and keep what came out for the audit page; `tell` is given every line."""
    events, faults, first = 0, 0, []

    def counted() -> Iterator[str]:
        nonlocal events
        events = yield from verify()

    for line in counted():
        faults += 1
        if faults <= LedgerVerification.MOST_LINES:
            first.append(line)
        tell(line)
    return LedgerVerification.objects.create(at=at, events=events, faults=faults, first_faults="\n".join(first))


def _verify_chains() -> Generator[str, None, int]:
    stream_of: tuple[str, str] | None = None
    count, last, head, events = 0, "", (0, ""), 0

    def ended() -> Iterator[str]:
        if stream_of and head[0] is None:
            yield f"{stream_of[0]}:{stream_of[1]}: has no head"
        elif stream_of and (count, last) != head:
            yield f"{stream_of[0]}:{stream_of[1]}: ends otherwise than its head says ({head[0]} events)"

    with transaction.atomic(), connection.chunked_cursor() as cursor:  # a cursor that streams lives in a transaction
        cursor.execute(_EVENTS)
        for stream, stream_id, position, previous, own, *texts, head_count, head_hash in cursor:
            if (stream, stream_id) != stream_of:
                yield from ended()
                stream_of, count, last = (stream, stream_id), 0, ""
            head = (head_count, head_hash)
            events += 1
            where = f"{stream}:{stream_id} event {position}"
            if position != count + 1:
                yield f"{where}: follows event {count}; events are missing"
            if previous != last:
                yield f"{where}: does not follow the event before it"
            if own != event_hash(previous, stream, stream_id, str(position), *texts):
                yield f"{where}: was altered"
            count, last = position, own
    yield from ended()
    with connection.cursor() as cursor:
        cursor.execute(_EMPTY_STREAMS)
        for stream, stream_id, head_count in cursor:
            yield f"{stream}:{stream_id}: ends otherwise than its head says ({head_count} events)"
    return events


def _verify_seals() -> Iterator[str]:
    """A line for each seal that is none, and where the ledger is not what the last good one says."""
    good: tuple[str, dict[str, Any]] | None = None
    for number, line in enumerate(_seals().splitlines(), 1):
        where = f"{seals_file().name} line {number}"
        statement = _statement(line)
        if statement is None:
            yield f"{where}: is damaged"
        elif not crypto.verify(_signed(statement), statement["signature"]):
            yield f"{where}: the signature does not fit"
        else:
            good = where, statement
    if good and _root(good[1]["last_event"]) != (good[1]["streams"], good[1]["root"]):
        yield f"{good[0]}: the ledger is not what was sealed; events are gone or altered"


def _statement(line: bytes) -> dict[str, Any] | None:
    """What a line of the seals states, its signature not yet verified; None for a line that is no seal."""
    try:
        statement = json.loads(line)
    except (ValueError, RecursionError):
        return None
    signed = isinstance(statement, dict) and isinstance(statement.get("signature"), str)
    return statement if signed else None


def seal() -> str:
    """Sign a root over the ends of all streams and append it to a file outside the database; returns the line written.

    With it a removed tail shows even when events and head were removed together.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # Waits for whoever is writing, so that no event with a lower number appears afterwards.
        cursor.execute("LOCK TABLE accounts_ledgerevent IN SHARE MODE")
        cursor.execute("SELECT coalesce(max(id), 0) FROM accounts_ledgerevent")
        (last_event,) = cursor.fetchone()
    streams, root = _root(last_event)
    statement = {"at": clock.now().isoformat(), "last_event": last_event, "streams": streams, "root": root}
    line = json.dumps({**statement, "signature": crypto.sign(_signed(statement))})
    seals_file().parent.mkdir(parents=True, exist_ok=True)
    before = _seals()
    with seals_file().open("ab") as file:
        # Half a line, left by a kill or a full disk, stays one of its own.
        file.write((b"\n" if before and not before.endswith(b"\n") else b"") + line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())
    return line


def seals_file() -> Path:
    """Where the seals are: one JSON object a line, oldest first. Copy it to where the database's owner cannot write."""
    return settings.PORTAL_STATE / "ledger-seals.jsonl"


def _seals() -> bytes:
    return seals_file().read_bytes() if seals_file().exists() else b""


def _signed(statement: dict[str, Any]) -> bytes:
    return json.dumps({key: value for key, value in statement.items() if key != "signature"}, sort_keys=True).encode()


@transaction.atomic
def _root(last_event: int) -> tuple[int, str]:
    """How many streams there were when `last_event` was the last, and SHA-256 over where each ended."""
    streams, root = 0, hashlib.sha256()
    with connection.chunked_cursor() as cursor:
        cursor.execute(_ENDS, [last_event])
        for end in cursor:
            root.update(json.dumps(end).encode() + b"\n")
            streams += 1
    return streams, root.hexdigest()
