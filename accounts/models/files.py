"""Files that no row refers to."""

from django.db import models


class LeftFile(models.Model):
    """A file of the private storage that is removed at `remove_at`, unless a row that refers to it is written before.

    A file is written, and removed, outside the transaction of its row: this row is there before the one, and until
    the other.
    """

    name = models.CharField(max_length=80, unique=True)
    remove_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name
