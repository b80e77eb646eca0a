"""Binding a WeChat, following the official account, and what WeChat tells of both (R08).

The last known state decides: nobody is stopped because WeChat cannot be reached.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from accounts.actors import SYSTEM, Actor, acting, check_acts_for
from accounts.models import Candidate, WeChatEvent, WeChatEventCount, WeChatUser
from accounts.services import ledger, outbox, recovery, reminders, sessions
from accounts.services.candidates import hold
from accounts.wechat.client import BATCH, UNKNOWN_OPENID, Follower, WeChatFailed, official_account
from accounts.wechat.events import Event
from exam_portal import clock
from exam_portal.kit.bell import ring
from exam_portal.kit.errors import Refused
from exam_portal.kit.locks import locked

FOLLOWS = {"subscribe": True, "unsubscribe": False}
ASKED_AGAIN = timedelta(hours=20)
LOOKED_AGAIN = timedelta(seconds=20)  # how often one candidate can have WeChat asked
MOST_UNKNOWN = 5  # of a batch
KEPT = timedelta(days=2)  # events: WeChat sends one again within seconds


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
    found = locked(WeChatUser.objects.filter(unionid=unionid)).first()
    other = locked(WeChatUser.objects.filter(openid=openid)).first() if openid else None
    if found is None and other is not None and other.unionid is None:
        other.unionid = unionid
        other.save(update_fields=["unionid"])
        return other
    if found is None:
        try:
            with transaction.atomic():
                found = WeChatUser.objects.create(unionid=unionid, openid=(openid or None) if other is None else None)
        except IntegrityError:  # two at once: the other one made it
            found = locked(WeChatUser.objects.filter(unionid=unionid)).get()
    if other is not None and other.pk != found.pk and other.unionid is None:
        # Known by its openid alone until now: what it said of following goes over.
        other.delete()
        changed = found.following != other.following
        found.openid, found.following = other.openid, other.following
        found.told_at, found.checked_at = other.told_at, other.checked_at
        found.save(update_fields=["openid", "following", "told_at", "checked_at"])
        if changed:
            _tell(found)
    elif openid and not found.openid and other is None:
        found.openid = openid
        found.save(update_fields=["openid"])
    return found


# --- Following ------------------------------------------------------------------------------------
def take_event(event: Event) -> bool:
    """Do what an event says, once; False when it was taken before. What it needs to ask is asked by a worker."""
    at = clock.as_shown(datetime.fromtimestamp(event.at, UTC))
    with transaction.atomic():
        _row, new = WeChatEvent.objects.get_or_create(key=event.key[:160], defaults={"at": clock.now()})
        count(WeChatEventCount.Outcome.TAKEN if new else WeChatEventCount.Outcome.AGAIN)
        if not new:
            return False
        if event.name in FOLLOWS and event.openid:
            _note(event.openid, following=FOLLOWS[event.name], told_at=at)
        elif event.name == "TEMPLATESENDJOBFINISH":
            _delivered(event.fields)
    return True


def _note(openid: str, *, following: bool, told_at: datetime) -> None:
    """Note a state of following that began at this moment; an older one changes nothing."""
    WeChatUser.objects.get_or_create(openid=openid)
    row = locked(WeChatUser.objects.filter(openid=openid)).get()
    if row.told_at is not None and told_at < row.told_at:
        return
    changed, row.following, row.told_at = row.following != following, following, told_at
    row.save(update_fields=["following", "told_at"])
    if changed:
        _tell(row)
    if row.unionid is None:
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


def _delivered(fields: dict[str, Any]) -> None:
    """What became of a message that was sent: only a failure is news."""
    status = str(fields.get("Status", ""))
    if status and status != "success":
        outbox.came_back(remote_id=str(fields.get("MsgID", "")), why=status)


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
    """Note what WeChat answered at this moment about somebody."""
    if follower.unionid:
        row = _known(unionid=follower.unionid, openid=follower.openid)
    else:
        WeChatUser.objects.get_or_create(openid=follower.openid)
        row = locked(WeChatUser.objects.filter(openid=follower.openid)).get()
    changed = row.following != follower.following
    row.following, row.checked_at = follower.following, at
    row.told_at = at if changed else row.told_at
    row.save(update_fields=["following", "checked_at", "told_at"])
    if changed:
        _tell(row)


def reconcile(*, at: datetime) -> int:
    """Compare who follows with what WeChat knows, in batches. Returns how many were asked about; runs in a worker.

    First come those whose following nobody told the portal of; then WeChat is asked about everybody who was not asked
    about lately.

    Raises:
        WeChatFailed: the rest is asked about next time.
    """
    page = official_account().openids()
    while page:
        WeChatUser.objects.bulk_create((WeChatUser(openid=openid) for openid in page), ignore_conflicts=True)
        page = official_account().openids(after=page[-1])
    asked = 0
    due = WeChatUser.objects.exclude(openid=None).exclude(checked_at__gt=at - ASKED_AGAIN)
    while openids := list(due.order_by(F("checked_at").asc(nulls_first=True)).values_list("openid", flat=True)[:BATCH]):
        for follower in _told_of([openid for openid in openids if openid]):
            note_follower(follower, at=at)
        # Whom WeChat leaves out is not asked about again before tomorrow either.
        WeChatUser.objects.filter(openid__in=openids).exclude(checked_at=at).update(checked_at=at)
        asked += len(openids)
    return asked


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
    """Ask about followers whose unionid is not known yet, and forget events of which no second comes any more."""
    WeChatEvent.objects.filter(at__lt=at - KEPT).delete()
    for pk in WeChatUser.objects.filter(unionid=None, checked_at=None).values_list("pk", flat=True)[:1000]:
        _ring(pk)


def _ring(wechat_id: int) -> None:
    from accounts.tasks import learn_wechat  # the bell's clapper is a task, and tasks call services

    ring(learn_wechat, wechat_id)
