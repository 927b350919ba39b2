"""A value that is computed at most so often, whoever asks."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Timed(Generic[T]):
    """Keeps the answer of ``compute`` for ``keep_s`` seconds, for all threads of this process.

    One thread computes while the others wait for its answer, so that a crowd costs one query. ``monotonic`` returns
    seconds that only grow. An error is not kept: the next caller tries again.
    """

    def __init__(self, compute: Callable[[], T], keep_s: float, monotonic: Callable[[], float]) -> None:
        """Keep the collaborators; nothing is computed yet."""
        self._compute = compute
        self._keep_s = keep_s
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._kept: tuple[float, T] | None = None

    def get(self) -> T:
        """Return the value, computed anew if it is too old."""
        with self._lock:
            now = self._monotonic()
            if self._kept is None or now - self._kept[0] >= self._keep_s:
                self._kept = (now, self._compute())
            return self._kept[1]

    def renew(self) -> T:
        """Return the value, computed now: what is kept is known to be wrong."""
        with self._lock:
            self._kept = (self._monotonic(), self._compute())
            return self._kept[1]
