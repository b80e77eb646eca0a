"""The staff's side of registration, on the default site, which is ours (exam_portal.staff)."""

from registration.admin import applications, changes, exam_years

__all__ = ["applications", "changes", "exam_years"]
