"""The ledger: what happened, in streams, append-only, each event chained to the one before it by a hash.

The insert trigger numbers and hashes an event, so that set-based SQL keeps the chain whole too; Python only verifies
(accounts.services.ledger). No personal data: field names, keyed digests, references.
"""

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

# The trigger and `accounts.services.ledger.event_hash` build the same text: a JSON list of strings.
CHAIN = """
    INSERT INTO accounts_ledgerhead (stream, stream_id, count, last_hash)
        VALUES (NEW.stream, NEW.stream_id, 0, '') ON CONFLICT DO NOTHING;
    SELECT count + 1, last_hash INTO NEW.position, NEW.previous_hash
        FROM accounts_ledgerhead WHERE stream = NEW.stream AND stream_id = NEW.stream_id FOR UPDATE;
    NEW.hash = encode(sha256(convert_to(jsonb_build_array(
        NEW.previous_hash, NEW.stream, NEW.stream_id, NEW.position::text, NEW.action,
        NEW.actor_kind, NEW.actor_id, NEW.channel, NEW.reason,
        to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), NEW.payload::text
    )::text, 'UTF8')), 'hex');
    UPDATE accounts_ledgerhead SET count = NEW.position, last_hash = NEW.hash
        WHERE stream = NEW.stream AND stream_id = NEW.stream_id;
    RETURN NEW;
"""


class LedgerEvent(models.Model):
    """One event: who did what to `(stream, stream_id)`, through which channel, why and when."""

    stream = models.CharField(max_length=24)
    stream_id = models.CharField(max_length=40)
    position = models.PositiveIntegerField(default=0)
    action = models.CharField(max_length=60)
    actor_kind = models.CharField(max_length=12)
    actor_id = models.CharField(max_length=40, blank=True)
    channel = models.CharField(max_length=12, blank=True)
    reason = models.TextField(blank=True)
    at = models.DateTimeField()
    payload = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64, blank=True, default="")
    hash = models.CharField(max_length=64, default="")

    class Meta:
        ordering = ["stream", "stream_id", "position"]
        verbose_name = _("event")
        verbose_name_plural = _("ledger")
        constraints = [
            models.UniqueConstraint(fields=["stream", "stream_id", "position"], name="ledger_position_once"),
        ]
        # What the audit page asks for, the newest first.
        indexes = [
            models.Index(fields=["at", "id"], name="ledger_by_time"),
            models.Index(fields=["stream", "at"], name="ledger_by_stream"),
            models.Index(fields=["action", "at"], name="ledger_by_action"),
            models.Index(fields=["actor_kind", "actor_id", "at"], name="ledger_by_actor"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="chain_event",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func=pgtrigger.Func(CHAIN),
            ),
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="never_truncated",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'pgtrigger: the ledger is never emptied';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stream}:{self.stream_id}#{self.position} {self.action}"


class LedgerHead(models.Model):
    """How long each stream is and where it ends: shows a removed tail. Written by the trigger alone."""

    stream = models.CharField(max_length=24)
    stream_id = models.CharField(max_length=40)
    count = models.PositiveIntegerField()
    last_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "stream_id"], name="ledger_head_once")]
        triggers = [
            pgtrigger.Protect(name="head_is_kept", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="heads_are_never_truncated",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'pgtrigger: the ledger is never emptied';",
            ),
            pgtrigger.Trigger(
                name="head_is_the_triggers_own",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    IF pg_trigger_depth() < 2 THEN
                        RAISE EXCEPTION 'pgtrigger: heads are written by the trigger of the events';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.stream}:{self.stream_id} ({self.count})"


class LedgerVerification(models.Model):
    """One run of `verify_ledger`: when, over how many events, how many lines of what is wrong, and the first of them.

    Append-only: a bad result is not made good by removing it.
    """

    MOST_LINES = 20

    at = models.DateTimeField()
    events = models.PositiveBigIntegerField()
    faults = models.PositiveIntegerField()
    first_faults = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        triggers = [
            pgtrigger.Protect(name="verification_is_kept", operation=pgtrigger.Update | pgtrigger.Delete),
            pgtrigger.Trigger(
                name="verifications_are_never_truncated",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="RAISE EXCEPTION 'pgtrigger: the ledger is never emptied';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.faults}"
