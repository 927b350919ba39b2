"""How long a program lives."""

import os
import select
import signal
from types import FrameType

_PARENT_CHECK_S = 0.5


class Lifetime:
    """From its making until SIGTERM, SIGINT or, if wanted, the end of the parent process.

    Make it first thing: what comes before ``wait`` is not interrupted, only followed by the end.
    """

    def __init__(self, *, with_parent: bool) -> None:
        """Catch the signals from now on."""
        self._parent = os.getppid() if with_parent else None
        # A pipe, because a handler may not take the lock of an event that the main thread just holds.
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)

    def wait(self) -> None:
        """Return when it is time to end."""
        while self._parent in (None, os.getppid()):
            ready, _, _ = select.select([self._reader], [], [], _PARENT_CHECK_S)
            if ready:
                return

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        os.write(self._writer, b"x")
