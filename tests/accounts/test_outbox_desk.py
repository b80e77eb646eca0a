"""`manage.py outbox`: how the outbox stands, sending again, giving up, lifting a pause."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from accounts.actors import SYSTEM
from accounts.models import Candidate, CarrierPause, Delivery, LedgerEvent, Message
from accounts.services import outbox, outbox_desk
from exam_portal import clock

pytestmark = pytest.mark.django_db
State = Delivery.State


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def write(candidate: Candidate) -> Callable[..., Delivery]:
    """`write(state="failed")`: a delivery of a message of its own, with these values."""

    def make(carrier: str = "wechat", *, age: timedelta = timedelta(), **values: Any) -> Delivery:
        at = clock.now()
        kind, facts = values.pop("kind", "application_submitted"), values.pop("facts", {})
        message = Message.objects.create(
            candidate=candidate, kind=kind, object_id=str(Message.objects.count()), version=1, facts=facts,
            created_at=at - age,
        )  # fmt: skip
        needed = {"sent": {"sent_at": at}, "sending": {"taken_at": at}}.get(values.get("state", ""), {})
        return Delivery.objects.create(
            message=message, carrier=carrier, **{"due_at": at, "rung_at": at, **needed, **values}
        )

    return make


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("outbox", *arguments, stdout=out)
    return out.getvalue()


def refused(*arguments: str) -> list[str]:
    before = list(Delivery.objects.order_by("pk").values()), LedgerEvent.objects.count(), CarrierPause.objects.count()
    with pytest.raises(CommandError) as error:
        call_command("outbox", *arguments)
    assert error.value.returncode == 1
    assert (
        list(Delivery.objects.order_by("pk").values()), LedgerEvent.objects.count(), CarrierPause.objects.count()
    ) == before  # fmt: skip
    return str(error.value).splitlines()


def events() -> list[tuple[str, str, dict[str, Any]]]:
    return list(LedgerEvent.objects.filter(action__startswith="outbox").values_list("action", "reason", "payload"))


# --- How it stands --------------------------------------------------------------------------------
@pytest.mark.parametrize("rows", [1, 3])
def test_it_shows_counts_ages_and_what_was_said(
    write: Callable[..., Delivery], rows: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    for number in range(rows):
        write(state="dead", outcome=f"43004: require subscribe rid: 65{number}-x", age=timedelta(days=2))
        write("email", state="sent")
    write(state="queued", age=timedelta(hours=3))
    with django_assert_num_queries(4):
        found = json.loads(run("show", "--json"))
    assert found["ok"] is True and found["overdue"] == {} and found["pauses"] == []
    assert [(row["carrier"], row["state"], row["count"], row["older"]) for row in found["counts"]] == [
        ("email", "sent", rows, {"1h": 0, "1d": 0, "7d": 0}),
        ("wechat", "dead", rows, {"1h": rows, "1d": rows, "7d": 0}),
        ("wechat", "queued", 1, {"1h": 1, "1d": 0, "7d": 0}),
    ]
    assert found["counts"][1]["oldest"] // 60 == 2 * 24 * 60
    assert found["outcomes"] == [
        {"carrier": "wechat", "state": "dead", "outcome": "43004: require subscribe", "count": rows}
    ]
    lines = run("show").splitlines()
    assert lines[2].split() == ["wechat", "dead", str(rows), "2d", str(rows), str(rows), "0"]
    assert lines[-1] == f"{rows} dead by wechat: 43004: require subscribe"


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"state": "queued", "late": timedelta(minutes=14)}, 0),
        ({"state": "queued", "late": timedelta(minutes=16)}, 1),
        ({"state": "failed", "late": timedelta(minutes=16)}, 1),
        ({"state": "sending", "late": timedelta(minutes=16)}, 0),
        ({"state": "sending", "late": timedelta(minutes=21)}, 1),
        ({"state": "dead", "late": timedelta(days=1)}, 0),
    ],
)
def test_what_should_have_gone_out_long_ago_is_an_exit_code(
    write: Callable[..., Delivery], values: dict[str, Any], wrong: int, capsys: pytest.CaptureFixture[str]
) -> None:
    late = values.pop("late")
    write(**values, due_at=clock.now() - late, taken_at=clock.now() - late)
    if wrong:
        with pytest.raises(SystemExit) as ended:
            call_command("outbox")
        assert ended.value.code == 1
        assert capsys.readouterr().err == "wechat: 1 overdue\n"
    else:
        run()


def test_a_pause_in_force_is_told_with_its_reason_and_explains_what_waits(write: Callable[..., Delivery]) -> None:
    write(state="queued", due_at=clock.now() - timedelta(hours=1))
    CarrierPause.objects.create(carrier="wechat", until=clock.now() + timedelta(minutes=5), why="45009: quota")
    CarrierPause.objects.create(carrier="email", until=clock.now() - timedelta(minutes=5), why="over")
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("outbox", "show", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert (found["ok"], found["overdue"]) == (False, {})
    assert [(pause["carrier"], pause["why"]) for pause in found["pauses"]] == [("wechat", "45009: quota")]


@pytest.mark.parametrize("rows", [1, 3])
def test_monitoring_asks_for_what_is_wrong_alone(
    write: Callable[..., Delivery], rows: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    for _number in range(rows):
        write(state="sent", due_at=clock.now() - timedelta(days=1))
    with django_assert_num_queries(2):
        assert json.loads(run("check", "--json")) == {"ok": True, "overdue": {}, "pauses": []}
    assert run("check") == ""
    late = clock.now() - timedelta(minutes=21)
    for _number in range(rows):
        write("email", state="sending", due_at=late, taken_at=late)
    write(state="failed", due_at=late)
    CarrierPause.objects.create(carrier="wechat", until=clock.now() + timedelta(minutes=5), why="45009: quota")
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("outbox", "check", stdout=out, stderr=err)
    first, second = err.getvalue().splitlines()
    assert (ended.value.code, out.getvalue(), first) == (1, "", f"email: {rows} overdue")
    assert second.startswith("wechat: pauses until ") and second.endswith(": 45009: quota")


def test_monitoring_reads_what_waits_by_its_index(write: Callable[..., Delivery]) -> None:
    with CaptureQueriesContext(connection) as asked:
        run("check")
    (query,) = [each["sql"] for each in asked if '"accounts_delivery"' in each["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a table of no rows is read whole
        cursor.execute(f"EXPLAIN {query}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "delivery_waiting" in plan and "Index Cond: (due_at <" in plan


# --- Again ----------------------------------------------------------------------------------------
def test_what_is_dead_goes_out_again_with_all_its_tries(write: Callable[..., Delivery]) -> None:
    dead = write(state="dead", tries=14, outcome="-1: system error", remote_id="7", sent_at=clock.now())
    other = write("email", state="dead", tries=14)
    told = run("retry", "--state=dead", "--carrier=wechat", "--reason= WeChat is back, 11010119900307002X called ")
    assert told == "1 queued again\n"
    dead.refresh_from_db()
    other.refresh_from_db()
    assert (dead.state, dead.tries, dead.rung_at, dead.remote_id, dead.sent_at) == ("queued", 0, None, "", None)
    assert dead.outcome == "again: WeChat is back, 1101*************X called"
    assert (other.state, other.tries) == ("dead", 14)
    ((action, reason, payload),) = events()
    assert (action, reason) == ("outbox.retried", "WeChat is back, 1101*************X called")
    assert payload == {"count": 1, "states": ["dead"], "carrier": "wechat"}
    assert outbox.sweep() == 1


def test_again_at_night_waits_for_the_morning_unless_it_ends_within_a_day(
    write: Callable[..., Delivery], at_time: Callable[[datetime], None]
) -> None:
    at_time(datetime.fromisoformat("2023-12-05T23:00+08:00"))
    far = write(state="failed")
    near = write(state="failed", facts={"deadline": "2023-12-06T12:00:00+08:00"})
    run("retry", "--state=failed", "--reason=x")
    far.refresh_from_db()
    near.refresh_from_db()
    assert far.due_at == datetime.fromisoformat("2023-12-06T08:00+08:00")
    assert near.due_at <= clock.now()


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        (["--state=failed", "--state=dead"], {1, 2, 3}),
        (["--carrier=wechat"], {0, 1, 2}),
        (["--kind=email_changed"], {3}),
        (["--older-than=2h"], {2, 3}),
        (["--older-than=90m", "--carrier=email"], {3}),
        (["--older-than=1d"], set()),
    ],
)
def test_all_that_is_given_says_which(write: Callable[..., Delivery], arguments: list[str], chosen: set[int]) -> None:
    rows = [
        write(state="queued"),
        write(state="failed"),
        write(state="dead", age=timedelta(hours=3)),
        write("email", state="dead", age=timedelta(hours=3), kind="email_changed"),
        write(state="sent"),
        write(state="sending"),
    ]
    assert run("retry", *arguments, "--reason=x", "--dry-run") == f"{len(chosen)} would be queued again\n"
    assert events() == []
    told = json.loads(run("retry", *arguments, "--reason=x", "--json"))
    assert told == {"ok": True, "dry_run": False, "chosen": len(chosen), "moved": len(chosen)}
    again = set(Delivery.objects.filter(outcome="again: x").values_list("pk", flat=True))
    assert again == {rows[number].pk for number in chosen}


def test_many_go_by_batches_each_on_record(write: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        write(state="failed")
    monkeypatch.setattr(outbox_desk, "BATCH", 2)
    choice = outbox_desk.Choice(states=("failed",))
    how: dict[str, Any] = {"choice": choice, "reason": "x", "actor": SYSTEM, "at": clock.now(), "batch": 2}
    assert [(step.chosen, step.moved) for step in outbox_desk.retry(**how)] == [(5, 0), (5, 2), (5, 4), (5, 5)]
    assert [payload["count"] for *_of, payload in events()] == [2, 2, 1]


def test_what_a_worker_has_taken_meanwhile_is_left_to_it(write: Callable[..., Delivery]) -> None:
    rows = [write(state="failed"), write(state="failed")]
    steps = outbox_desk.drop(
        choice=outbox_desk.Choice(states=("failed",)), reason="x", actor=SYSTEM, at=clock.now(), batch=1
    )
    assert next(steps).chosen == 2
    Delivery.objects.filter(pk=rows[1].pk).update(state="sending", taken_at=clock.now())
    assert [step.moved for step in steps] == [1]
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == ["dead", "sending"]


# --- Never ----------------------------------------------------------------------------------------
def test_what_is_given_up_says_why_and_stays_in_the_inbox(write: Callable[..., Delivery], candidate: Candidate) -> None:
    row, dead = write(state="queued"), write(state="dead", outcome="43004: require subscribe")
    assert run("drop", "--carrier=wechat", "--reason=the template was wrong") == "1 given up\n"
    row.refresh_from_db()
    dead.refresh_from_db()
    assert (row.state, row.outcome) == ("dead", "dropped: the template was wrong")
    assert dead.outcome == "43004: require subscribe"
    assert candidate.messages.count() == 2
    assert events() == [("outbox.dropped", "the template was wrong", {"count": 1, "carrier": "wechat"})]
    assert not outbox.deliver(delivery_id=row.pk)


def test_numbers_choose_exactly_these(write: Callable[..., Delivery]) -> None:
    rows = [write(state="failed") for _ in range(3)]
    assert run("drop", f"--id={rows[0].pk}", f"--id={rows[2].pk}", "--reason=x") == "2 given up\n"
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == ["dead", "failed", "dead"]
    assert events()[0][2] == {"count": 2, "ids": [rows[0].pk, rows[2].pk]}


# --- Refused --------------------------------------------------------------------------------------
def test_all_that_is_wrong_is_told_at_once(write: Callable[..., Delivery]) -> None:
    write(state="sent")
    assert refused("retry", "--state=sent", "--state=lost", "--carrier=pigeon", "--kind=x", "--older-than=0h") == [
        "--reason: Give the reason.",
        "--state: What is “sent” is left alone.",
        "--state: There is no state “lost”.",
        "--carrier: There is no carrier “pigeon”.",
        "--kind: There is no message of the kind “x”.",
        "--older-than: “0h” is no age, such as 90m, 6h or 3d.",
        "Nothing was changed.",
    ]
    assert refused("drop", "--reason=x") == [
        "--state: Say which deliveries are meant: by state, carrier, kind, age or number.",
        "Nothing was changed.",
    ]


def test_a_number_of_what_was_sent_or_of_nothing_is_refused(write: Callable[..., Delivery]) -> None:
    sent, failed = write(state="sent"), write(state="failed")
    unknown = failed.pk + 1
    numbers = [f"--id={key}" for key in (failed.pk, sent.pk, unknown)]
    assert refused("retry", *numbers, "--carrier=wechat", "--reason=x") == [
        "--id: A number says which delivery is meant; leave out the rest.",
        f"--id: Delivery {sent.pk} is “sent” and left alone.",
        f"--id: There is no delivery {unknown}.",
        "Nothing was changed.",
    ]


# --- Pauses ---------------------------------------------------------------------------------------
def test_a_pause_is_lifted_and_what_waited_for_its_end_is_due(write: Callable[..., Delivery]) -> None:
    until = clock.now() + timedelta(minutes=9)
    CarrierPause.objects.create(carrier="wechat", until=until, why="40037: template")
    waited, later = write(state="queued", due_at=until), write(state="failed", due_at=until + timedelta(hours=1))
    assert run("resume", "--carrier=wechat", "--reason=set right", "--dry-run") == "wechat would go on\n"
    assert CarrierPause.objects.exists()
    assert run("resume", "--carrier=wechat", "--reason=set right") == "wechat goes on\n"
    assert not CarrierPause.objects.exists()
    waited.refresh_from_db()
    later.refresh_from_db()
    assert waited.due_at <= clock.now() and later.due_at == until + timedelta(hours=1)
    assert events() == [("outbox.resumed", "set right", {"carrier": "wechat"})]


def test_what_waited_for_the_end_of_an_earlier_pause_is_due_too(write: Callable[..., Delivery]) -> None:
    """A pause that is prolonged leaves rows at its former end."""
    at = clock.now()
    CarrierPause.objects.create(carrier="wechat", until=at + timedelta(minutes=9), why="45009: quota")
    earlier = write(state="failed", due_at=at + timedelta(minutes=4))
    other = write("email", state="failed", due_at=at + timedelta(minutes=4))
    overdue = write(state="queued", due_at=at - timedelta(minutes=4))
    run("resume", "--carrier=wechat", "--reason=set right")
    due = dict(Delivery.objects.values_list("pk", "due_at"))
    assert due[earlier.pk] <= clock.now() and due[other.pk] == other.due_at and due[overdue.pk] == overdue.due_at
    assert outbox.sweep() == 1  # rung for at once; the one that is overdue was rung for a moment ago


def test_lifting_a_pause_wakes_nobody_before_the_morning(
    write: Callable[..., Delivery], at_time: Callable[[datetime], None]
) -> None:
    at_time(datetime.fromisoformat("2023-12-06T07:55+08:00"))
    morning = datetime.fromisoformat("2023-12-06T08:00+08:00")
    CarrierPause.objects.create(carrier="wechat", until=morning + timedelta(minutes=3), why="45009: quota")
    night = write(state="queued", due_at=morning)
    run("resume", "--carrier=wechat", "--reason=set right")
    assert not outbox.deliver(delivery_id=night.pk)
    night.refresh_from_db()
    assert (night.state, night.due_at) == (State.QUEUED, morning)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--carrier=wechat", "--reason="], "Give the reason."),
        (["--carrier=email", "--reason=x"], "No pause of “email” is in force."),
        (["--reason=x"], "No pause of “” is in force."),
    ],
)
def test_a_pause_that_is_not_there_is_not_lifted(arguments: list[str], told: str) -> None:
    CarrierPause.objects.create(carrier="wechat", until=clock.now() + timedelta(minutes=9), why="40037: template")
    assert refused("resume", *arguments) == [told, "Nothing was changed."]
