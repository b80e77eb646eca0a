"""Who follows: what is told late, twice or at once, and how many are asked about (R08)."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Barrier, BrokenBarrierError, Event
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.db.models.query import QuerySet
from django.test import Client

from accounts import tasks
from accounts.models import Candidate, Delivery, WeChatEvent, WeChatEventCount, WeChatUser
from accounts.next_steps import FOLLOW, FOLLOW_AGAIN, next_step
from accounts.services import wechat
from accounts.wechat import client as wechat_client
from accounts.wechat.client import Follower, WeChatFailed
from exam_portal import clock
from exam_portal.celery import app
from exam_portal.kit.next_steps import NextStep
from tests import factories
from tests.accounts.test_wechat import bind, followed, push
from tests.races import at_once, take_locks_out
from tests.wechat import Sandbox, reachable, sandbox

pytestmark = [pytest.mark.django_db, pytest.mark.rule("R08")]
BATCHES = "/cgi-bin/user/info/batchget"


@pytest.fixture
def running(settings: Any) -> Iterator[Sandbox]:
    with sandbox() as found:
        reachable(found, settings)
        yield found


def seconds(moment: datetime) -> int:
    """As WeChat tells it in an event."""
    return int(clock.as_real(moment).timestamp())


def known(count: int, **more: Any) -> None:
    WeChatUser.objects.bulk_create(WeChatUser(openid=f"o{number}", **more) for number in range(count))


def answering(monkeypatch: pytest.MonkeyPatch, answer: Callable[[list[str]], list[Follower]]) -> list[list[str]]:
    """Let WeChat answer so about batches; what it was asked comes to the list."""
    batches: list[list[str]] = []

    def followers(openids: list[str]) -> list[Follower]:
        batches.append(openids)
        return answer(openids)

    monkeypatch.setattr(wechat_client.official_account(), "followers", followers)
    monkeypatch.setattr(wechat_client.official_account(), "openids", lambda after="": [])
    return batches


# --- Who is asked about, when ---------------------------------------------------------------------
def test_whatever_asks_wechat_has_a_queue_of_its_own() -> None:
    queues = {name: app.amqp.router.route({}, name)["queue"].name for name in app.tasks if name.startswith("accounts.")}
    asking = {tasks.learn_wechat, tasks.sweep_wechat, tasks.reconcile_wechat, tasks.ask_wechat}
    assert {name for name, queue in queues.items() if queue == "wechat"} == {task.name for task in asking}
    assert app.conf.broker_transport_options["visibility_timeout"] > wechat.ONE_RUN.total_seconds()


def test_who_is_not_known_yet_is_asked_about_in_batches_and_not_at_once_again(
    running: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.world.add_people(250)
    for person in running.world.people[6:]:
        WeChatUser.objects.create(openid=person.openid(running.world.account.app_id), following=True)
    monkeypatch.setattr(wechat, "_ring", lambda pk: pytest.fail("nobody is asked about alone"))
    tasks.sweep_wechat()
    assert running.world.calls[BATCHES] == 3
    assert not WeChatUser.objects.filter(unionid=None).exists()
    tasks.sweep_wechat()
    assert running.world.calls[BATCHES] == 3


def test_a_sweep_stops_at_the_first_failure_and_the_next_one_begins_with_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(openids: list[str]) -> list[Follower]:
        raise WeChatFailed(0, "not reached", wechat_client.Verdict.RETRY)

    known(250, following=True)
    batches = answering(monkeypatch, fail)
    for _sweep in range(3):
        with pytest.raises(WeChatFailed):
            wechat.ask_unknown(at=clock.now())
    assert [len(batch) for batch in batches] == [100, 100, 50]
    assert wechat.ask_unknown(at=clock.now()) == 0, "all were tried a moment ago"
    with pytest.raises(WeChatFailed):
        wechat.ask_unknown(at=clock.now() + timedelta(minutes=16))


@pytest.mark.parametrize("count", [3, 90])
def test_those_of_whom_there_is_no_news_cost_no_query_each(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any, count: int
) -> None:
    known(count, following=True)
    answering(monkeypatch, lambda openids: [Follower(openid, following=True) for openid in openids])
    with django_assert_num_queries(8):  # who is due, savepoint, lock, write, release, compare, nobody more, nobody
        assert wechat.ask_due(at=clock.now()) == count


def test_of_a_batch_only_what_is_news_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    known(5, following=True)
    noted: list[str] = []
    note = wechat.note_follower
    monkeypatch.setattr(wechat, "note_follower", lambda each, *, at: (noted.append(each.openid), note(each, at=at)))
    answering(monkeypatch, lambda openids: [Follower(openid, following=openid != "o3") for openid in openids])
    at = clock.now()
    wechat.ask_due(at=at)
    assert noted == ["o3"]
    assert WeChatUser.objects.get(following=False).openid == "o3"
    assert WeChatUser.objects.filter(checked_at__gte=at).count() == 5


def test_a_run_ends_in_time_and_rings_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    known(250, following=True)
    batches = answering(monkeypatch, lambda openids: [Follower(openid, following=True) for openid in openids])
    ticks = iter(range(0, 10**6, 100))  # each look at the clock is 100 seconds later
    monkeypatch.setattr(wechat, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))
    rung: list[Any] = []
    monkeypatch.setattr(wechat, "ring", lambda task, *rows: rung.append(task))
    assert wechat.reconcile(at=clock.now()) == 200
    assert rung == [tasks.ask_wechat]
    tasks.ask_wechat()
    assert (sum(map(len, batches)), len(rung)) == (250, 1), "and is over then"


@pytest.mark.parametrize(
    ("index", "condition"), [("wechat_unasked", {}), ("wechat_unknown", {"unionid": None, "following": True})]
)
def test_the_longest_unasked_are_found_by_an_index(index: str, condition: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
    due = WeChatUser.objects.filter(openid__isnull=False, **condition).exclude(checked_at__gt=clock.now())
    plan: Any = due.order_by(F("checked_at").asc(nulls_first=True))[:100].explain()
    assert index in plan and "Sort" not in plan


# --- What is told late, or twice ------------------------------------------------------------------
@pytest.mark.parametrize(("ahead", "following"), [(2, False), (-2, False), (-60, True)])
def test_an_answer_that_was_on_its_way_does_not_undo_a_newer_event(
    newcomer: Candidate, ahead: int, following: bool
) -> None:
    """WeChat was asked, and somebody stopped to follow so many seconds later; clocks are seconds apart."""
    row = bind(newcomer, openid="o1")
    followed("o1", at=seconds(clock.now() - timedelta(hours=1)))
    asked = clock.now()
    followed("o1", "unsubscribe", at=seconds(asked + timedelta(seconds=ahead)))
    wechat.note_follower(Follower("o1", following=True, unionid="u1"), at=asked)
    row.refresh_from_db()
    assert (row.following, row.checked_at) == (following, asked)


def test_a_worker_notes_when_it_asked_and_not_when_it_was_answered(
    monkeypatch: pytest.MonkeyPatch, newcomer: Candidate, at_time: Any
) -> None:
    def answer(openids: list[str]) -> list[Follower]:
        at_time(clock.now() + timedelta(minutes=1))  # it takes so long, and meanwhile
        followed("o1", "unsubscribe", at=seconds(clock.now() - timedelta(seconds=30)))
        return [Follower("o1", following=True, unionid="u1")]

    row = bind(newcomer, openid="o1")
    followed("o1", at=seconds(clock.now() - timedelta(hours=1)))
    answering(monkeypatch, answer)
    wechat.ask_due(at=clock.now())
    row.refresh_from_db()
    assert not row.following


def test_an_event_older_than_the_answer_changes_nothing(newcomer: Candidate) -> None:
    row = bind(newcomer, openid="o1")
    wechat.note_follower(Follower("o1", following=True, unionid="u1"), at=clock.now())
    followed("o1", "unsubscribe", at=seconds(clock.now() - timedelta(minutes=1)))
    row.refresh_from_db()
    assert row.following
    followed("o1", "unsubscribe", at=seconds(clock.now()))
    row.refresh_from_db()
    assert not row.following, "one of the same second counts"


def to_do(candidate: Candidate) -> NextStep:
    step = next_step(candidate=Candidate.objects.get(pk=candidate.pk), at=clock.now())
    assert step is not None
    return step


def complete(candidate: Candidate) -> WeChatUser:
    factories.give_basic_information(candidate)
    factories.give_photo(candidate)
    factories.give_education(candidate)
    return bind(candidate, openid="o1")


def test_told_twice_that_following_ended_it_is_one_thing_to_do(newcomer: Candidate) -> None:
    row = complete(newcomer)
    ended = clock.now() - timedelta(hours=1)
    followed("o1", at=seconds(ended - timedelta(hours=1)))
    followed("o1", "unsubscribe", at=seconds(ended))
    first = to_do(newcomer)
    followed("o1", "unsubscribe", at=seconds(ended + timedelta(minutes=9)))
    assert (first.todo, to_do(newcomer).about) == (FOLLOW_AGAIN, first.about)
    row.refresh_from_db()
    assert row.turned_at == clock.as_shown(datetime.fromtimestamp(seconds(ended), UTC))
    followed("o1", at=seconds(ended + timedelta(minutes=5)))
    row.refresh_from_db()
    assert not row.following, "older than the newest that was told"


def test_who_never_followed_is_asked_to_follow_and_not_to_follow_again(newcomer: Candidate) -> None:
    complete(newcomer)
    wechat.note_follower(Follower("o1", following=False, unionid="u1"), at=clock.now())
    assert to_do(newcomer).todo == FOLLOW
    followed("o1", "unsubscribe", at=seconds(clock.now()))
    assert to_do(newcomer).todo == FOLLOW_AGAIN, "who stops had followed, though nobody told of it"


# --- At once --------------------------------------------------------------------------------------
def meet_at(monkeypatch: pytest.MonkeyPatch, name: str, *, where: Callable[..., bool] = lambda **_: True) -> Barrier:
    """Hold two callers of a function of the service, called so, until both are there, or for half a second."""
    barrier, original = Barrier(2), getattr(wechat, name)

    def waiting(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        if where(**kwargs):
            with suppress(BrokenBarrierError):
                barrier.wait(timeout=0.5)
        return result

    monkeypatch.setattr(wechat, name, waiting)
    return barrier


@pytest.mark.django_db(transaction=True)
def test_events_of_different_people_do_not_wait_for_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before, the first held the day's counter through its whole transaction, and here for half a second."""
    WeChatEventCount.objects.create(day=clock.today(), outcome="taken")
    barrier = meet_at(monkeypatch, "_note")
    assert at_once(lambda: followed("o1"), lambda: followed("o2")) == [True, True]
    assert not barrier.broken, "both were there"
    assert WeChatEventCount.objects.get().count == 2


def test_what_arrived_leaves_neither_row_nor_count() -> None:
    assert followed("o1", "TEMPLATESENDJOBFINISH", MsgID="7", Status="success")
    assert not WeChatEvent.objects.exists() and not WeChatEventCount.objects.exists()
    assert followed("o1", "TEMPLATESENDJOBFINISH", MsgID="8", Status="failed:user block")
    assert WeChatEvent.objects.count() == WeChatEventCount.objects.get().count == 1
    assert not Delivery.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ignored", [False, True])
def test_two_candidates_bind_at_once_a_wechat_that_nobody_knew(
    newcomer: Candidate, monkeypatch: pytest.MonkeyPatch, ignored: bool
) -> None:
    """Who makes its row second waits for the first; were that an error, it would be one for the candidate."""
    other = factories.CandidateFactory()
    make = QuerySet.bulk_create

    def waiting(rows: Any, objects: Any, **how: Any) -> Any:
        if rows.model is WeChatUser:
            time.sleep(0.2)  # until both have looked
            how["ignore_conflicts"] = ignored
        return make(rows, objects, **how)

    monkeypatch.setattr(QuerySet, "bulk_create", waiting)
    results = at_once(lambda: bind(newcomer), lambda: bind(other))
    failed = [getattr(each, "code", type(each).__name__) for each in results if isinstance(each, Exception)]
    assert failed == (["wechat_taken"] if ignored else ["IntegrityError"])
    bound = [each.candidate for each in results if isinstance(each, WeChatUser)]
    assert [WeChatUser.objects.get().candidate] == bound


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("with_lock", [False, True])
def test_an_event_while_the_rows_of_one_person_are_joined_is_not_lost(
    newcomer: Candidate, monkeypatch: pytest.MonkeyPatch, with_lock: bool
) -> None:
    """The event is about the row that the other is about to take away."""
    bind(newcomer)
    followed("o1")
    if not with_lock:
        take_locks_out(monkeypatch)
    meet_at(monkeypatch, "_row", where=lambda **key: "openid" in key)
    answer = Follower("o1", following=True, unionid="u1")
    results = at_once(
        lambda: followed("o1", "unsubscribe", at=seconds(clock.now())),
        lambda: wechat.note_follower(answer, at=clock.now()),
    )
    row = WeChatUser.objects.filter(candidate=newcomer).get()
    assert (results == [True, None] and not row.following) is with_lock, results


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("caught", [False, True])
def test_a_unionid_that_another_binds_while_it_is_learned_is_joined(
    newcomer: Candidate, monkeypatch: pytest.MonkeyPatch, caught: bool
) -> None:
    """Learned for a row that stands by its openid; meanwhile the binding makes a row of the unionid."""
    followed("o1")
    looked, bound, original = Event(), Event(), wechat._row

    def waiting(**key: str) -> WeChatUser:
        row = original(**key)
        if "openid" in key and not looked.is_set():
            looked.set()
            assert bound.wait(timeout=10)
        return row

    def bind_then() -> None:
        assert looked.wait(timeout=10)
        bind(newcomer)
        bound.set()

    monkeypatch.setattr(wechat, "_row", waiting)
    if not caught:
        monkeypatch.setattr(wechat, "suppress", lambda *_errors: transaction.atomic())
    answer = Follower("o1", following=True, unionid="u1")
    failed, _bound = at_once(lambda: wechat.note_follower(answer, at=clock.now()), bind_then)
    if not caught:
        assert type(failed).__name__ == "IntegrityError"
        return
    assert failed is None
    row = WeChatUser.objects.get()
    assert (row.candidate, row.openid, row.following) == (newcomer, "o1", True)


# --- The address to which WeChat pushes -----------------------------------------------------------
def test_without_a_token_there_is_no_such_address(settings: Any) -> None:
    settings.WECHAT_EVENT_TOKEN = ""
    assert [Client().post("/wechat/events/").status_code, Client().get("/wechat/events/").status_code] == [404, 404]
    assert not WeChatEventCount.objects.exists()


def test_one_address_pushes_so_many_and_no_more(running: Sandbox, settings: Any) -> None:
    settings.PORTAL_WECHAT_EVENTS_PER_ADDRESS = 2
    assert [push(Client(), spoil="nonce") for _again in range(3)] == [403, 403, 429]
    assert Client().get("/wechat/events/").status_code == 429
    assert WeChatEventCount.objects.get().count == 2
    assert push(Client()) == 429 and not WeChatEvent.objects.exists()
