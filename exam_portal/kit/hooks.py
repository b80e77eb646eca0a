"""How something low sets off something high without importing it.

A setting lists functions by their dotted names; `check_hooks` looks at start whether each exists and takes
the arguments it will be called with.
"""

import inspect
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db.models import QuerySet
from django.utils.module_loading import import_string

from exam_portal.kit.next_steps import NextStep
from exam_portal.kit.staff_work import Obstacle, Panel, Work


class NextStepHook(Protocol):
    """All that this app asks of the candidate, or says of where things stand, the most urgent first."""

    def __call__(self, *, candidate: Any, at: datetime) -> list[NextStep]: ...


class AccountChangeHook(Protocol):
    """What a candidate must know after changing basic information or education, or None."""

    def __call__(self, *, candidate: Any, at: datetime) -> str | None: ...


class Change(StrEnum):
    """What of an account somebody wants to change: the identity, also by deleting it, or the photo that stands."""

    IDENTITY = "identity"
    PHOTO = "photo"


class AccountGuard(Protocol):
    """Why this of a candidate's account may not be changed now; None when nothing is against it."""

    def __call__(self, *, candidate: Any, change: Change, at: datetime) -> str | None: ...


class PhotoRulesHook(Protocol):
    """What the exam that candidates register for now, or next, asks of a photo (accounts.photos.rules), or None."""

    def __call__(self, *, at: datetime) -> Any: ...


class TerritoryHook(Protocol):
    """Keys of the candidates who belong to the institution of a member of staff, by what this app knows (R28).

    A query of one column that an index finds.
    """

    def __call__(self, *, actor: Any) -> QuerySet[Any, Any]: ...


class StaffWorkHook(Protocol):
    """What waits for this member of staff in this app, which of its deadlines are near, and what is wrong."""

    def __call__(self, *, actor: Any, at: datetime) -> list[Work]: ...


class ObstaclesHook(Protocol):
    """What of this app stands against changing or deleting the candidate's identity, as this actor sees it (R07)."""

    def __call__(self, *, candidate: Any, actor: Any, at: datetime) -> list[Obstacle]: ...


class StreamsHook(Protocol):
    """The streams of the ledger in which this app records what concerns a candidate: name and id of each."""

    def __call__(self, *, candidate: Any) -> list[tuple[str, str]]: ...


class CandidateSearchHook(Protocol):
    """Keys of the candidates whom this member of staff finds by a number of this app, such as the code of a form.

    `number` is as accounts.identity normalises numbers.
    """

    def __call__(self, *, actor: Any, number: str) -> list[int]: ...


class CandidatePanelHook(Protocol):
    """What this app shows this member of staff on a candidate's page, or None."""

    def __call__(self, *, actor: Any, candidate: Any, at: datetime) -> Panel | None: ...


class EducationVerifier(Protocol):
    """Whether an education record is as the register has it that this verifier asks; None when it cannot say now.

    It is called outside any transaction, may take its time, and may be asked again about what it has answered. What
    it raises is logged by its name only, and asked again later.
    """

    def __call__(self, *, record: Any) -> bool | None: ...


class SmsPort(Protocol):
    """Sends a short message, and returns the operator's own number of it, or "".

    Called in a worker, outside any transaction. What it raises is noted by its name, and the message tried again.
    """

    def __call__(self, *, number: str, text: str) -> str: ...


HOOKS: dict[str, type] = {
    "NEXT_STEPS": NextStepHook,
    "AFTER_ACCOUNT_CHANGE": AccountChangeHook,
    "ACCOUNTS_GUARDS": AccountGuard,
    "PHOTO_RULES": PhotoRulesHook,
    "STAFF_TERRITORY": TerritoryHook,
    "STAFF_WORK": StaffWorkHook,
    "STAFF_CANDIDATE_SEARCH": CandidateSearchHook,
    "STAFF_CANDIDATE_PANELS": CandidatePanelHook,
    "IDENTITY_OBSTACLES": ObstaclesHook,
    "LEDGER_STREAMS": StreamsHook,
    "EDUCATION_VERIFIERS": EducationVerifier,
    "PORTAL_SMS": SmsPort,
}


def load(setting: str) -> list[Callable[..., Any]]:
    """The functions that a setting names, in its order."""
    return [import_string(name) for name in getattr(settings, setting)]


def check_hooks(**_kwargs: Any) -> list[CheckMessage]:
    """System check: every function named in a hook setting exists and has the arguments of its protocol."""
    errors: list[CheckMessage] = []
    for setting, protocol in HOOKS.items():
        wanted = set(inspect.signature(protocol.__call__).parameters) - {"self"}
        for name in getattr(settings, setting):
            try:
                found = set(inspect.signature(import_string(name)).parameters)
            except ImportError as error:
                errors.append(Error(f"{setting}: {name} cannot be imported ({error}).", id="portal.E001"))
                continue
            if found != wanted:
                errors.append(
                    Error(
                        f"{setting}: {name} takes {sorted(found)}, not {sorted(wanted)}.",
                        id="portal.E002",
                    )
                )
    return errors
