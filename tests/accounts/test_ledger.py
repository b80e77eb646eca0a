"""The ledger: append-only, chained, verifiable, sealed."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from accounts import queries, tasks
from accounts.actors import SYSTEM
from accounts.models import LedgerEvent, LedgerHead, LedgerVerification
from accounts.services import ledger
from exam_portal import clock
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def events() -> None:
    """Three events in one stream, one in another; texts that are hard to hash."""
    for number, reason in enumerate(("", '换行\n"引号" \\ 制表\t', "𠮷·é\u0001")):
        ledger.record(
            stream="test",
            stream_id="1",
            action=f"a{number}",
            actor=SYSTEM,
            reason=reason,
            payload={"b": 1, "aa": [None, "中"]},
        )
    ledger.record(stream="test", stream_id="2", action="a", actor=factories.staff_of(None))


def run_past_the_guards(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # what only the database's owner can do
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_events_are_numbered_and_chained_in_their_stream(events: None) -> None:
    first, second, third = LedgerEvent.objects.filter(stream="test", stream_id="1")
    assert [first.position, second.position, third.position] == [1, 2, 3]
    assert (first.previous_hash, second.previous_hash, third.previous_hash) == ("", first.hash, second.hash)
    head = LedgerHead.objects.get(stream="test", stream_id="1")
    assert (head.count, head.last_hash) == (3, third.hash)


def test_an_untouched_ledger_verifies(events: None) -> None:
    assert list(ledger.verify()) == []


@pytest.mark.parametrize(
    ("sql", "found"),
    [
        (
            "UPDATE accounts_ledgerevent SET reason = 'x' WHERE stream_id = '1' AND position = 2",
            ["event 2: was altered"],
        ),
        (
            "UPDATE accounts_ledgerevent SET payload = '{}' WHERE stream_id = '1' AND position = 1",
            ["event 1: was altered"],
        ),
        ("UPDATE accounts_ledgerevent SET at = at + interval '1 s' WHERE stream_id = '2'", ["event 1: was altered"]),
        ("DELETE FROM accounts_ledgerevent WHERE stream_id = '1' AND position = 3", ["ends otherwise"]),
        ("DELETE FROM accounts_ledgerevent WHERE stream_id = '2'", ["ends otherwise"]),
        ("DELETE FROM accounts_ledgerhead WHERE stream_id = '2'", ["has no head"]),
        (
            "DELETE FROM accounts_ledgerevent WHERE stream_id = '1' AND position = 2",
            ["event 3: follows event 1", "event 3: does not follow"],
        ),
    ],
)
def test_every_kind_of_tampering_shows(events: None, sql: str, found: list[str]) -> None:
    run_past_the_guards(sql)
    wrong = list(ledger.verify())
    assert len(wrong) == len(found)
    assert all(part in line for part, line in zip(found, wrong, strict=True))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE accounts_ledgerevent SET reason = 'x'",
        "DELETE FROM accounts_ledgerevent",
        "TRUNCATE accounts_ledgerevent",
        "DELETE FROM accounts_ledgerhead",
        "TRUNCATE accounts_ledgerhead",
    ],
)
def test_the_database_refuses_to_change_the_ledger(events: None, sql: str) -> None:
    with pytest.raises(Exception, match="pgtrigger"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)
    assert list(ledger.verify()) == []


def test_set_based_sql_keeps_the_chain_whole(events: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("""
            INSERT INTO accounts_ledgerevent
                (stream, stream_id, position, action, actor_kind, actor_id, channel, reason, at, payload,
                 previous_hash, hash)
            SELECT 'bulk', (n % 3)::text, 0, 'loaded', 'system', '', '', '', '2023-12-05T09:00:00.123456Z',
                jsonb_build_object('n', n), '', ''
            FROM generate_series(1, 30) n""")
    assert LedgerHead.objects.filter(stream="bulk").count() == 3
    assert list(ledger.verify()) == []


def test_the_database_refuses_to_write_a_head(events: None) -> None:
    with pytest.raises(Exception, match="pgtrigger"), transaction.atomic():
        LedgerHead.objects.update(count=0)
    with pytest.raises(Exception, match="pgtrigger"), transaction.atomic():
        LedgerHead.objects.create(stream="x", stream_id="1", count=0, last_hash="")


@pytest.fixture
def state(settings: Any, tmp_path: Path) -> Path:
    settings.PORTAL_STATE = tmp_path
    return tmp_path


def test_a_seal_is_signed_and_holds_while_the_ledger_grows(events: None, state: Path) -> None:
    statement = json.loads(ledger.seal())
    assert (statement["streams"], list(ledger.verify())) == (2, [])
    ledger.record(stream="test", stream_id="1", action="later", actor=SYSTEM)
    ledger.record(stream="test", stream_id="3", action="later", actor=SYSTEM)
    assert list(ledger.verify()) == []
    assert json.loads(ledger.seal())["root"] != statement["root"]
    assert len(ledger.seals_file().read_text().splitlines()) == 2


def test_a_tail_removed_together_with_its_head_shows_against_the_seal(events: None, state: Path) -> None:
    ledger.seal()
    run_past_the_guards("DELETE FROM accounts_ledgerevent WHERE stream_id = '2'")
    run_past_the_guards("DELETE FROM accounts_ledgerhead WHERE stream_id = '2'")
    assert list(ledger.verify()) == [
        "ledger-seals.jsonl line 1: the ledger is not what was sealed; events are gone or altered"
    ]


def test_a_forged_seal_shows(events: None, state: Path) -> None:
    forged = {**json.loads(ledger.seal()), "streams": 1}
    ledger.seals_file().write_text(json.dumps(forged) + "\n")
    assert list(ledger.verify()) == ["ledger-seals.jsonl line 1: the signature does not fit"]


DAMAGE = {
    "half a line": b'{"at": "2023-12-05T',
    "an empty line": b"",
    "no signature": b'{"at": "x", "last_event": 1}',
    "a signature that is no text": b'{"signature": 1}',
    "no object": b"[1]",
    "bad bytes": b"\xff\xfe",
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_line_of_the_seals_is_one_finding_and_the_others_still_count(
    events: None, state: Path, damage: bytes
) -> None:
    ledger.seal()
    with ledger.seals_file().open("ab") as file:
        file.write(damage + b"\n")
    ledger.seal()
    damaged = "ledger-seals.jsonl line 2: is damaged"
    assert list(ledger.verify()) == [damaged]
    run_past_the_guards("DELETE FROM accounts_ledgerevent WHERE stream_id = '2'")
    gone = "ledger-seals.jsonl line 3: the ledger is not what was sealed; events are gone or altered"
    assert list(ledger.verify()) == ["test:2: ends otherwise than its head says (1 events)", damaged, gone]


def test_a_damaged_last_line_does_not_hide_what_the_one_before_it_says(events: None, state: Path) -> None:
    ledger.seal()
    with ledger.seals_file().open("ab") as file:
        file.write(DAMAGE["half a line"])
    run_past_the_guards("DELETE FROM accounts_ledgerevent WHERE stream_id = '2'")
    run_past_the_guards("DELETE FROM accounts_ledgerhead WHERE stream_id = '2'")
    assert list(ledger.verify()) == [
        "ledger-seals.jsonl line 2: is damaged",
        "ledger-seals.jsonl line 1: the ledger is not what was sealed; events are gone or altered",
    ]


@pytest.mark.parametrize("signature", ["é", "A", "", "AAAA"])
def test_a_signature_that_is_none_does_not_fit(events: None, state: Path, signature: str) -> None:
    forged = {**json.loads(ledger.seal()), "signature": signature}
    ledger.seals_file().write_text(json.dumps(forged, ensure_ascii=False) + "\n", encoding="utf-8")
    assert list(ledger.verify()) == ["ledger-seals.jsonl line 1: the signature does not fit"]


def test_the_seal_after_half_a_line_begins_on_a_new_one(events: None, state: Path) -> None:
    first = ledger.seal()
    with ledger.seals_file().open("ab") as file:
        file.write(DAMAGE["half a line"])
    second = ledger.seal()
    assert ledger.seals_file().read_text().splitlines() == [first, DAMAGE["half a line"].decode(), second]
    assert list(ledger.verify()) == ["ledger-seals.jsonl line 2: is damaged"]


def test_a_seal_is_on_the_disk_before_it_counts_as_written(
    events: None, state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[bytes] = []
    monkeypatch.setattr(ledger.os, "fsync", lambda _file: synced.append(ledger.seals_file().read_bytes()))
    line = ledger.seal()
    assert synced == [line.encode() + b"\n"]


def test_the_command_tells_by_its_exit_code(events: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("verify_ledger")
    assert capsys.readouterr().out == "the ledger is whole\n"
    run_past_the_guards("UPDATE accounts_ledgerevent SET action = 'x' WHERE stream_id = '2'")
    with pytest.raises(SystemExit) as exit_:
        call_command("verify_ledger", json=True)
    assert exit_.value.code == 1
    assert json.loads(capsys.readouterr().out) == {"ok": False, "findings": ["test:2 event 1: was altered"]}


def test_each_verification_is_kept_with_what_it_found(events: None) -> None:
    call_command("verify_ledger")
    run_past_the_guards("UPDATE accounts_ledgerevent SET action = 'x'")
    tasks.verify_ledger()
    bad, good = LedgerVerification.objects.all()
    assert (good.events, good.faults, good.first_faults) == (4, 0, "")
    assert (bad.events, bad.faults) == (4, 4)
    assert bad.first_faults.splitlines() == [
        *(f"test:1 event {position}: was altered" for position in (1, 2, 3)),
        "test:2 event 1: was altered",
    ]
    assert queries.last_verification() == bad


def test_only_the_first_lines_of_many_faults_are_kept(events: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LedgerVerification, "MOST_LINES", 2)
    run_past_the_guards("UPDATE accounts_ledgerevent SET action = 'x'")
    told: list[str] = []
    kept = ledger.verify_and_note(at=clock.now(), tell=told.append)
    assert (kept.faults, kept.first_faults, len(told)) == (4, "\n".join(told[:2]), 4)


@pytest.mark.parametrize("sql", ["UPDATE {} SET faults = 0", "DELETE FROM {}", "TRUNCATE {}"])
def test_a_bad_result_is_not_made_good_afterwards(db: None, sql: str) -> None:
    ledger.verify_and_note(at=clock.now())
    with pytest.raises(Exception, match="pgtrigger"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql.format("accounts_ledgerverification"))
