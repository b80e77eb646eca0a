"""The staff's side of accounts, on the default site, which is ours (exam_portal.staff)."""

from accounts.admin.identity_requests import IdentityRequestAdmin

__all__ = ["IdentityRequestAdmin"]
