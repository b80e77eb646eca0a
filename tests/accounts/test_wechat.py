"""Binding a WeChat, following, and what WeChat tells of it (R08)."""

import contextlib
import urllib.parse
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.actors import acting
from accounts.models import Candidate, LedgerEvent, WeChatEvent, WeChatEventCount, WeChatUser
from accounts.services import wechat
from accounts.wechat import events
from accounts.wechat.client import Follower, WeChatFailed
from accounts.wechat.events import Event
from exam_portal import clock
from exam_portal.kit.errors import Refused
from exam_portal.local.wechat import api
from exam_portal.local.wechat.push import Pusher
from tests import factories
from tests.accounts.requests import refusal
from tests.races import at_once, meet, take_locks_out
from tests.wechat import Sandbox, reachable, sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R08")]
NOW = 1_701_700_000


@pytest.fixture
def running(settings: Any) -> Iterator[Sandbox]:
    with sandbox() as found:
        reachable(found, settings)
        yield found


def bind(candidate: Candidate, unionid: str = "u1", **more: Any) -> WeChatUser:
    how = {"nickname": "小陈", "at": clock.now(), **more}
    return wechat.bind(candidate=candidate, actor=acting(candidate), unionid=unionid, **how)


def unbind(candidate: Candidate) -> None:
    candidate.user.set_password("moon over ward seven")
    candidate.user.save()
    how = {"password": "moon over ward seven", "keep": None, "at": clock.now()}
    wechat.unbind(candidate=candidate, actor=acting(candidate), **how)


def followed(openid: str, name: str = "subscribe", *, at: int = NOW, **fields: str) -> bool:
    return wechat.take_event(Event(openid, name, at, fields))


def actions(candidate: Candidate) -> list[str]:
    rows = LedgerEvent.objects.filter(stream_id=str(candidate.pk), action__startswith="wechat.")
    return list(rows.order_by("pk").values_list("action", flat=True))


# --- Binding --------------------------------------------------------------------------------------
def test_one_wechat_belongs_to_one_candidate_and_nobody_is_named(candidate: Candidate, newcomer: Candidate) -> None:
    taken = candidate.wechat.unionid
    with pytest.raises(Refused) as refused:
        bind(newcomer, taken)
    assert refused.value.code == "wechat_taken"
    assert candidate.user.username not in str(refused.value) and candidate.name not in str(refused.value)
    assert WeChatUser.objects.get().candidate == candidate


def test_without_a_unionid_nothing_is_bound(newcomer: Candidate) -> None:
    assert refusal(lambda: bind(newcomer, "")) == "no_unionid"
    assert not WeChatUser.objects.exists()


def test_another_one_is_bound_only_after_unbinding(newcomer: Candidate) -> None:
    first = bind(newcomer)
    assert bind(newcomer).bound_at == first.bound_at, "twice is once"
    assert refusal(lambda: bind(newcomer, "u2")) == "bound_already"
    unbind(newcomer)
    unbind(newcomer)
    assert bind(newcomer, "u2").unionid == "u2"
    assert actions(newcomer) == ["wechat.bound", "wechat.unbound", "wechat.bound"]


def test_what_was_unbound_is_free_for_another(newcomer: Candidate) -> None:
    bind(newcomer)
    unbind(newcomer)
    other = factories.CandidateFactory()
    assert bind(other).candidate == other
    assert not WeChatUser.objects.filter(candidate=newcomer).exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("with_lock", [False, True])
def test_two_candidates_bind_one_wechat_at_once(
    newcomer: Candidate, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    """Without the lock both find it free, and the last one has it: the first was told that it is theirs."""
    other = factories.CandidateFactory()
    WeChatUser.objects.create(unionid="u1")
    if not with_lock:
        take_locks_out(monkeypatch)
    meet(monkeypatch, wechat, "_known")
    results = at_once(lambda: bind(newcomer), lambda: bind(other))
    refused = [result.code for result in results if isinstance(result, Refused)]
    bound = [result for result in results if isinstance(result, WeChatUser)]
    assert (refused, len(bound)) == ((["wechat_taken"], 1) if with_lock else ([], 2))
    assert WeChatUser.objects.get().candidate in {row.candidate for row in bound}


# --- Following ------------------------------------------------------------------------------------
def test_who_followed_before_binding_is_known_when_they_bind(running: Sandbox, newcomer: Candidate) -> None:
    running.do("/sandbox/people/1", {"act": "follow"})
    followed(running.openid(1))
    row = WeChatUser.objects.get()
    assert (row.unionid, row.following) == (None, True)
    wechat.learn(wechat_id=row.pk, at=clock.now())
    row.refresh_from_db()
    assert bind(newcomer, row.unionid).following
    assert WeChatUser.objects.count() == 1


def test_who_binds_first_is_one_with_whom_the_account_knows(running: Sandbox, newcomer: Candidate) -> None:
    person = running.world.person(1)
    assert person is not None
    running.do("/sandbox/people/1", {"act": "follow"})
    bind(newcomer, person.unionid)
    followed(running.openid(1))
    assert WeChatUser.objects.count() == 2, "its unionid is not known yet"
    wechat.learn(wechat_id=WeChatUser.objects.get(unionid=None).pk, at=clock.now())
    newcomer.refresh_from_db()
    row = WeChatUser.objects.get()
    assert (row.candidate, row.openid, row.following) == (newcomer, running.openid(1), True)
    assert actions(newcomer) == ["wechat.bound", "wechat.followed"], "also where what was known of both is joined"


def test_an_event_is_taken_once_and_an_older_one_changes_nothing(newcomer: Candidate) -> None:
    row = bind(newcomer)
    WeChatUser.objects.filter(pk=row.pk).update(openid="o1")
    assert followed("o1")
    assert not followed("o1")
    assert followed("o1", "unsubscribe", at=NOW + 10)
    assert followed("o1", "subscribe", at=NOW + 5)
    row.refresh_from_db()
    assert (row.following, row.told_at) == (False, clock.as_shown(datetime.fromtimestamp(NOW + 10, UTC)))
    assert actions(newcomer) == ["wechat.bound", "wechat.followed", "wechat.unfollowed"]
    assert {each.outcome: each.count for each in WeChatEventCount.objects.all()} == {"taken": 3, "again": 1}


def test_follow_states_are_reconciled_in_batches(running: Sandbox, at_time: Any) -> None:
    running.world.add_people(250)
    for person in running.world.people[6:]:
        openid = person.openid(running.world.account.app_id)
        WeChatUser.objects.create(openid=openid, unionid=person.unionid, following=False)
    assert wechat.reconcile(at=clock.now()) == 250
    assert WeChatUser.objects.filter(following=True).count() == 250
    assert running.world.calls["/cgi-bin/user/info/batchget"] == 3
    assert wechat.reconcile(at=clock.now()) == 0, "asked a moment ago"
    assert wechat.reconcile(at=clock.now() + timedelta(days=1)) == 250


def test_one_whom_wechat_does_not_know_any_more_hides_no_other(running: Sandbox, newcomer: Candidate) -> None:
    row = bind(newcomer)
    WeChatUser.objects.filter(pk=row.pk).update(openid="o-of-nobody", following=True)
    running.world.add_people(20)
    assert wechat.reconcile(at=clock.now()) == 21, "20 of whose following nobody told"
    assert WeChatUser.objects.filter(following=True).exclude(unionid=None).count() == 21
    assert actions(newcomer) == ["wechat.bound"], "the last known state decides"


@pytest.mark.parametrize(
    "answer", [{"errcode": 40003}, {"user_info_list": None}, {"user_info_list": [{"openid": "o3"}]}]
)
def test_a_wrong_account_or_an_answer_without_sense_unfollows_nobody(
    running: Sandbox, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    rows = [WeChatUser(openid=f"o{number}", unionid=f"u{number}", following=True) for number in range(60)]
    WeChatUser.objects.bulk_create(rows)
    told = api.call

    def wrongly(world: Any, method: str, path: str, *asked: Any) -> Any:
        return answer if path.endswith("batchget") else told(world, method, path, *asked)

    monkeypatch.setattr(api, "call", wrongly)
    with contextlib.suppress(WeChatFailed):
        wechat.reconcile(at=clock.now())
    assert WeChatUser.objects.filter(following=True).count() == 60


def test_what_wechat_answers_without_a_unionid_is_noted_by_its_openid() -> None:
    wechat.note_follower(Follower("o9", following=True), at=clock.now())
    assert WeChatUser.objects.get().following


def test_old_events_are_forgotten(at_time: Any) -> None:
    followed("o1")
    wechat.sweep(at=clock.now() + timedelta(days=1))
    assert WeChatEvent.objects.count() == 1
    wechat.sweep(at=clock.now() + timedelta(days=3))
    assert WeChatEvent.objects.count() == 0


# --- The address to which WeChat pushes -----------------------------------------------------------
def push(client: Client, *, at: int | None = None, spoil: str = "") -> int:
    text = f"<xml><FromUserName>o1</FromUserName><CreateTime>{NOW}</CreateTime><MsgType>event</MsgType>"
    request = Pusher("http://localhost/wechat/events/", events.envelope()).request_for(
        text + "<Event>subscribe</Event></xml>", at=at
    )
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(request.full_url).query))
    if spoil:
        query[spoil] = query[spoil][::-1]
    address = f"/wechat/events/?{urllib.parse.urlencode(query)}"
    return client.post(address, data=request.data, content_type="text/xml").status_code


def test_a_pushed_event_is_taken_and_answered(running: Sandbox) -> None:
    assert push(Client(enforce_csrf_checks=True)) == 200
    assert WeChatUser.objects.get().following


@pytest.mark.parametrize(
    ("how", "outcome"), [({"spoil": "msg_signature"}, "forged"), ({"spoil": "nonce"}, "forged"), ({"at": NOW}, "stale")]
)
def test_a_forged_or_replayed_event_changes_nothing_and_is_counted(
    running: Sandbox, how: dict[str, Any], outcome: str
) -> None:
    assert push(Client(), **how) == 403
    assert not WeChatUser.objects.exists() and not WeChatEvent.objects.exists()
    (counted,) = WeChatEventCount.objects.all()
    assert (counted.outcome, counted.count) == (outcome, 1)


def test_the_same_push_again_is_counted_and_changes_nothing(running: Sandbox) -> None:
    assert [push(Client()), push(Client())] == [200, 200]
    assert {each.outcome: each.count for each in WeChatEventCount.objects.all()} == {"taken": 1, "again": 1}
