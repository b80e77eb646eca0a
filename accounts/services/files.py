"""Files of the private storage: none is lost that a row refers to, and none is left that no row does.

Whoever dies between writing a file and the row that refers to it leaves a `LeftFile`, and the sweeper removes the file.
"""

import secrets
from datetime import timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from accounts.models import LeftFile
from exam_portal import clock

# Longer than a request or a task that writes the row takes.
ADOPTED_WITHIN = timedelta(hours=1)


def keep(content: bytes | UploadedFile, *, folder: str, extension: str) -> str:
    """Write a file, and return its name, which says nothing; `adopt` it in the transaction of the row it belongs to."""
    name = f"{folder}/{secrets.token_hex(16)}.{extension}"
    LeftFile.objects.create(name=name, remove_at=clock.now() + ADOPTED_WITHIN)
    default_storage.save(name, ContentFile(content) if isinstance(content, bytes) else content)
    return name


def adopt(*names: str) -> None:
    """The row of this transaction refers to these files from now on."""
    LeftFile.objects.filter(name__in=names).delete()


def discard(*names: str | None) -> None:
    """No row refers to these files once this transaction has ended; they are removed then."""
    given = sorted({name for name in names if name})
    LeftFile.objects.bulk_create(LeftFile(name=name, remove_at=clock.now()) for name in given)
    transaction.on_commit(lambda: _remove(given))


def sweep() -> int:
    """Remove what is left, a thousand files at most; returns how many."""
    due = LeftFile.objects.filter(remove_at__lte=clock.now()).order_by("remove_at")
    return _remove(list(due.values_list("name", flat=True)[:1000]))


def _remove(names: list[str]) -> int:
    for name in names:
        default_storage.delete(name)
    LeftFile.objects.filter(name__in=names).delete()
    return len(names)
