"""Health of the workers, as they tell it themselves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

WorkerState = Literal["starting", "ok", "degraded", "failed", "stopped"]


@dataclass(frozen=True, slots=True)
class WorkerHealth:
    """How one worker is.

    Attributes:
        name: Name of the worker, e.g. ``run_control``.
        state: ``degraded`` works with something missing; ``failed`` does not work any more.
        turned_at: When its loop last turned (UTC); None before the first turn.
        last_error: Text of the last error, for people; it stays after the recovery.
        last_error_at: When that was (UTC).
        details: Counts and words of its own, e.g. ``{"holds_lease": "yes", "sessions": 2}``.
    """

    name: str
    state: WorkerState
    turned_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    details: Mapping[str, int | float | str | None] = field(default_factory=dict)


class AlreadyStartedError(RuntimeError):
    """A worker is started once in its life."""
