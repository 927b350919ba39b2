"""Plain data of the audit trail."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class AuditKind(StrEnum):
    """Step of an action: what was wanted, what came of it, or that it was refused before anything was done."""

    INTENT = "intent"
    OUTCOME = "outcome"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One row of the trail: who, from where, what, on what, with which arguments, and the text for people."""

    kind: AuditKind
    user_name: str
    action: str
    text: str = ""
    remote_address: str = ""
    session: str | None = None
    target: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    command_id: int | None = None


@dataclass(frozen=True, slots=True)
class AuditView:
    """A stored entry, with its id and time (UTC)."""

    id: int
    at: datetime
    entry: AuditEntry
