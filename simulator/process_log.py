"""The log of a simulated process."""

import threading
from collections import deque

MAX_LINES = 100_000


class ProcessLog:
    """The newest lines that a process wrote; lines have no line end here."""

    def __init__(self) -> None:
        """Start empty."""
        self._lines: deque[str] = deque(maxlen=MAX_LINES)
        self._lock = threading.Lock()

    def write(self, line: str) -> None:
        """Append a line."""
        with self._lock:
            self._lines.append(line)

    def tail(self, count: int) -> list[str]:
        """Return the last ``count`` lines, oldest first."""
        with self._lock:
            lines = list(self._lines)
        return lines[-count:] if count > 0 else []
