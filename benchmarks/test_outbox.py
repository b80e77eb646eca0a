"""What a message costs on its way out. The floor is a bare HTTP post of the same body to the same sandbox."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import requests

from tests.flooding import State, crowd, queue, stage, states, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE, EACH = 500, 10
PROCESSES = 2
FLOOR = 1_000  # bare posts
MOST = 10.0  # times the CPU of a bare post


def cpu(process: psutil.Process) -> float:
    """Seconds of CPU of a process and its children."""
    return sum(sum(each.cpu_times()[:2]) for each in [process, *process.children()])


def test_messages_a_second_and_cpu_of_each(tmp_path: Path, tell: Callable[[str], None]) -> None:
    total = PEOPLE * EACH
    with stage(tmp_path, PORTAL_SENDS_PER_SECOND="100000") as (_redis, wechat, processes):
        openids = wechat.follow(PEOPLE)
        queue(crowd(PEOPLE, openids), EACH)
        worker = processes.worker(PROCESSES)
        running = psutil.Process(worker.pid)
        wait_until(
            lambda: len(running.children()) >= PROCESSES, seconds=30, what=lambda: (tmp_path / "worker.log").read_text()
        )
        time.sleep(2)
        before, began = cpu(running), time.monotonic()
        processes.sweep()
        wait_until(lambda: states()[State.SENT] == total, seconds=600, what=states)
        taken, spent = time.monotonic() - began, cpu(running) - before

        sent = wechat.state()["received"][-1]
        token = requests.post(
            f"http://127.0.0.1:{wechat.port}/cgi-bin/stable_token",
            json={
                "grant_type": "client_credential",
                "appid": wechat.settings()["PORTAL_WECHAT_ACCOUNT_APP_ID"],
                "secret": wechat.settings()["PORTAL_WECHAT_ACCOUNT_SECRET"],
            },
            timeout=10,
        ).json()["access_token"]
        own, session = psutil.Process(), requests.Session()
        bare, began = sum(own.cpu_times()[:2]), time.monotonic()
        for number in range(FLOOR):
            body = {
                "touser": openids[number % PEOPLE],
                "template_id": sent["template_id"],
                "url": sent["url"],
                "client_msg_id": f"bare{number}",
                "data": {name: {"value": value} for name, value in sent["data"].items()},
            }
            answer = session.post(
                f"http://127.0.0.1:{wechat.port}/cgi-bin/message/template/send",
                params={"access_token": token}, json=body, timeout=10,
            )  # fmt: skip
            assert answer.json()["errcode"] == 0
        bare, floor = sum(own.cpu_times()[:2]) - bare, FLOOR / (time.monotonic() - began)
    tell(f"{total} messages, {PROCESSES} processes: {total / taken:.0f} a second; bare posts of one: {floor:.0f}")
    ratio = spent / total / (bare / FLOOR)
    tell(f"CPU of a message {spent / total * 1000:.2f} ms, of a bare post {bare / FLOOR * 1000:.2f} ms: {ratio:.1f}")
    assert ratio < MOST
