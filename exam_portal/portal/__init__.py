"""The roof: the home page, the dashboard, and what stands on every page."""
