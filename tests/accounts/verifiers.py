"""Verifiers of education records for tests; settings name them as they name real ones."""

from typing import Any

from django.db import connection

# Which verifier was asked about which number of a certificate.
ASKED: list[str] = []


def _note(name: str, record: Any) -> None:
    ASKED.append(f"{name} {record.certificate_number}")


def says_yes(*, record: Any) -> bool | None:
    _note("yes", record)
    return True


def says_no(*, record: Any) -> bool | None:
    _note("no", record)
    return False


def cannot_say(*, record: Any) -> bool | None:
    _note("none", record)
    return None


def raises(*, record: Any) -> bool | None:
    _note("raises", record)
    raise ConnectionError(f"{record.candidate.name} {record.certificate_number}: no such host")


def holds_no_transaction(*, record: Any) -> bool | None:
    return not connection.in_atomic_block


def misunderstands(*, candidate: Any, number: str) -> bool | None:
    return None
