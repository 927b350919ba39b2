"""How long to wait between two polls of the same: shorter after a command, longer where nothing happens."""

import time
from collections.abc import Callable
from typing import Final

# After a command its consequences are looked for so long, at this part of the interval.
QUICK_FOR_S: Final = 5.0
QUICK_FACTOR: Final = 0.25
LEAST_S: Final = 0.2
# Where nothing changed for so long, polls come half as often. More would make states too old to act on
# (`commands.CommandLimits`: three intervals).
CALM_AFTER_S: Final = 60.0
CALM_FACTOR: Final = 2.0
# Of a server's time polls take at most this part, and half of it where that would make states too old.
SHARE: Final = 0.25


class Pace:
    """When the next poll of one thing is due; times are monotonic seconds.

    Its fields are single values: threads that meet in it cost each other one interval at most.
    """

    def __init__(self, interval_s: float, now: Callable[[], float] = time.monotonic) -> None:
        """Begin with a poll that is due at once; ``interval_s`` is the usual time from one to the next."""
        self._interval_s = interval_s
        self._now = now
        self._quick_until = self._changed_at = self._begun_at = now()
        self._due_at = now()

    @property
    def due_in_s(self) -> float:
        """Seconds until the next poll is due; 0 if it is."""
        return max(0.0, self._due_at - self._now())

    def hurry(self) -> None:
        """Look at once, and more often for a while: something was commanded."""
        self._quick_until = self._now() + QUICK_FOR_S
        self._due_at = self._now()

    def begin(self) -> None:
        """Note that a poll begins; the next is not due before this one has ended."""
        self._begun_at = self._now()
        self._due_at = self._begun_at + self._interval_s

    def end(self, *, changed: bool) -> None:
        """Note that the poll has ended, and whether it found anything new."""
        now = self._now()
        if changed:
            self._changed_at = now
        self._due_at = self._begun_at + self._next_s(now, now - self._begun_at)

    def _next_s(self, now: float, took_s: float) -> float:
        wanted = self._interval_s
        if now < self._quick_until:
            wanted = min(wanted, max(LEAST_S, self._interval_s * QUICK_FACTOR))
        elif now - self._changed_at >= CALM_AFTER_S:
            wanted = self._interval_s * CALM_FACTOR
        return min(max(wanted, took_s / SHARE), max(wanted, self._interval_s * CALM_FACTOR, took_s * 2))
