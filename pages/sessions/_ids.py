"""Ids of the page of all sessions."""

SUB = "sessions-sub"
ACTIVE = "sessions-active"
GONE = "sessions-gone"
CONFIGURATIONS = "sessions-configurations"
