"""What tests of reminders share: moments, what was told, the worker, and two acts of a candidate."""

from datetime import datetime

from accounts.actors import acting
from accounts.models import Candidate, Delivery, Message
from accounts.services import outbox
from exam_portal import clock
from registration.models import Application
from registration.services import applications


def beijing(moment: str) -> datetime:
    return datetime.fromisoformat(f"{moment}+08:00")


def told(candidate: Candidate, *, kind: str = "todo") -> list[tuple[str, int]]:
    """What there is in the inbox of one kind, in order: the name of the to-do, and days before its end."""
    rows = Message.objects.filter(candidate=candidate, kind=kind).order_by("pk")
    return [(message.facts["todo"], message.version) for message in rows]


def deliver_all() -> None:
    """What the worker does with all that is due."""
    for key in Delivery.objects.order_by("pk").values_list("pk", flat=True):
        outbox.deliver(delivery_id=key)


def submit(draft: Application) -> None:
    draft.refresh_from_db()
    applications.submit(application=draft, actor=acting(draft.candidate), at=clock.now())


def withdraw(draft: Application) -> None:
    applications.withdraw(application=draft, actor=acting(draft.candidate), at=clock.now())
