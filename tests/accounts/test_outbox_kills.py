"""Workers killed and PostgreSQL cut off while messages go out (`pytest -m faults`): all arrive, little comes twice."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import psycopg2
import pytest
from django.db import connection

from accounts.models import CarrierPause, Delivery
from exam_portal import clock
from tests.flooding import ROOT, State, Tell, crowd, keys, queue, stage, states, wait_until
from tests.processes import environment

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

PEOPLE, EACH = 500, 10
WORKERS = 4  # processes
KILLS, MOST_KILLS = 20, 30
# Sends as ever, and is killed before it can note it.
KILLED_BEFORE_THE_NOTE = """
import os, signal, sys
from dataclasses import replace
import django
django.setup()
from accounts.carriers import WAYS
from accounts.services import outbox
way = WAYS["wechat"]
WAYS["wechat"] = replace(way, send=lambda message: (way.send(message), os.kill(os.getpid(), signal.SIGKILL))[0])
outbox.deliver(delivery_id=int(sys.argv[1]))
"""


def test_of_five_thousand_messages_none_is_lost_to_killed_workers(tmp_path: Path, tell: Tell) -> None:
    with stage(tmp_path, PORTAL_SEND_LEASE="5", PORTAL_SENDS_PER_SECOND="500") as (_redis, wechat, processes):
        queue(crowd(PEOPLE, wechat.follow(PEOPLE)), EACH)
        began = time.monotonic()
        worker, kills, groups, before = processes.worker(WORKERS), 0, 0, 0

        def kill() -> None:
            nonlocal worker, kills, groups, before
            if kills == MOST_KILLS:
                return
            time.sleep(random.uniform(0, 0.8))
            if worker.poll() is not None:
                worker = processes.worker(WORKERS)
            children, sent = processes.children(worker), states()[State.SENT]
            if len(children) < WORKERS or sent == before:
                return  # it is still starting
            before = sent
            kills += 1
            if random.random() < 0.3:
                processes.kill(worker)
                worker, groups = processes.worker(WORKERS), groups + 1
            else:
                os.kill(random.choice(children), signal.SIGKILL)

        processes.sweep_until_sent(seconds=200, each=kill)
        arrived = wechat.arrived()
        again = arrived.total() - len(arrived)
        tell(
            f"{PEOPLE * EACH} messages, {kills} SIGKILLs ({groups} of all {WORKERS} processes at once): "
            f"{len(arrived)} arrived, {again} came again (at most {kills * WORKERS}), "
            f"{time.monotonic() - began:.0f} s"
        )
    assert kills >= KILLS
    assert set(arrived) == keys() and len(arrived) == PEOPLE * EACH
    assert again <= kills * WORKERS


def test_a_worker_killed_between_the_answer_and_the_note_lets_another_send_what_wechat_drops(tmp_path: Path) -> None:
    with stage(tmp_path, PORTAL_SEND_LEASE="1") as (_redis, wechat, processes):
        queue(crowd(1, wechat.follow(1)), 1)
        key = Delivery.objects.get().pk
        command = [sys.executable, "-c", KILLED_BEFORE_THE_NOTE, str(key)]
        killed = subprocess.run(command, env=environment(**processes.settings), cwd=ROOT, check=False)
        assert killed.returncode == -signal.SIGKILL
        assert (Delivery.objects.get().state, wechat.arrived().total()) == (State.SENDING, 1)
        processes.worker(1)
        processes.sweep_until_sent(seconds=60)
        (received,) = wechat.state()["received"]
        sent = Delivery.objects.get()
        assert (sent.tries, sent.remote_id) == (2, str(received["msgid"]))
        assert set(wechat.arrived().values()) == {2}


def cut_off(seconds: float) -> None:
    """As while PostgreSQL restarts: all connections to the test's database end, and no new one is let in."""
    name = connection.settings_dict["NAME"]
    connection.close()
    host = connection.settings_dict["HOST"], connection.settings_dict["USER"]
    other = psycopg2.connect(host=host[0], user=host[1], dbname="postgres")
    other.autocommit = True
    with other.cursor() as cursor:
        cursor.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        time.sleep(seconds)
        cursor.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS true')
    other.close()


def test_postgresql_cut_off_while_sending_loses_nothing(tmp_path: Path, tell: Tell) -> None:
    total, cuts = 600, 3
    with stage(tmp_path, PORTAL_SEND_LEASE="2", PORTAL_SENDS_PER_SECOND="100") as (_redis, wechat, processes):
        queue(crowd(60, wechat.follow(60)), total // 60)
        processes.worker(2)
        processes.sweep()
        for cut in range(1, cuts + 1):
            wait_until(lambda least=cut * 100: states()[State.SENT] > least, seconds=60, what=states)
            cut_off(1.5)
            processes.sweep()
        processes.sweep_until_sent(seconds=90)
        arrived = wechat.arrived()
    again = arrived.total() - len(arrived)
    tell(f"PostgreSQL cut off {cuts} times: {len(arrived)} of {total} arrived, {again} came again")
    assert set(arrived) == keys() and len(arrived) == total
    assert again <= cuts * 2


def test_what_waited_for_the_end_of_a_pause_goes_out_no_faster_than_ever(tmp_path: Path, tell: Tell) -> None:
    total, a_second = 200, 20
    with stage(tmp_path, PORTAL_SENDS_PER_SECOND=str(a_second)) as (_redis, wechat, processes):
        queue(crowd(total, wechat.follow(total)), 1)
        processes.worker(WORKERS)
        until = clock.now() + timedelta(seconds=8)
        CarrierPause.objects.create(carrier="wechat", until=until, why="45009: quota")
        processes.sweep()
        waits = Delivery.objects.filter(due_at=until, tries=0)
        wait_until(lambda: waits.count() == total, seconds=8, what=states)
        assert wechat.arrived().total() == 0
        processes.sweep_until_sent(seconds=60)
        moments = [each["at"] for each in wechat.state()["received"]]
    seconds = Counter(int(moment) for moment in moments)
    tell(f"After a pause: {total} in {max(moments) - min(moments):.0f} s, at most {max(seconds.values())} in one")
    assert max(moments) - min(moments) > total / a_second - 2
    # What has its turn at the end of one second may arrive in the next.
    assert max(seconds.values()) <= 2 * a_second


def test_while_wechat_hangs_other_tasks_have_their_turn(tmp_path: Path) -> None:
    """One process, five bells of 20 messages that take ten seconds each: another task waits for one of them."""
    with stage(tmp_path) as (_redis, wechat, processes):
        queue(crowd(100, wechat.follow(100)), 1)
        wechat.fail({"path": "/cgi-bin/message", "delay": 0.5})
        processes.worker(1)
        processes.sweep()
        wait_until(lambda: wechat.arrived().total() > 0, seconds=30, what=states)
        assert processes.waiting() >= 3
        processes.bell.send_task("accounts.tasks.sweep_verification")
        log = tmp_path / "worker.log"
        done = re.compile(r"sweep_verification\[\S+\] succeeded")
        wait_until(lambda: done.search(log.read_text()) is not None, seconds=25, what=states)
