"""Workers killed without a word while they send (`pytest -m faults`): everything arrives, and little arrives twice."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.flooding import State, Tell, crowd, keys, queue, stage, states

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

PEOPLE, EACH = 500, 10
WORKERS = 4  # processes
KILLS = 20


def test_of_five_thousand_messages_none_is_lost_to_killed_workers(tmp_path: Path, tell: Tell) -> None:
    with stage(tmp_path, PORTAL_SEND_LEASE="5", PORTAL_SENDS_PER_SECOND="500") as (_redis, wechat, processes):
        queue(crowd(PEOPLE, wechat.follow(PEOPLE)), EACH)
        began = time.monotonic()
        worker, kills, groups, before = processes.worker(WORKERS), 0, 0, 0
        while states()[State.SENT] < PEOPLE * EACH:
            assert time.monotonic() - began < 200, (states(), (tmp_path / "worker.log").read_text()[-2000:])
            if processes.waiting() == 0:
                processes.sweep()
            time.sleep(random.uniform(0.2, 1.0))
            if worker.poll() is not None:
                worker = processes.worker(WORKERS)
            children = processes.children(worker)
            if len(children) < WORKERS or states()[State.SENT] == before:
                continue  # it is still starting
            before = states()[State.SENT]
            if random.random() < 0.3:
                processes.kill(worker)
                worker, groups = processes.worker(WORKERS), groups + 1
            else:
                os.kill(random.choice(children), signal.SIGKILL)
            kills += 1
        arrived = wechat.arrived()
        again = arrived.total() - len(arrived)
        tell(
            f"\n{PEOPLE * EACH} messages, {kills} SIGKILLs ({groups} of all {WORKERS} processes at once): "
            f"{len(arrived)} arrived, {again} came again (at most {kills * WORKERS}), "
            f"{time.monotonic() - began:.0f} s"
        )
    assert kills >= KILLS
    assert set(arrived) == keys()
    assert again <= kills * WORKERS
