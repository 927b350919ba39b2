"""Tasks by key, each in a thread of a pool, and never two of the same key at once."""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from services.coordination import Fence, LeaseLostError

log = logging.getLogger(__name__)

K = TypeVar("K", bound=Hashable)

# One for each session that does not answer at the same moment, and some.
MAX_THREADS = 64


class Tasks(Generic[K]):
    """Starts a task unless it is still under way."""

    def __init__(self, do: Callable[[Fence, K], None], on_error: Callable[[str], None]) -> None:
        """Keep what to ``do`` for a key in a tour of duty; ``on_error`` is told the text of every unexpected error."""
        self._do = do
        self._on_error = on_error
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._busy: set[K] = set()
        self._again: set[K] = set()

    @property
    def under_way(self) -> int:
        """How many tasks are under way."""
        with self._lock:
            return len(self._busy)

    def open(self) -> None:
        """Take tasks from now on; nothing happens if it does already."""
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="run-control-poll")

    def start(self, fence: Fence, key: K, *, again: bool = False) -> bool:
        """Start a task; one under way is started again when it has ended, if ``again``. Return whether it started."""
        with self._lock:
            if self._executor is None:
                return False
            if key in self._busy:
                self._again |= {key} if again else set()
                return False
            self._busy.add(key)
            self._executor.submit(self._run, fence, key)
            return True

    def stop(self, timeout_s: float) -> bool:
        """Start nothing more and wait for what is under way; return whether it ended in time."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False)
        deadline = time.monotonic() + timeout_s
        pause = threading.Event()
        while self._busy and time.monotonic() < deadline:
            pause.wait(0.01)
        return not self._busy

    def _run(self, fence: Fence, key: K) -> None:
        try:
            self._do(fence, key)
        except LeaseLostError as error:
            log.info("poll=%s lease lost: %s", key, error)
        except Exception as error:
            log.exception("poll=%s failed", key)
            self._on_error(f"Polling {key} failed: {error}")
        finally:
            self._done(fence, key)

    def _done(self, fence: Fence, key: K) -> None:
        with self._lock:
            self._busy.discard(key)
            again = key in self._again
            self._again.discard(key)
        if again:
            self.start(fence, key)
