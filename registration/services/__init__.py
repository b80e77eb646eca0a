"""Every write of the registration app: one use case, one function, keyword-only."""
