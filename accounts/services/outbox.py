"""The outbox: a row first, then a bell for the worker, then a sweeper for what the bell missed (R17).

A message stands in the inbox at once. Each carrier by which its candidate can be reached is a delivery of its own,
sent by a worker outside any transaction: a worker that dies while it sends leaves the row `sending`, and the sweeper
lets another try. So each goes out at least once; WeChat knows the same key again for ten minutes.
"""

import logging
import random
import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from datetime import time as time_of_day
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, Subquery

from accounts.carriers import NOT_FOLLOWING, WAYS, NotSent
from accounts.models import Candidate, Carrier, CarrierPause, Delivery, Message
from accounts.wechat.client import Verdict
from exam_portal import clock
from exam_portal.kit import moments, rates
from exam_portal.kit.bell import ring

logger = logging.getLogger(__name__)

State = Delivery.State
MOST_TRIES = 18  # about two days, with the pauses between them
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=15), timedelta(hours=6)
PAUSE_OF_CARRIER = timedelta(minutes=10)
# At night nobody is woken, unless the time to act ends within a day.
QUIET_FROM, QUIET_UNTIL = time_of_day(22), time_of_day(8)
NEAR = timedelta(hours=24)
# What goes out in so many seconds is rung for ahead, and for each again when nobody has come for so long.
SWEPT_SECONDS = 60
RUNG_AGAIN = timedelta(minutes=2)
# The sweeper rings for so many at once, which costs a third of ringing for each; a worker whom the first of them keep
# waiting leaves the rest to the next round.
TOGETHER = 20
PATIENCE = 10.0  # seconds
# What tells of a WeChat goes by the others.
BESIDE_WECHAT = (Carrier.EMAIL, Carrier.SMS)
# For so long WeChat takes a second message of the same key for the first.
KEY_LASTS = timedelta(minutes=15)
REMOTE_ID = 64  # characters


def enqueue(
    *,
    candidate: Candidate,
    kind: str,
    object_id: str,
    version: int,
    facts: dict[str, Any],
    deadline: datetime | None = None,
    by: Collection[Carrier] = tuple(Carrier),
) -> Message | None:
    """Write a message in the transaction of the change it tells of; the same (kind, object, version) only once.

    `deadline` is until when there is something to do, `by` the carriers that may bring it beside the inbox. Returns the
    message, or None when it was there already.
    """
    at = clock.now()
    if deadline is not None:
        facts = {**facts, "deadline": deadline.isoformat()}
    message, created = Message.objects.get_or_create(
        kind=kind,
        object_id=object_id,
        version=version,
        defaults={"candidate": candidate, "facts": facts, "created_at": at},
    )
    if not created:
        return None
    due = due_at(at, deadline=deadline)
    rung = at if due <= at else None
    deliveries = Delivery.objects.bulk_create(
        Delivery(message=message, carrier=carrier, due_at=due, rung_at=rung)
        for carrier, way in WAYS.items()
        if carrier in by and way.reaches(candidate)
    )
    if rung:
        transaction.on_commit(lambda: _ring(*([delivery.pk] for delivery in deliveries)))
    return message


def tell(*, candidate: Candidate, kind: str, by: Collection[Carrier] = tuple(Carrier), **facts: Any) -> None:
    """Write one more message of a kind that is about the account; the candidate's row is locked by the caller."""
    earlier = candidate.messages.filter(kind=kind).count()
    enqueue(candidate=candidate, kind=kind, object_id=str(candidate.pk), version=earlier + 1, facts=facts, by=by)


def due_at(at: datetime, *, deadline: datetime | None) -> datetime:
    """When a message of this moment may go out: now, or at eight in the morning after a quiet night."""
    local = at.astimezone(clock.BEIJING)
    quiet = local.time() >= QUIET_FROM or local.time() < QUIET_UNTIL
    if not quiet or (deadline is not None and at < deadline <= at + NEAR):
        return at
    day = local.date() if local.time() < QUIET_UNTIL else local.date() + timedelta(days=1)
    return datetime.combine(day, QUIET_UNTIL, tzinfo=clock.BEIJING)


def deliver_some(*, delivery_ids: Sequence[int]) -> None:
    """Send deliveries one after the other, as far as they go quickly: what else there is to do has its turn."""
    until = time.monotonic() + PATIENCE
    for done, delivery_id in enumerate(delivery_ids):
        if time.monotonic() > until:
            Delivery.objects.filter(pk__in=delivery_ids[done:]).update(rung_at=None)
            return
        deliver(delivery_id=delivery_id)


def deliver(*, delivery_id: int) -> bool:
    """Send one delivery that is due; False when there was nothing to do. Safe to run twice and in parallel."""
    delivery = _take(delivery_id)
    if delivery is None:
        return False
    rates.wait(delivery.carrier, per_second=settings.PORTAL_SENDS_PER_SECOND)
    try:
        remote_id = WAYS[Carrier(delivery.carrier)].send(delivery.message)
    except NotSent as failed:
        _failed(delivery, failed)
        return False
    except Exception as error:  # whatever a carrier's library throws is a try like others, and keeps no other waiting
        logger.exception("A message could not be sent by %s.", delivery.carrier)
        _failed(delivery, NotSent(type(error).__name__, Verdict.RETRY))
        return False
    Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, taken_at=delivery.taken_at).update(
        state=State.SENT, sent_at=clock.now(), remote_id=remote_id[:REMOTE_ID], outcome=""
    )
    return True


def _take(delivery_id: int) -> Delivery | None:
    """The delivery, now being sent by this worker; None where it is not due, another has it, or its carrier pauses.

    One statement takes it, so of two workers one does. However late it has become, at night it waits for the morning;
    one at which workers have died so often is given up.
    """
    at = clock.now()
    rows = Delivery.objects.filter(_waiting(at), pk=delivery_id)
    if due_at(at, deadline=None) > at:
        for told in rows.values_list("message__facts__deadline", flat=True):
            due = due_at(at, deadline=moments.kept(told))
            if due > at:
                rows.update(state=State.QUEUED, due_at=due)
    pauses = CarrierPause.objects.filter(carrier=OuterRef("carrier"), until__gt=at)
    if rows.filter(~Exists(pauses)).update(state=State.SENDING, taken_at=at, tries=F("tries") + 1):
        taken = Delivery.objects.filter(pk=delivery_id, state=State.SENDING, taken_at=at)
        message = taken.select_related("message__candidate__user", "message__candidate__wechat")
        delivery = message.defer("message__candidate__id_number").first()
        if delivery and delivery.tries > MOST_TRIES:
            _failed(delivery, NotSent(f"left unfinished: {delivery.outcome}", Verdict.DROP))
            return None
        return delivery
    rows.filter(Exists(pauses)).update(due_at=Subquery(pauses.values("until")))
    return None


def _waiting(at: datetime) -> Q:
    """What may be sent now: what is due, and what a worker began to send so long ago that it must have died."""
    lease = timedelta(seconds=settings.PORTAL_SEND_LEASE)
    return Q(state__in=Delivery.WAITING, due_at__lte=at) | Q(state=State.SENDING, taken_at__lte=at - lease)


@transaction.atomic
def _failed(delivery: Delivery, failed: NotSent) -> None:
    """Note a failure: try again later, give it up, or pause the whole carrier, which costs the row no try."""
    at, tries, state = clock.now(), delivery.tries, State.FAILED
    due = at + pause_after(tries)
    if failed.verdict == Verdict.STOP:
        due, tries = at + PAUSE_OF_CARRIER, tries - 1
        CarrierPause.objects.update_or_create(
            carrier=delivery.carrier, defaults={"until": due, "why": str(failed)[:200]}
        )
    elif failed.verdict == Verdict.DROP or tries >= MOST_TRIES:
        state = State.DEAD
    Delivery.objects.filter(pk=delivery.pk, state=State.SENDING, taken_at=delivery.taken_at).update(
        state=state, due_at=due, rung_at=None, tries=tries, outcome=str(failed)[:200]
    )


def pause_after(tries: int) -> timedelta:
    """How long to wait after so many tries: twice as long each time, and never the same for all."""
    return min(FIRST_PAUSE * 2 ** max(0, tries - 1), LONGEST_PAUSE) * random.uniform(0.5, 1.5)  # noqa: S311


def sweep() -> int:
    """Ring for what the broker lost, what is to be tried again and what a dead worker left. Returns how many.

    Only what goes out next is looked at: however much waits, the broker holds little of it, and what else there is for
    the workers to do has its turn.
    """
    at = clock.now()
    with transaction.atomic():
        waiting = Delivery.objects.select_for_update(skip_locked=True, no_key=True).filter(_waiting(at))
        nearest = waiting.order_by("due_at")[: SWEPT_SECONDS * settings.PORTAL_SENDS_PER_SECOND]
        rung = nearest.values_list("pk", "rung_at")
        keys = [key for key, rung_at in rung if rung_at is None or rung_at <= at - RUNG_AGAIN]
        Delivery.objects.filter(pk__in=keys).update(rung_at=at)
    _ring(*(keys[first : first + TOGETHER] for first in range(0, len(keys), TOGETHER)))
    return len(keys)


def _ring(*some: Sequence[int]) -> None:
    from accounts.tasks import deliver_message  # the bell's clapper is a task, and tasks call services

    for deliveries in some:
        ring(deliver_message, *deliveries)


def came_back(*, remote_id: str, why: str) -> None:
    """Note that what WeChat had taken did not arrive: tried again where WeChat itself failed, else it is dead."""
    sent = Delivery.objects.filter(carrier=Carrier.WECHAT, remote_id=remote_id, state=State.SENT)
    if "system" in why:
        again = {"state": State.FAILED, "sent_at": None, "remote_id": "", "rung_at": None}
        due = clock.now() + KEY_LASTS
        sent.filter(tries__lt=MOST_TRIES).update(**again, due_at=due, outcome=why[:200])
    sent.update(state=State.DEAD, outcome=why[:200])


def follows_again(*, candidate: Candidate) -> None:
    """Let WeChat bring the to-dos that it could not while nobody followed; of what was done meanwhile nothing goes."""
    died = Delivery.objects.filter(carrier=Carrier.WECHAT, state=State.DEAD, outcome=NOT_FOLLOWING)
    mine = died.filter(message__candidate=candidate, message__kind=Message.TODO)
    mine.update(state=State.QUEUED, due_at=clock.now(), rung_at=None, tries=0, outcome="")


def mark_read(*, candidate: Candidate) -> None:
    """Note that the candidate has seen the messages in the inbox."""
    candidate.messages.filter(read_at=None).update(read_at=clock.now())
