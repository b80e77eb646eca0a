"""The outbox by hand: how it stands, sending again, giving up, and lifting a pause (`manage.py outbox`)."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import CharField, Count, F, Func, Min, Q, QuerySet, Value
from django.utils.translation import gettext as _

from accounts.actors import Actor, check_reason
from accounts.models import Carrier, CarrierPause, Delivery, Message
from accounts.services import ledger
from accounts.services.outbox import due_at
from exam_portal.kit import moments
from exam_portal.kit.discreet import without_numbers
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked

State = Delivery.State
# What a hand may move: what is being sent belongs to its worker, and what was sent is not sent again.
MOVABLE = (State.QUEUED, State.FAILED, State.DEAD)
BATCH = 500  # deliveries in one transaction
# Due for so long, and not because its carrier pauses: no worker or no beat runs, or they do not keep up.
OVERDUE = timedelta(minutes=15)
AGES = {"1h": timedelta(hours=1), "1d": timedelta(days=1), "7d": timedelta(days=7)}
MOST_OUTCOMES = 20
AGE = re.compile(r"([1-9]\d{0,3})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


# --- How it stands --------------------------------------------------------------------------------
@dataclass(frozen=True)
class Trouble:
    """What is wrong with the outbox, ready for JSON.

    Attributes:
        overdue: carrier → how many should have gone out long ago.
        pauses: in force: `carrier`, `until`, `why`.
    """

    overdue: dict[str, int]
    pauses: list[dict[str, Any]]


@dataclass(frozen=True)
class Overview(Trouble):
    """How the outbox stands, with all that was sent. A delivery is as old as its message.

    Attributes:
        counts: for each `carrier` and `state`: `count`, `oldest` in seconds, and in `older` how many are older than
            each of AGES.
        outcomes: what was said last of what failed or is dead, the most frequent first: `carrier`, `state`, `outcome`,
            `count`.
    """

    counts: list[dict[str, Any]]
    outcomes: list[dict[str, Any]]


def trouble(*, at: datetime) -> Trouble:
    """What is wrong at this moment; reads what waits alone, by its index, however much was sent."""
    pauses = list(CarrierPause.objects.filter(until__gt=at).order_by("carrier").values("carrier", "until", "why"))
    worker_died = Q(taken_at__lt=at - timedelta(seconds=settings.PORTAL_SEND_LEASE) - OVERDUE)
    # What is being sent was due before it was taken, so that the index narrows both.
    late = Delivery.objects.filter(
        Q(state__in=Delivery.WAITING) | Q(worker_died, state=State.SENDING), due_at__lt=at - OVERDUE
    )
    late = late.exclude(state__in=[State.SENT, State.DEAD]).exclude(carrier__in=[each["carrier"] for each in pauses])
    return Trouble(
        overdue=dict(late.order_by("carrier").values_list("carrier").annotate(Count("pk"))),
        pauses=[{**pause, "until": pause["until"].isoformat()} for pause in pauses],
    )


def overview(*, at: datetime) -> Overview:
    """How the outbox stands at this moment; reads every delivery."""
    deliveries = Delivery.objects.order_by("carrier", "state")
    older = {f"older_{name}": Count("pk", filter=Q(message__created_at__lt=at - age)) for name, age in AGES.items()}
    counts: Any = deliveries.values("carrier", "state").annotate(
        count=Count("pk"), first=Min("message__created_at"), **older
    )
    # WeChat ends its words with a number of the request, another one each time.
    told = Func(F("outcome"), Value(" rid: .*"), Value(""), function="regexp_replace", output_field=CharField())
    outcomes = Delivery.objects.filter(state__in=[State.FAILED, State.DEAD]).values("carrier", "state", told=told)
    return Overview(
        **asdict(trouble(at=at)),
        counts=[
            {
                "carrier": row["carrier"],
                "state": row["state"],
                "count": row["count"],
                "oldest": int((at - row["first"]).total_seconds()),
                "older": {name: row[f"older_{name}"] for name in AGES},
            }
            for row in counts
        ],
        outcomes=[
            {"carrier": row["carrier"], "state": row["state"], "outcome": row["told"], "count": row["count"]}
            for row in outcomes.annotate(count=Count("pk")).order_by("-count", "told")[:MOST_OUTCOMES]
        ],
    )


# --- Moving deliveries ----------------------------------------------------------------------------
@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which deliveries are meant, as it was typed: those to which everything that is given applies.

    Attributes:
        states: of MOVABLE; any of them by default.
        older_than: how old the message is at least: `90m`, `6h`, `3d`.
        ids: numbers of deliveries, alone.
    """

    states: tuple[str, ...] = ()
    carrier: str = ""
    kind: str = ""
    older_than: str = ""
    ids: tuple[int, ...] = ()

    def given(self) -> dict[str, Any]:
        """What was given, as the ledger keeps it."""
        return {name: value for name, value in asdict(self).items() if value}


@dataclass(frozen=True)
class Moved:
    """How many of the chosen deliveries have been moved so far; in a dry run, how many would be."""

    chosen: int
    moved: int


def retry(
    *, choice: Choice, reason: str, actor: Actor, at: datetime, dry_run: bool = False, batch: int = BATCH
) -> Iterator[Moved]:
    """Let deliveries go out again, with all their tries before them and at night only what may.

    Yields after each batch: a transaction with an event in the ledger, so what is done when it is interrupted stays
    done and on record. The sweeper rings for them.

    Raises:
        ValidationError: with all that is wrong, by what was given; nothing was changed.
    """
    reason = _check(choice, reason)

    def again(keys: list[int]) -> None:
        due: dict[datetime, list[int]] = defaultdict(list)
        for key, until in Delivery.objects.filter(pk__in=keys).values_list("pk", "message__facts__deadline"):
            due[due_at(at, deadline=moments.kept(until))].append(key)
        anew = {"state": State.QUEUED, "rung_at": None, "taken_at": None, "sent_at": None, "remote_id": "", "tries": 0}
        for moment, some in due.items():
            Delivery.objects.filter(pk__in=some).update(**anew, due_at=moment, outcome=f"again: {reason}"[:200])
        _record("outbox.retried", actor, reason, at, count=len(keys), **choice.given())

    yield from _by_batches(_chosen(choice, at), again, dry_run=dry_run, batch=batch)


def drop(
    *, choice: Choice, reason: str, actor: Actor, at: datetime, dry_run: bool = False, batch: int = BATCH
) -> Iterator[Moved]:
    """Give deliveries up; their messages stay in the inbox. Goes by batches, records and refuses as `retry` does.

    Raises:
        ValidationError: with all that is wrong, by what was given; nothing was changed.
    """
    reason = _check(choice, reason)

    def give_up(keys: list[int]) -> None:
        Delivery.objects.filter(pk__in=keys).update(state=State.DEAD, outcome=f"dropped: {reason}"[:200])
        _record("outbox.dropped", actor, reason, at, count=len(keys), **choice.given())

    yield from _by_batches(_chosen(choice, at).exclude(state=State.DEAD), give_up, dry_run=dry_run, batch=batch)


@transaction.atomic
def resume(*, carrier: str, reason: str, actor: Actor, at: datetime) -> None:
    """Lift the pause of a carrier; what waited for its end, or of one before it, is due now.

    What was to go out later than that anyhow stays as it is; at night, workers leave what may wait for the morning.

    Raises:
        Refused: no reason (`no_reason`), or no pause is in force (`no_pause`).
    """
    reason = check_reason(reason)
    pause = locked(CarrierPause.objects.filter(carrier=carrier, until__gt=at)).first()
    if pause is None:
        raise Refused(_("No pause of “%(carrier)s” is in force.") % {"carrier": carrier}, code="no_pause")
    waiting = Delivery.objects.filter(carrier=carrier, state__in=Delivery.WAITING, due_at__gt=at)
    waiting.filter(due_at__lte=pause.until).update(due_at=at, rung_at=None)
    pause.delete()
    _record("outbox.resumed", actor, reason, at, carrier=carrier)


def _by_batches(
    rows: QuerySet[Delivery], act: Callable[[list[int]], None], *, dry_run: bool, batch: int
) -> Iterator[Moved]:
    """Let `act` change the rows batch by batch, each in a transaction in which they are locked."""
    chosen, moved, last = rows.count(), 0, 0
    yield Moved(chosen, chosen if dry_run else 0)
    while not dry_run and (keys := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:batch])):
        last = keys[-1]
        with transaction.atomic():
            # A worker may have taken some meanwhile.
            still = locked(Delivery.objects.filter(pk__in=keys, state__in=MOVABLE).order_by("pk"))
            keys = [delivery.pk for delivery in still]
            if keys:
                act(keys)
        moved += len(keys)
        yield Moved(chosen, moved)


def _chosen(choice: Choice, at: datetime) -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(state__in=choice.states or MOVABLE)
    if choice.carrier:
        rows = rows.filter(carrier=choice.carrier)
    if choice.kind:
        rows = rows.filter(message__kind=choice.kind)
    if found := AGE.fullmatch(choice.older_than):
        rows = rows.filter(message__created_at__lt=at - timedelta(**{UNITS[found[2]]: int(found[1])}))
    return rows.filter(pk__in=choice.ids) if choice.ids else rows


def _check(choice: Choice, reason: str) -> str:
    """The reason as it is kept, without ID numbers; refuses what nobody can mean, all at once."""
    wrong: dict[str, list[str]] = defaultdict(list)
    if not reason.strip():
        wrong["reason"].append(_("Give the reason."))
    if not choice.given():
        wrong["state"].append(_("Say which deliveries are meant: by state, carrier, kind, age or number."))
    for state in choice.states:
        if state in {State.SENT, State.SENDING}:
            wrong["state"].append(_("What is “%(state)s” is left alone.") % {"state": state})
        elif state not in MOVABLE:
            wrong["state"].append(_("There is no state “%(state)s”.") % {"state": state})
    if choice.carrier and choice.carrier not in Carrier.values:
        wrong["carrier"].append(_("There is no carrier “%(carrier)s”.") % {"carrier": choice.carrier})
    if choice.kind and not Message.objects.filter(kind=choice.kind).exists():
        wrong["kind"].append(_("There is no message of the kind “%(kind)s”.") % {"kind": choice.kind})
    if choice.older_than and not AGE.fullmatch(choice.older_than):
        wrong["older-than"].append(_("“%(age)s” is no age, such as 90m, 6h or 3d.") % {"age": choice.older_than})
    if choice.ids and len(choice.given()) > 1:
        wrong["id"].append(_("A number says which delivery is meant; leave out the rest."))
    states = dict(Delivery.objects.filter(pk__in=choice.ids).values_list("pk", "state"))
    for key in choice.ids:
        if key not in states:
            wrong["id"].append(_("There is no delivery %(number)s.") % {"number": key})
        elif states[key] not in MOVABLE:
            wrong["id"].append(
                _("Delivery %(number)s is “%(state)s” and left alone.") % {"number": key, "state": states[key]}
            )
    if wrong:
        raise ValidationError(dict(wrong))
    return without_numbers(reason.strip())


def _record(action: str, actor: Actor, reason: str, at: datetime, **payload: Any) -> None:
    ledger.record(
        stream="portal", stream_id="outbox", action=action, actor=actor, reason=reason, payload=payload, at=at
    )
