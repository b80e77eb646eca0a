"""The staff's side of accounts, on the default site, which is ours (exam_portal.staff)."""

from accounts.admin.candidates import CandidateAdmin
from accounts.admin.identity_requests import IdentityRequestAdmin

__all__ = ["CandidateAdmin", "IdentityRequestAdmin"]
