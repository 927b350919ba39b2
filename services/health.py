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


@dataclass(frozen=True, slots=True)
class WorkerView:
    """One worker of one collector, as it last reported (`services.workers`).

    Attributes:
        name: Name of the worker, e.g. ``messages``.
        collector: Its process, ``host:pid``.
        state: As the worker tells it.
        since: Since when it is in that state (UTC).
        reported_at: When it last reported (UTC); too long ago means that the process is gone or hangs.
        turned_at: When its loop last turned (UTC); None before the first turn.
        last_error: Text of the last error; it stays after the recovery.
        last_error_at: When that was (UTC).
        lag_s: How old the newest stored record is while there are more to read, or how long nothing could be read or
            stored, seconds; None where it has no meaning.
        lag_messages: How many records Kafka has that were not read; None where it has no meaning or is not known.
        memory_peak_bytes: The most memory that its process has taken since it began; None where it did not say.
    """

    name: str
    collector: str
    state: WorkerState
    since: datetime
    reported_at: datetime
    turned_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    lag_s: float | None = None
    lag_messages: int | None = None
    memory_peak_bytes: int | None = None


class AlreadyStartedError(RuntimeError):
    """A worker is started once in its life."""
