"""System check: whatever is registered in the staff site shows only one's own territory (R28)."""

from typing import Any

from django.contrib import admin
from django.core.checks import CheckMessage, Error

from accounts.admin.base import ScopedAdmin
from accounts.territory import has_scope


def check_scopes(**_kwargs: Any) -> list[CheckMessage]:
    """Every registered model is a `ScopedAdmin` with a right, and it and the models of its inlines have a scope."""
    errors: list[CheckMessage] = []
    for model, model_admin in admin.site._registry.items():
        name = model._meta.label
        if not isinstance(model_admin, ScopedAdmin) or not hasattr(model_admin, "right"):
            errors.append(Error(f"{name} is registered without a ScopedAdmin that names a right.", id="portal.E003"))
        shown = [model, *(inline.model for inline in model_admin.inlines)]
        errors.extend(
            Error(f"{each._meta.label} declares no scope (accounts.territory).", id="portal.E004")
            for each in shown
            if not has_scope(each)
        )
    return errors
