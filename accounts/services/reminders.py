"""Telling candidates what they have to do: after each step that leaves something, and on days before it ends (R17).

What there is to do is never planned: it is computed from the state of things by `accounts.next_steps`, once when a
message is written and once more when it is sent. Each thing is told once after a step, and once on each such day.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Concat

from accounts.models import Candidate, Carrier, Delivery, Message
from accounts.next_steps import next_steps
from accounts.services import outbox
from exam_portal import clock
from exam_portal.kit.moments import ended_day
from exam_portal.kit.next_steps import NextStep, Todo

# Of a candidate, what the next steps and the carriers look at.
KNOWN = ("user", "basic_information", "wechat")


def remind(*, candidate: Candidate, at: datetime, away: bool = False) -> None:
    """Tell what the candidate can do now and was not told of; in the transaction of the change that left it.

    It goes by WeChat. Other carriers bring it where WeChat cannot, and it is urgent or the candidate is `away` and so
    does not see the page; who has just pressed a button wants no e-mail about the next one. While the account lacks
    something, what needs it is told only if it is urgent: an exam cannot be chosen yet.
    """
    candidate = Candidate.objects.select_related(*KNOWN).get(pk=candidate.pk)
    follows = hasattr(candidate, "wechat") and candidate.wechat.following
    by = tuple(Carrier) if away and not follows else (Carrier.WECHAT,)
    steps = [step for step in next_steps(candidate=candidate, at=at) if step.todo]
    standing = [Q(facts__todo=step.todo.key, facts__about=step.about) for step in steps if step.todo]
    unread = Message.objects.filter(candidate=candidate, kind=Message.TODO, read_at=None)
    unread.exclude(reduce(or_, standing, Q(pk=None))).update(read_at=at)  # what is done is no news
    blocked = any(not step.exam for step in steps)  # the account belongs to no exam
    for step in steps:
        if not (blocked and step.todo and step.todo.needs_account) or step.urgent:
            _tell(candidate, step, by=tuple(Carrier) if step.urgent and not follows else by)


@dataclass(frozen=True)
class Asked:
    """What a candidate has to do, and how many days before its end to remind of it."""

    candidate: Candidate
    step: NextStep
    days: Sequence[int]


@transaction.atomic
def remind_again(*, asked: Iterable[Asked], at: datetime) -> int:
    """Remind whom one of the days before the end has come for, each day once. Returns how many messages it wrote.

    Of several days that have passed only the last counts, and none of which the candidate was told on or after it; what
    no carrier could bring was not told.
    """
    due = [(one, days) for one in asked if one.step.deadline and (days := day_of(one.step.deadline, one.days, at))]
    ids = {_object_id(one.candidate, one.step, end=end) for one, _days in due for end in (False, True)}
    rows = Message.objects.filter(Q(version__gt=0) | _brought(), kind=Message.TODO, object_id__in=ids)
    known = {(object_id, version): told_at for object_id, version, told_at in rows.values_list(*_ONCE, "created_at")}
    written = 0
    for one, days in due:
        assert one.step.deadline is not None
        told_at = known.get((_object_id(one.candidate, one.step), 0))
        said = told_at is not None and told_at >= morning(one.step.deadline, days)
        if not said and (_object_id(one.candidate, one.step, end=True), days) not in known:
            written += _tell(one.candidate, one.step, days=days) is not None
    return written


_ONCE = ("object_id", "version")


def _brought() -> Q:
    """Whether a carrier has brought a message, or still may; or none could, and the inbox is all that there is."""
    dead = Delivery.objects.filter(message=OuterRef("pk"), state=Delivery.State.DEAD)
    other = Delivery.objects.filter(message=OuterRef("pk")).exclude(state=Delivery.State.DEAD)
    return ~Exists(dead) | Q(Exists(other))


def known(todo: Todo, about: Combinable, *, deadline: datetime, days: int) -> Q:
    """For a query of rows with a `candidate_id`: whether what `remind_again` would write now was told already.

    Who looks every hour for whom to remind leaves them out. `about` refers to the row outside.
    """
    who = Cast(OuterRef("candidate_id"), CharField())
    name = Concat(who, Value(f"/{todo.key}/"), about, output_field=CharField())
    step = Message.objects.filter(_brought(), kind=Message.TODO, object_id=name, version=0)
    day = Message.objects.filter(kind=Message.TODO, object_id=Concat(name, Value(_end(deadline))), version=days)
    return Q(Exists(step.filter(created_at__gte=morning(deadline, days)))) | Q(Exists(day))


def known_of_account(candidate: str, *, deadline: datetime, days: int) -> Q:
    """The same of whatever the account lacks before an exam can be chosen; what follows is told after the step."""
    told = Message.objects.filter(candidate=OuterRef(candidate), created_at__gte=morning(deadline, days))
    return Q(Exists(told.filter(kind=Message.TODO, version=days, object_id__endswith=_end(deadline))))


def day_of(deadline: datetime, days: Sequence[int], at: datetime) -> int:
    """Of the days before a deadline on which to remind the last that has come; 0 for none, or when it is over."""
    return min((number for number in days if morning(deadline, number) <= at < deadline), default=0)


def morning(deadline: datetime, days: int) -> datetime:
    """From when there are so many days left: eight in the morning, so many days before the last day in Beijing."""
    last = ended_day(deadline) or deadline.astimezone(clock.BEIJING).date()
    return datetime.combine(last - timedelta(days=days), outbox.QUIET_UNTIL, tzinfo=clock.BEIJING)


def _tell(
    candidate: Candidate, step: NextStep, *, days: int = 0, by: Sequence[Carrier] = tuple(Carrier)
) -> Message | None:
    assert step.todo is not None
    return outbox.enqueue(
        candidate=candidate,
        kind=Message.TODO,
        object_id=_object_id(candidate, step, end=days > 0),
        version=days,
        facts={"todo": step.todo.key, "about": step.about, "exam": step.exam},
        deadline=step.deadline,
        by=by,
    )


def _object_id(candidate: Candidate, step: NextStep, *, end: bool = False) -> str:
    """What names a thing to do; with its end, so that one whose end is moved is reminded of anew."""
    assert step.todo is not None
    name = f"{candidate.pk}/{step.todo.key}/{step.about}"
    return name + _end(step.deadline) if end and step.deadline else name


def _end(deadline: datetime) -> str:
    return f"/{deadline.astimezone(clock.BEIJING):%Y-%m-%dT%H:%M}"
