"""Counts and rates of the consumer since its start, for its health."""

import time
from collections.abc import Mapping

from services.clock import Clock
from services.messages.batch import Accepted, Batch, Measured
from services.messages.store import Stored

# Weight of the newest second in the rate: it follows within some five seconds.
_NEWEST = 0.4


class Meter:
    """Adds up what was stored; written by the consumer's thread only."""

    def __init__(self, clock: Clock) -> None:
        """Start at zero."""
        self._clock = clock
        self._counts = {"stored": 0, "quarantined": 0, "echo": 0, "duplicates": 0, "measurements": 0}
        self._seen = 0
        self._measured_seen = 0
        self._measured_at = time.monotonic()
        self._rate = 0.0
        self._lag = 0
        self._newest_ms: int | None = None
        self._good_at = clock()
        self._is_halted = False

    def add(self, stored: Stored, batch: Batch) -> None:
        """Count what became of a batch."""
        self._counts["stored"] += stored.stored
        self._counts["quarantined"] += stored.quarantined
        self._counts["echo"] += stored.echo
        self._counts["duplicates"] += stored.duplicates
        self._counts["measurements"] += stored.measurements
        self._seen += stored.stored + stored.quarantined + stored.echo + stored.measurements
        items: list[Accepted | Measured] = [*batch.accepted, *batch.measured]
        times = [item.record.timestamp_ms for item in items if item.record.timestamp_ms is not None]
        if times:
            self._newest_ms = max(times)

    def measure(self, lag: int) -> None:
        """Take the lag (messages), and the rate since the last time."""
        now = time.monotonic()
        elapsed_s = max(now - self._measured_at, 0.001)
        rate = (self._seen - self._measured_seen) / elapsed_s
        self._rate += _NEWEST * (rate - self._rate)
        self._measured_at, self._measured_seen = now, self._seen
        self._lag = lag

    def halt(self) -> None:
        """Nothing can be read or stored: what is known of the lag says nothing from now on."""
        self._is_halted = True

    def go_on(self) -> None:
        """Reading and storing works."""
        self._is_halted = False
        self._good_at = self._clock()

    def details(self) -> Mapping[str, int | float | str | None]:
        """Return the counts, ``rate_per_s``, ``lag_messages`` and ``lag_s``."""
        return {
            **self._counts,
            "rate_per_s": round(self._rate, 1),
            "lag_messages": None if self._is_halted else self._lag,
            "lag_s": self._lag_s(),
        }

    def _lag_s(self) -> float | None:
        """Return how old the newest stored record is while there are more to read; 0 when there are none.

        While nothing can be read or stored it is how long that has been so, if that is more.
        """
        halted_s = (self._clock() - self._good_at).total_seconds() if self._is_halted else 0.0
        if self._lag and self._newest_ms is None and not self._is_halted:
            return None
        behind_s = self._clock().timestamp() - self._newest_ms / 1_000 if self._lag and self._newest_ms else 0.0
        return round(max(behind_s, halted_s, 0.0), 1)
