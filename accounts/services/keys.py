"""Rotating keys: every row is brought to what the settings say now (docs/operations.md has the order of the steps)."""

from collections.abc import Iterator
from itertools import chain

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from accounts import identity
from accounts.actors import SYSTEM
from accounts.models import Candidate
from accounts.services import ledger, two_step
from exam_portal.kit.locks import locked
from exam_portal.kit.rotation import Progress, begin_rotating, rotate_encryption

LOOKUP = "look-up digests"
NUMBERS = f"{Candidate._meta.label}.id_number"
_COLUMNS = ["id_digest", "id_digest_next"]


def rotate(*, batch: int = 500, dry_run: bool = False) -> Iterator[Progress]:
    """Bring what is encrypted, then look-up digests, to the present keys; yields after each batch of rows.

    It can be killed at any time and run again: each batch is recorded in the ledger, as a number of rows, together with
    the rows. Digests are left alone while the ID number of an account cannot be decrypted.
    """
    numbers_lost = False
    encrypted = chain(
        rotate_encryption(batch=batch, note=_record, dry_run=dry_run),
        two_step.rotate(batch=batch, note=_record, dry_run=dry_run),
    )
    for progress in encrypted:
        numbers_lost = numbers_lost or (progress.what == NUMBERS and bool(progress.problems))
        yield progress
    if not numbers_lost:
        yield from rotate_lookup(batch=batch, dry_run=dry_run)


def _record(what: str, rows: int) -> None:
    ledger.record(stream="portal", stream_id="keys", action="keys.rotated", actor=SYSTEM, payload={what: rows})


def rotate_lookup(*, batch: int = 500, dry_run: bool = False) -> Iterator[Progress]:
    """Bring both look-up columns to the present and the next key; yields after each batch of rows (R04).

    With a next key set, the second column is filled. Once the next key is the present one too, the first column takes
    what stands in the second. Without a next key, the second column is emptied. From one step to the next, one of the
    two unique columns is by the same key in every row and in every process that writes: a number registers once at
    every moment.
    """
    progress = Progress(LOOKUP, total=_registered().count())
    last, some = 0, True
    while some:
        with transaction.atomic():
            here = _registered().filter(pk__gt=last)
            rows = list((here if dry_run else locked(here)).order_by("pk")[:batch])
            changed, problems = _brought_to_the_settings(rows)
            twice: list[str] = []
            if changed and not dry_run:
                begin_rotating()
                twice = _write(changed)
                if written := len(changed) - len(twice):
                    _record(LOOKUP, written)
        last = rows[-1].pk if rows else last
        some = len(rows) == batch
        progress = progress.on(checked=len(rows), changed=len(changed) - len(twice), problems=[*problems, *twice])
        yield progress


def _registered() -> QuerySet[Candidate]:
    """Accounts with an ID number: a deleted one has none."""
    return Candidate.objects.filter(deleted_at=None)


def _brought_to_the_settings(rows: list[Candidate]) -> tuple[list[Candidate], list[str]]:
    """The rows that had to change, changed but not written, and a line for each that may not change so."""
    changed, problems = [], []
    for row in rows:
        wanted = identity.digest_columns(id_type=row.id_type, number=row.id_number)
        present, following = wanted["id_digest"], wanted["id_digest_next"]
        if (row.id_digest, row.id_digest_next) == (present, following):
            continue
        if present not in (row.id_digest, row.id_digest_next):
            problems.append(f"candidate {row.pk}: PORTAL_LOOKUP_KEY is neither its key nor its next key")
        elif following and row.id_digest_next not in (None, following):
            problems.append(f"candidate {row.pk}: another next key is under way; finish or give up that rotation first")
        else:
            assert present
            row.id_digest, row.id_digest_next = present, following
            changed.append(row)
    return changed, problems


def _write(rows: list[Candidate]) -> list[str]:
    """Write the batch at once; where a number stands in two accounts, row by row, and a line for each such row.

    Two accounts can only be there if processes of different steps but one ran side by side.
    """
    try:
        with transaction.atomic():
            Candidate.objects.bulk_update(rows, _COLUMNS)
    except IntegrityError:
        return [problem for row in rows for problem in _write_one(row)]
    return []


def _write_one(row: Candidate) -> list[str]:
    try:
        with transaction.atomic():
            Candidate.objects.filter(pk=row.pk).update(**{name: getattr(row, name) for name in _COLUMNS})
    except IntegrityError:
        return [f"candidate {row.pk}: another account has the same ID number"]
    return []
