"""Adding and correcting education records, as tests of R21 and R27 do it."""

from html import unescape
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import override

from accounts.actors import acting
from accounts.models import Candidate, EducationRecord, LedgerEvent
from accounts.services import education as service
from tests import factories


def add(candidate: Candidate, number: str = "1", **more: str) -> EducationRecord:
    return service.add_education(candidate=candidate, actor=acting(candidate), **factories.education(number, **more))


def correct(record: EducationRecord, number: str = "1", **more: str) -> EducationRecord:
    return service.correct_education(
        record=record, actor=acting(record.candidate), **factories.education(number, **more)
    )


def typed(**more: str) -> dict[str, str]:
    """A record as the page sends it."""
    return {**factories.EDUCATION, "certificate_number": "1", **more}


def send(client: Client, **more: str) -> Any:
    """What the page answers to a record that is added."""
    return client.post(reverse("accounts:education"), typed(**more))


def said(response: Any, field: str) -> list[str]:
    """The errors beside a field, as the page shows them."""
    page = unescape(response.content.decode())
    with override(response.headers["Content-Language"]):
        errors = [str(error) for error in response.context["form"].errors.get(field, [])]
    beside = page.split(f'id="div_id_{field}"', 1)[1].split('id="div_id_', 1)[0]
    assert all(error in beside for error in errors)
    return errors


def in_language_of(response: Any, text: str | Promise) -> str:
    with override(response.headers["Content-Language"]):
        return str(text)


def numbers(candidate: Candidate) -> list[str]:
    """The certificate numbers of the records that stand, in their order."""
    return [record.certificate_number for record in candidate.education.standing()]


def events(candidate: Candidate) -> list[tuple[str, Any]]:
    """Action and payload of what the ledger tells about a candidate's education, oldest first."""
    found = LedgerEvent.objects.filter(stream="candidate", stream_id=str(candidate.pk), action__startswith="education.")
    return [(event.action, event.payload) for event in found.order_by("position")]
