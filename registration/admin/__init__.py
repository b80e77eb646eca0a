"""This app's pages on the staff site."""

from registration.admin import changes, exam_years

__all__ = ["changes", "exam_years"]
