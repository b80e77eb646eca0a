"""The staff site: Django admin, where everybody sees only their own territory."""
