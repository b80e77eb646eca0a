"""The staff's side of registration, on the default site, which is ours (exam_portal.staff)."""

from registration.admin.applications import ApplicationAdmin

__all__ = ["ApplicationAdmin"]
