"""Plain data of mutes: known noise that the feed leaves out."""

from dataclasses import dataclass
from datetime import datetime

from services.messages.types import Expression, Severity

# FATAL is never muted.
MUTABLE = tuple(severity for severity in Severity if severity < Severity.FATAL)


@dataclass(frozen=True, slots=True)
class Mute:
    """Known noise that the feed leaves out while it lasts.

    Attributes:
        id: Its id, also in the audit.
        fits: What is left out, severities included.
        text: The same as people wrote it, without severities.
        up_to: The greatest severity that is left out; at most ERROR.
        reason: Why, in somebody's words.
        by: Who muted it.
        at: When (UTC).
        until: When it ends by itself (UTC).
    """

    id: int
    fits: Expression
    text: str
    up_to: Severity
    reason: str
    by: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """How many messages were found; with ``is_complete`` off there are at least so many: counting stopped early."""

    number: int
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Hiding:
    """How many messages the mutes ``of`` (ids) hide together."""

    of: tuple[int, ...] = ()
    count: Count = Count(0)
