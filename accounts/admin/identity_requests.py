"""Applications about identities (R07), as the exam point and the region work on them."""

from django.contrib import admin

from accounts.admin.base import ScopedAdmin
from accounts.models import IdentityRequest
from accounts.roles import Right


@admin.register(IdentityRequest)
class IdentityRequestAdmin(ScopedAdmin):
    """The list: by number, state and kind, the newest first."""

    right = Right.SEE_CANDIDATES
    ordering = ["-made_at", "-pk"]
    list_display = ("number", "kind", "state", "point", "made_at")
    list_filter = ("state", "kind")
    list_select_related = ("point",)
    fields = ("number", "kind", "state", "point", "made_at")
    readonly_fields = fields
