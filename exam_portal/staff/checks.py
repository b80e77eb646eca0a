"""System check: whatever is registered in the staff site shows only one's own territory (R28)."""

from typing import Any

from django.contrib import admin
from django.core.checks import CheckMessage, Error

from accounts.admin.base import ScopedAdmin
from accounts.territory import has_scope


def check_scopes(**_kwargs: Any) -> list[CheckMessage]:
    """Every registered model is a `ScopedAdmin` with a right, and has a scope.

    None has inlines or fields that complete themselves: Django reads their rows without asking for the territory.
    """
    errors: list[CheckMessage] = []
    for model, model_admin in admin.site._registry.items():
        name = model._meta.label
        if not isinstance(model_admin, ScopedAdmin) or not hasattr(model_admin, "right"):
            errors.append(Error(f"{name} is registered without a ScopedAdmin that names a right.", id="portal.E003"))
        if not has_scope(model):
            errors.append(Error(f"{name} declares no scope (accounts.territory).", id="portal.E004"))
        errors.extend(
            Error(f"{name} has {option}, whose rows are of no territory.", id="portal.E005")
            for option in ("inlines", "autocomplete_fields", "raw_id_fields")
            if getattr(model_admin, option)
        )
    return errors
