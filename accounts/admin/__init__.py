"""The staff's side of accounts, on the default site, which is ours (exam_portal.staff)."""

from accounts.admin.candidates import CandidateAdmin
from accounts.admin.identity_requests import IdentityRequestAdmin
from accounts.admin.ledger import LedgerEventAdmin
from accounts.admin.photos import PhotoAdmin
from accounts.admin.staff import StaffAssignmentAdmin

__all__ = ["CandidateAdmin", "IdentityRequestAdmin", "LedgerEventAdmin", "PhotoAdmin", "StaffAssignmentAdmin"]
