"""Messages: written with the change, delivered once, found again when the broker lost them."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from kombu.exceptions import OperationalError

from accounts.models import Candidate, Message
from accounts.services import outbox
from exam_portal import clock

FACTS = {"exam": "2024年度卫生专业技术资格考试", "form_code": "24W00000000101"}


def write(candidate: Candidate, version: int = 1) -> None:
    outbox.enqueue(candidate=candidate, kind="application_submitted", object_id="1", version=version, facts=FACTS)


@pytest.mark.django_db
def test_the_same_message_is_written_once(candidate: Candidate) -> None:
    write(candidate)
    write(candidate)
    write(candidate, version=2)
    assert Message.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_dead_broker_stops_nobody_and_loses_nothing(
    candidate: Candidate, monkeypatch: pytest.MonkeyPatch, at_time: Any
) -> None:
    def dead(_message_id: int) -> None:
        raise OperationalError

    monkeypatch.setattr("accounts.tasks.deliver_message.delay", dead)
    write(candidate)
    assert Message.objects.get().state == Message.State.QUEUED
    assert outbox.sweep() == 0  # the bell may still be ringing
    at_time(clock.now() + timedelta(minutes=2))
    assert outbox.sweep() == 1
    assert Message.objects.get().state == Message.State.SENT


@pytest.mark.django_db
def test_a_message_is_delivered_once(candidate: Candidate) -> None:
    write(candidate)
    message = Message.objects.get()
    assert outbox.deliver(message_id=message.pk)
    assert not outbox.deliver(message_id=message.pk)


@pytest.mark.django_db
def test_the_inbox_shows_what_was_delivered_and_marks_it_read(signed_in: Client, candidate: Candidate) -> None:
    write(candidate)
    write(candidate, version=2)
    outbox.deliver(message_id=Message.objects.get(version=1).pk)
    assert signed_in.get(reverse("portal:home")).context["unread"] == 1
    response = signed_in.get(reverse("accounts:inbox"))
    assert [message.version for message in response.context["received"]] == [1]
    assert FACTS["form_code"] in response.content.decode()
    assert signed_in.get(reverse("portal:home")).context["unread"] == 0
