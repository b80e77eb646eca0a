"""Writing, verifying and sealing the ledger."""

import hashlib
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from accounts.actors import Actor
from accounts.models import LedgerEvent, LedgerHead
from exam_portal import clock
from exam_portal.kit import crypto

# What `event_hash` is computed from, as text that PostgreSQL writes, so that no rounding comes between.
_CHAIN_COLUMNS = """
    SELECT stream, stream_id, position, previous_hash, hash, action, actor_kind, actor_id, channel, reason,
           to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), payload::text
    FROM accounts_ledgerevent ORDER BY stream, stream_id, position
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

    `payload` holds field names, codes, keyed digests and references - never personal data.
    """
    LedgerEvent.objects.create(
        stream=stream,
        stream_id=stream_id,
        action=action,
        actor_kind=actor.kind,
        actor_id=actor.id,
        channel=actor.channel,
        reason=reason,
        at=at or clock.now(),
        payload=payload or {},
    )


def event_hash(previous_hash: str, *texts: str) -> str:
    """The hash of an event over the one before it in its stream, 64 hex digits, as the insert trigger computes it."""
    return hashlib.sha256(json.dumps([previous_hash, *texts], ensure_ascii=False).encode()).hexdigest()


def verify() -> Iterator[str]:
    """Everything that is wrong with the ledger, a line each: altered, missing or surplus events, and removed tails."""
    heads = {(head.stream, head.stream_id): head for head in LedgerHead.objects.iterator()}
    ends: dict[tuple[str, str], tuple[int, str]] = {}
    # In a transaction a named cursor streams the rows, so that memory stays flat on a ledger of any size.
    with connection.chunked_cursor() as cursor:
        cursor.execute(_CHAIN_COLUMNS)
        for (
            stream,
            stream_id,
            position,
            previous,
            own,
            action,
            kind,
            actor_id,
            channel,
            reason,
            at,
            payload,
        ) in cursor:
            count, last = ends.get((stream, stream_id), (0, ""))
            where = f"{stream}:{stream_id} event {position}"
            if position != count + 1:
                yield f"{where}: follows event {count}; events are missing"
            if previous != last:
                yield f"{where}: does not follow the event before it"
            texts = (
                stream,
                stream_id,
                str(position),
                action,
                kind,
                actor_id,
                channel,
                reason,
                at,
                payload,
            )
            if own != event_hash(previous, *texts):
                yield f"{where}: was altered"
            ends[stream, stream_id] = (position, own)
    for key, head in heads.items():
        if ends.pop(key, (0, "")) != (head.count, head.last_hash):
            yield f"{head.stream}:{head.stream_id}: ends otherwise than its head says ({head.count} events)"
    for stream, stream_id in ends:
        yield f"{stream}:{stream_id}: has no head"


def seal() -> str:
    """Sign a root over all stream heads and append it to a file outside the database; returns the line written.

    With it a removed tail shows even when events and head were removed together.
    """
    root = hashlib.sha256()
    streams = events = 0
    for head in LedgerHead.objects.order_by("stream", "stream_id").iterator():
        root.update(json.dumps([head.stream, head.stream_id, head.count, head.last_hash]).encode() + b"\n")
        streams, events = streams + 1, events + head.count
    statement = {
        "at": clock.now().isoformat(),
        "streams": streams,
        "events": events,
        "root": root.hexdigest(),
    }
    line = json.dumps({**statement, "signature": crypto.sign(json.dumps(statement, sort_keys=True).encode())})
    path = settings.PORTAL_STATE / "ledger-seals.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    return line
