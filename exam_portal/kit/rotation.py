"""Encrypting anew, with the first of the encryption keys, what stands encrypted in the database."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from cryptography.fernet import InvalidToken
from django.apps import apps
from django.db import connection, models, transaction
from django.db.models.functions import Cast

from exam_portal.kit import crypto
from exam_portal.kit.fields import EncryptedTextField
from exam_portal.kit.locks import locked

# Called with the column and how many of its rows were changed, in the transaction that changes them.
Note = Callable[[str, int], None]

# True in SQL inside a transaction that called `begin_rotating`: triggers let through what only a rotation may do.
ROTATING = "coalesce(current_setting('portal.rotating_keys', true), '') = 'on'"


@dataclass(frozen=True)
class Progress:
    """How far a rotation has come.

    Attributes:
        what: the column, `app.Model.field`, or what else is rotated
        total: rows there are
        checked: rows seen so far
        changed: rows that were not yet as they should be; changed, or in a dry run only counted
        problems: a line each for rows that could not be brought there; they were left as they are
    """

    what: str
    total: int
    checked: int = 0
    changed: int = 0
    problems: tuple[str, ...] = field(default=())

    def on(self, *, checked: int, changed: int, problems: list[str]) -> "Progress":
        """The state one batch later."""
        return replace(
            self,
            checked=self.checked + checked,
            changed=self.changed + changed,
            problems=(*self.problems, *problems),
        )


def begin_rotating() -> None:
    """Let this transaction, and no longer, do what only a rotation may; safe with PgBouncer's transaction pooling."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('portal.rotating_keys', 'on', true)")


def encrypted_columns() -> list[tuple[type[models.Model], EncryptedTextField]]:
    """Every encrypted column of the portal, by name."""
    return [
        (model, column)
        for model in sorted(apps.get_models(), key=lambda model: model._meta.label)
        for column in model._meta.local_concrete_fields
        if isinstance(column, EncryptedTextField)
    ]


class Encrypted(ABC):
    """A place where something encrypted stands, one text in each of its rows.

    Attributes:
        what: its name
        rows: those that have such a text
    """

    what: str
    rows: "models.QuerySet[Any]"

    @abstractmethod
    def tokens(self, rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        """(key, what stands there), undecrypted, by key."""

    @abstractmethod
    def write(self, texts: dict[Any, str]) -> None:
        """Write these texts into the rows of these keys, encrypted with the first key."""


class _Column(Encrypted):
    """An encrypted column."""

    def __init__(self, model: type[models.Model], column: EncryptedTextField) -> None:
        self.what, self.model, self.column = f"{model._meta.label}.{column.name}", model, column
        self.rows = model._default_manager.all()

    def tokens(self, rows: "models.QuerySet[Any]") -> "models.QuerySet[Any]":
        return rows.order_by("pk").values_list("pk", Cast(self.column.attname, models.TextField()))

    def write(self, texts: dict[Any, str]) -> None:
        rows = [self.model(pk=key, **{self.column.attname: text}) for key, text in texts.items()]
        self.model._default_manager.bulk_update(rows, [self.column.name])


def rotate_encryption(*, batch: int, note: Note, dry_run: bool = False) -> Iterator[Progress]:
    """Encrypt every encrypted column anew; yields after each batch."""
    for model, column in encrypted_columns():
        yield from rotate(_Column(model, column), batch=batch, note=note, dry_run=dry_run)


def rotate(place: Encrypted, *, batch: int, note: Note, dry_run: bool = False) -> Iterator[Progress]:
    """Encrypt anew what another key than the first has encrypted; yields after each batch.

    A batch is one transaction with its rows locked: a writer waits for it, and nothing written meanwhile is lost. What
    is done stays done, and noted, when it is interrupted; the next run finds what is left.
    """
    progress = Progress(place.what, total=place.rows.count())
    last, some = None, True
    while some:
        changed: dict[Any, str] = {}
        problems: list[str] = []
        with transaction.atomic():
            here = place.rows if last is None else place.rows.filter(pk__gt=last)
            tokens = place.tokens(here if dry_run else locked(here))[:batch]
            for key, token in tokens:
                last = key
                if token is None or crypto.is_current(token):
                    continue
                try:
                    changed[key] = crypto.decrypt(token)
                except InvalidToken:
                    problems.append(f"{progress.what} of row {key}: no encryption key fits")
            if changed and not dry_run:
                begin_rotating()
                place.write(changed)
                note(progress.what, len(changed))
        some = len(tokens) == batch
        progress = progress.on(checked=len(tokens), changed=len(changed), problems=problems)
        yield progress
