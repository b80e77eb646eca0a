"""Binding a WeChat, following the official account, and what WeChat tells of both (R08).

The last known state decides: nobody is stopped because WeChat cannot be reached.
"""

import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.actors import SYSTEM, Actor, acting, check_acts_for
from accounts.models import Candidate, WeChatEvent, WeChatEventCount, WeChatUser
from accounts.services import ledger, outbox, recovery, reminders, sessions
from accounts.services.candidates import hold
from accounts.wechat.client import BATCH, LONGEST_ID, UNKNOWN_OPENID, Follower, WeChatFailed, official_account
from accounts.wechat.events import Event
from exam_portal import clock
from exam_portal.kit.bell import ring
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked

FOLLOWS = {"subscribe": True, "unsubscribe": False}
DELIVERED = "TEMPLATESENDJOBFINISH"
ASKED_AGAIN = timedelta(hours=20)
UNKNOWN_AGAIN = timedelta(minutes=15)  # of whom no unionid is known yet
LOOKED_AGAIN = timedelta(seconds=20)  # how often one candidate can have WeChat asked
# How far WeChat's clock and ours may be apart, events telling whole seconds besides. An answer counts as of so long
# before it was asked for: what happened later was told by an event, if not of this answer then of the next.
APART = timedelta(seconds=5)
ONE_RUN = timedelta(minutes=4)  # of a task that asks about many: over before the next sweep comes
MOST_UNKNOWN = 5  # of a batch
KEPT = timedelta(days=2)  # events: WeChat sends one again within seconds
OF_THE_ACCOUNT = ["openid", "following", "turned_at", "told_at", "checked_at"]  # what is known by the openid


# --- Binding --------------------------------------------------------------------------------------
@transaction.atomic
def bind(
    *, candidate: Candidate, actor: Actor, unionid: str, nickname: str, openid: str = "", at: datetime
) -> WeChatUser:
    """Bind a WeChat that belongs to no other candidate.

    `openid` is the one at the official account, where it is known.

    Raises:
        Refused: WeChat told no unionid (`no_unionid`), this WeChat is another candidate's (`wechat_taken`), or the
            candidate has another one bound (`bound_already`).
    """
    check_acts_for(actor, candidate)
    if not unionid:
        raise Refused(_("WeChat did not say who you are. Try again in a while."), code="no_unionid")
    candidate = hold(candidate)
    bound = WeChatUser.objects.filter(candidate=candidate).first()
    if bound is not None and bound.unionid != unionid:
        raise Refused(_("Another WeChat is bound to your account. Unbind it first."), code="bound_already")
    found = _known(unionid=unionid, openid=openid)
    if found.candidate_id not in {None, candidate.pk}:
        raise Refused(
            _("This WeChat is bound to another account. One WeChat serves one candidate."), code="wechat_taken"
        )
    anew = found.candidate_id is None
    found.candidate, found.nickname = candidate, nickname[:64]
    found.bound_at = at if anew else found.bound_at
    found.save(update_fields=["candidate", "nickname", "bound_at"])
    if anew:
        ledger.record_about(candidate, "wechat.bound", actor, at, following=found.following)
        outbox.tell(candidate=candidate, kind="wechat_bound", by=outbox.BESIDE_WECHAT)
        reminders.remind(candidate=candidate, at=at)
    if found.openid and not found.following:
        transaction.on_commit(lambda: _ring(found.pk))
    return found


def unbind(*, candidate: Candidate, actor: Actor, password: str, keep: str | None, at: datetime) -> None:
    """Take the binding away; choosing an exam and submitting stop until one is bound again. Twice is once.

    It may have signed in: all sessions end but the one with the key `keep`.

    Raises:
        Refused: as `recovery.check_password_again`.
    """
    recovery.check_password_again(candidate=candidate, actor=actor, password=password)
    with transaction.atomic():
        candidate = hold(candidate)
        if forget(candidate=candidate):
            sessions.end_all(user=candidate.user, keep=keep or "")
            ledger.record_about(candidate, "wechat.unbound", actor, at)
            outbox.tell(candidate=candidate, kind="wechat_unbound", by=outbox.BESIDE_WECHAT)
            reminders.remind(candidate=candidate, at=at)


def signed_in(*, candidate: Candidate, at: datetime) -> None:
    """Put on record that somebody has signed in by the WeChat that is bound."""
    ledger.record_about(candidate, "wechat.signed_in", acting(candidate), at)


def forget(*, candidate: Candidate) -> bool:
    """Take the binding from its row, which goes on to say who follows. Returns whether there was one."""
    return bool(WeChatUser.objects.filter(candidate=candidate).update(candidate=None, bound_at=None, nickname=""))


def _known(*, unionid: str, openid: str) -> WeChatUser:
    """The row of somebody's WeChat, locked; made where there is none, and one of two that turn out to be the same."""
    if openid and not WeChatUser.objects.filter(unionid=unionid).exists():
        # If another makes the row of the unionid meanwhile, the two are joined as below.
        with suppress(IntegrityError), transaction.atomic():
            row = _row(openid=openid)
            if row.unionid in {None, unionid}:
                row.unionid = unionid
                row.save(update_fields=["unionid"])
                return row
    found = _row(unionid=unionid)
    if not openid or found.openid == openid:
        return found
    other = _row(openid=openid)
    if other.unionid is None:
        # Known by its openid alone until now: what it said of following, if anything, goes over.
        other.delete()
        followed, fields = found.following, OF_THE_ACCOUNT if other.told_at or other.checked_at else ["openid"]
        for field in fields:
            setattr(found, field, getattr(other, field))
        found.save(update_fields=fields)
        if found.following != followed:
            _tell(found)
    return found


def _row(**key: str) -> WeChatUser:
    """The row of a unionid or an openid, locked; made where there is none.

    Another may make it meanwhile, and one that is waited for may be gone when it is free: joined with another, which
    has its openid now.
    """
    while (row := locked(WeChatUser.objects.filter(**key)).first()) is None:
        WeChatUser.objects.bulk_create([WeChatUser(**key)], ignore_conflicts=True)
    return row


# --- Following ------------------------------------------------------------------------------------
def take_event(event: Event) -> bool:
    """Do what an event says, once; False when it was taken before. What it needs to ask is asked by a worker."""
    if event.name == DELIVERED and event.fields.get("Status") == "success":
        return True  # no news, and there are as many of these as messages
    at = clock.as_shown(datetime.fromtimestamp(event.at, UTC))
    with transaction.atomic():
        _event, new = WeChatEvent.objects.get_or_create(key=event.key[:160], defaults={"at": clock.now()})
        if new and event.name in FOLLOWS and 0 < len(event.openid) <= LONGEST_ID:
            _note(event.openid, following=FOLLOWS[event.name], told_at=at)
        elif new and event.name == DELIVERED and (status := event.fields.get("Status")):
            outbox.came_back(remote_id=event.fields.get("MsgID", ""), why=status)
    # Not within: all events of a day have one counter, and would wait there for each other.
    count(WeChatEventCount.Outcome.TAKEN if new else WeChatEventCount.Outcome.AGAIN)
    return new


def _note(openid: str, *, following: bool, told_at: datetime) -> None:
    """Note what an event of this moment says of following; an older one changes nothing."""
    row = _row(openid=openid)
    if row.told_at is not None and told_at < row.told_at:
        return
    changed, row.following, row.told_at = row.following != following, following, told_at
    if changed or row.turned_at is None:
        row.turned_at = told_at
    row.save(update_fields=["following", "turned_at", "told_at"])
    if changed:
        _tell(row)
    if following and row.unionid is None:
        transaction.on_commit(lambda: _ring(row.pk))


def _tell(row: WeChatUser) -> None:
    """Put on record that a candidate's WeChat follows or no longer follows."""
    if row.candidate is None:
        return
    if row.following:
        ledger.record_about(row.candidate, "wechat.followed", SYSTEM)
        outbox.follows_again(candidate=row.candidate)
    else:
        ledger.record_about(row.candidate, "wechat.unfollowed", SYSTEM)
    reminders.remind(candidate=row.candidate, at=clock.now(), away=True)


def look_again(*, candidate: Candidate, at: datetime) -> None:
    """Have WeChat asked whether the candidate follows, where its openid is known; at most every few seconds."""
    known = WeChatUser.objects.filter(candidate=candidate).exclude(openid=None)
    for pk in known.exclude(checked_at__gt=at - LOOKED_AGAIN).values_list("pk", flat=True):
        _ring(pk)


def learn(*, wechat_id: int, at: datetime) -> None:
    """Ask WeChat who it is that follows, and whether they do. Runs in a worker.

    Raises:
        WeChatFailed
    """
    row = WeChatUser.objects.filter(pk=wechat_id).first()
    if row is not None and row.openid:
        note_follower(official_account().follower(row.openid), at=at)


@transaction.atomic
def note_follower(follower: Follower, *, at: datetime) -> None:
    """Note what WeChat answered about somebody, whom it was asked for at this moment.

    Of following it changes nothing where a newer event has told of it: the answer may have been on its way.
    """
    key = {"openid": follower.openid}
    row = _known(unionid=follower.unionid, **key) if follower.unionid else _row(**key)
    row.checked_at = at
    newer = row.told_at is not None and row.told_at > at - APART
    changed = row.following != follower.following and not newer
    if changed:
        row.following, row.turned_at, row.told_at = follower.following, at, at - APART
    row.save(update_fields=["following", "turned_at", "told_at", "checked_at"])
    if changed:
        _tell(row)


# --- Asking about many ----------------------------------------------------------------------------
def reconcile(*, at: datetime) -> int:
    """Compare who follows with what WeChat knows. Returns how many were asked about; runs in a worker.

    First come those whose following nobody told the portal of; then it goes on as `ask_due`.

    Raises:
        WeChatFailed: the rest is asked about next time.
    """
    page = official_account().openids()
    while page:
        WeChatUser.objects.bulk_create((WeChatUser(openid=openid) for openid in page), ignore_conflicts=True)
        after, page = page[-1], official_account().openids(after=page[-1])
        if page and page[-1] == after:
            break
    return ask_due(at=at)


def ask_due(*, at: datetime) -> int:
    """Ask WeChat about everybody who was not asked about lately. Returns about how many; runs in a worker.

    When the time of one run is over, another is rung for.

    Raises:
        WeChatFailed: as `reconcile`.
    """
    from accounts.tasks import ask_wechat

    due = WeChatUser.objects.exclude(openid=None).exclude(checked_at__gt=at - ASKED_AGAIN)
    asked = _ask(due, at=at)
    if due.exists():
        ring(ask_wechat)
    return asked


def ask_unknown(*, at: datetime) -> int:
    """Ask about followers whose unionid is not known yet. Returns about how many; runs in a worker.

    Raises:
        WeChatFailed: the rest is asked about by the next sweep.
    """
    unknown = WeChatUser.objects.filter(unionid=None, following=True)
    return _ask(unknown.exclude(checked_at__gt=at - UNKNOWN_AGAIN), at=at)


def _ask(due: QuerySet[WeChatUser], *, at: datetime) -> int:
    """Ask about these in batches, the longest unasked first, until all are or one run's time is over.

    Returns about how many. That they were asked is noted before: those at whom WeChat fails do not stand first again.
    """
    asked, began = 0, time.monotonic()
    while (spent := timedelta(seconds=time.monotonic() - began)) < ONE_RUN:
        longest = due.order_by(F("checked_at").asc(nulls_first=True))
        rows = dict(longest.values_list("pk", "openid")[:BATCH])
        if not rows:
            break
        asked_at = at + spent
        with transaction.atomic():
            # Locked in one order, so that two who ask at once do not wait for each other.
            held = locked(WeChatUser.objects.filter(pk__in=rows).order_by("pk")).values_list("pk", flat=True)
            WeChatUser.objects.filter(pk__in=list(held)).update(checked_at=asked_at)
        answers = _told_of([openid for openid in rows.values() if openid])
        for follower in _news(answers):
            note_follower(follower, at=asked_at)
        asked += len(rows)
    return asked


def _news(answers: list[Follower]) -> list[Follower]:
    """Of these answers those that differ from what is known."""
    rows = {row.openid: row for row in WeChatUser.objects.filter(openid__in=[each.openid for each in answers])}
    return [
        each
        for each in answers
        if (row := rows.get(each.openid)) is None
        or row.following != each.following
        or (each.unionid and row.unionid != each.unionid)
    ]


def _told_of(openids: list[str], *, unknown: int = 0) -> list[Follower]:
    """What WeChat answers about these; one that it does not know hides no other, and is left as it was.

    Raises:
        WeChatFailed: also where it knows hardly any: it is another official account than before.
    """
    try:
        return official_account().followers(openids)
    except WeChatFailed as failed:
        if failed.errcode != UNKNOWN_OPENID or unknown > MOST_UNKNOWN:
            raise
    if len(openids) == 1:
        return []
    half = len(openids) // 2
    first = _told_of(openids[:half], unknown=unknown)
    return first + _told_of(openids[half:], unknown=unknown + half - len(first))


def count(outcome: str) -> None:
    """Count an event of today."""
    day = clock.today()
    WeChatEventCount.objects.get_or_create(day=day, outcome=outcome)
    WeChatEventCount.objects.filter(day=day, outcome=outcome).update(count=F("count") + 1)


def sweep(*, at: datetime) -> None:
    """Forget events of which no second comes any more."""
    WeChatEvent.objects.filter(at__lt=at - KEPT).delete()


def _ring(wechat_id: int) -> None:
    from accounts.tasks import learn_wechat  # the bell's clapper is a task, and tasks call services

    ring(learn_wechat, wechat_id)
