"""What workers share: a thread that turns, and a board that says how it goes."""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from services.clock import Clock
from services.health import AlreadyStartedError, WorkerHealth, WorkerState

log = logging.getLogger(__name__)

# After an error nobody expected, so that a fault that stays does not burn the processor.
PAUSE_AFTER_FAULT_S = 1.0


class Board:
    """The state of one worker, written by its thread and read by any."""

    def __init__(self, name: str, clock: Clock) -> None:
        """Begin as ``starting``."""
        self._name = name
        self._clock = clock
        self._lock = threading.Lock()
        self._health = WorkerHealth(name, "starting")

    def turned(self, state: WorkerState, details: Mapping[str, int | float | str | None]) -> None:
        """Note that the loop turned; the last error stays."""
        with self._lock:
            old = self._health
            self._health = WorkerHealth(
                self._name, state, self._clock(), old.last_error, old.last_error_at, dict(details)
            )
        if state == "ok" and old.state != "ok":
            log.info("works worker=%s", self._name)

    def erred(self, text: str, details: Mapping[str, int | float | str | None] | None = None) -> None:
        """Note a turn that ended with an error, in words for people; it is logged when it is news."""
        with self._lock:
            old = self._health
            now = self._clock()
            self._health = WorkerHealth(self._name, "degraded", now, text, now, dict(details or old.details))
        if old.state != "degraded" or old.last_error != text:
            log.warning("turn failed worker=%s error=%s", self._name, text)

    def stopped(self) -> None:
        """Note that the worker was stopped on purpose."""
        with self._lock:
            old = self._health
            self._health = WorkerHealth(
                self._name, "stopped", old.turned_at, old.last_error, old.last_error_at, old.details
            )

    def read(self) -> WorkerHealth:
        """Return the state as it is now."""
        with self._lock:
            return self._health


class Loop:
    """A named thread that calls ``turn`` until it is stopped; ``turn`` returns how long to pause, seconds."""

    def __init__(self, name: str, turn: Callable[[], float], board: Board, finish: Callable[[], None]) -> None:
        """Prepare; ``finish`` closes what turns open: after the last one, and after one that failed unexpectedly."""
        self._name = name
        self._turn = turn
        self._board = board
        self._finish = finish
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread is there."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the thread.

        Raises:
            AlreadyStartedError: It runs already.
        """
        if self.is_running:
            raise AlreadyStartedError(f"{self._name} runs already")
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Ask the thread to end and wait for it; nothing happens when it does not run.

        Raises:
            TimeoutError: It did not end in time; it will not keep the process from ending.
        """
        self._stopping.set()
        if self._thread is None:
            return
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            raise TimeoutError(f"{self._name} did not end within {timeout_s} s")
        self._thread = None
        self._board.stopped()

    def _run(self) -> None:
        pause_s = 0.0
        while not self._stopping.wait(pause_s):
            try:
                pause_s = self._turn()
            except Exception as error:
                log.exception("unexpected error worker=%s", self._name)
                self._board.erred(f"{type(error).__name__}: {error}")
                # Whatever it had open may be part of the trouble: the next turn opens it anew.
                self._close()
                pause_s = PAUSE_AFTER_FAULT_S
        self._close()

    def _close(self) -> None:
        try:
            self._finish()
        except Exception:
            log.exception("closing failed worker=%s", self._name)


class LoopWorker(ABC):
    """A worker whose work is one turn after another, in a thread of its own."""

    def __init__(self, name: str, clock: Clock) -> None:
        """Prepare; ``name`` is what the thread is called, and the worker where people see it."""
        self._board = Board(name, clock)
        self._loop = Loop(name, self.turn, self._board, self._finish)

    def start(self) -> None:
        """Start the thread.

        Raises:
            AlreadyStartedError: It runs already.
        """
        self._loop.start()

    def stop(self, timeout_s: float) -> None:
        """End the thread after the turn it is at.

        Raises:
            TimeoutError: It did not end in time.
        """
        self._loop.stop(timeout_s)

    def health(self) -> WorkerHealth:
        """Return how it goes."""
        return self._board.read()

    @abstractmethod
    def turn(self) -> float:
        """Do one turn. Returns seconds to pause before the next."""

    def _finish(self) -> None:  # noqa: B027 - most have nothing open
        """Close what turns open: after the last one, and after one that failed unexpectedly."""
