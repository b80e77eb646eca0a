"""Every write of the accounts app: one use case, one function, keyword-only."""
