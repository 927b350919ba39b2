"""One queue per endpoint, shared by poller and commands, because controllers have one thread (contract 10.1)."""

import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from services.errors import BusyError, NotReachableError

T = TypeVar("T")


class GaveWayError(BusyError):
    """A poll was not made because one of the console's own jobs goes first; nothing is wrong."""


class _Job(Generic[T]):
    """Something to do, and the future of its result."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.future: Future[T] = Future()

    def run(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.work()
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever waits for the future
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Endpoint:
    """Does one thing after the other: commands first, at most one poll waiting.

    Its thread starts with the first job.
    """

    def __init__(self, address: str) -> None:
        """Remember the address, ``host:port``."""
        self.address = address
        self._condition = threading.Condition()
        self._commands: deque[_Job[Any]] = deque()
        self._poll: _Job[Any] | None = None
        self._commanding = False
        self._closed = False
        self._thread: threading.Thread | None = None

    def command(self, work: Callable[[], T]) -> "Future[T]":
        """Queue a command; a poll that waits gives way and ends with GaveWayError."""
        job = _Job(work)
        with self._condition:
            self._refuse_closed()
            self._drop_poll("a command goes first")
            self._commands.append(job)
            self._started()
        return job.future

    def poll(self, work: Callable[[], T]) -> "Future[T]":
        """Queue a poll.

        Raises:
            GaveWayError: A command is under way or waits, or another poll waits.
        """
        job = _Job(work)
        with self._condition:
            self._refuse_closed()
            if self._commanding or self._commands:
                raise self._busy("a command is under way")
            if self._poll is not None:
                raise self._busy("an earlier poll waits")
            self._poll = job
            self._started()
        return job.future

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and no command runs."""
        with self._condition:
            return not (self._commanding or self._commands or self._poll)

    def close(self) -> None:
        """Take no more jobs and drop those that wait; the running one goes on to its end."""
        with self._condition:
            self._closed = True
            self._drop_poll("the console is stopping")
            while self._commands:
                self._commands.popleft().future.cancel()
            self._condition.notify_all()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread's end; return whether it came."""
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)
            return not thread.is_alive()
        return True

    def _started(self) -> None:
        if self._thread is None:
            name = f"run-control-endpoint-{self.address}"
            self._thread = threading.Thread(target=self._run, name=name, daemon=True)
            self._thread.start()
        self._condition.notify_all()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            job.run()

    def _next(self) -> _Job[Any] | None:
        with self._condition:
            self._commanding = False
            self._condition.wait_for(lambda: self._commands or self._poll or self._closed)
            if self._commands:
                self._commanding = True
                return self._commands.popleft()
            job, self._poll = self._poll, None
            return job

    def _drop_poll(self, why: str) -> None:
        if self._poll is not None:
            self._poll.future.set_exception(self._busy(why))
            self._poll = None

    def _refuse_closed(self) -> None:
        if self._closed:
            raise NotReachableError(f"Nothing is sent to {self.address}: the console is stopping.")

    def _busy(self, why: str) -> GaveWayError:
        return GaveWayError(f"{self.address} is busy: {why}.", next_step="Wait until it has ended.")


class Endpoints:
    """All queues, by address."""

    def __init__(self) -> None:
        """Start without any."""
        self._lock = threading.Lock()
        self._endpoints: dict[str, Endpoint] = {}
        self._closed = False

    def get(self, address: str) -> Endpoint:
        """Return the queue of an address, made on first use."""
        with self._lock:
            known = self._endpoints.get(address)
            if known is None:
                known = self._endpoints[address] = Endpoint(address)
                if self._closed:
                    known.close()
            return known

    def keep_only(self, used: Collection[str]) -> tuple[str, ...]:
        """Close idle queues of addresses that are no longer used; return those addresses."""
        with self._lock:
            gone = [address for address, queue in self._endpoints.items() if address not in used and queue.is_idle]
            closed = [self._endpoints.pop(address) for address in gone]
        for queue in closed:
            queue.close()
        return tuple(gone)

    def close(self) -> None:
        """Close all queues, and those made from now on."""
        with self._lock:
            self._closed = True
            queues = list(self._endpoints.values())
        for queue in queues:
            queue.close()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end of all threads; return whether all ended."""
        with self._lock:
            queues = list(self._endpoints.values())
            self._endpoints.clear()
        deadline = time.monotonic() + timeout_s
        ended = [queue.join(max(0.0, deadline - time.monotonic())) for queue in queues]
        return all(ended)
