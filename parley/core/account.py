"""Accounts: every row belongs to one; until callers authenticate, all of them speak for the default one."""

DEFAULT_ACCOUNT = 1
