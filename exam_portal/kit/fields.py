"""Model fields of the kit."""

from typing import Any

from django.db import models

from exam_portal.kit import crypto


class EncryptedTextField(models.TextField):
    """Text that is encrypted in the row and plain in Python. It cannot be searched: keep a keyed digest beside it."""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        return value if value is None else crypto.decrypt(value)

    def get_prep_value(self, value: Any) -> Any:
        value = super().get_prep_value(value)
        return value if value is None else crypto.encrypt(value)

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise TypeError(f"{self.name} is encrypted and cannot be searched; use its digest.")
        return super().get_lookup(lookup_name)


class BitsField(models.CharField):
    """`max_length` zeros and ones, as text in Python and as PostgreSQL's `bit` in the row, which can count them."""

    def db_type(self, connection: Any) -> str:
        return f"bit({self.max_length})"

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(value) or None  # none is no bits
