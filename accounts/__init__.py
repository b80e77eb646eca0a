"""Who: candidates, institutions, sign-in, basic information, education, WeChat, messages and the ledger."""
