"""Accounts: people, roles, permissions, log-in."""
