"""Polls drunc once per interval for all browsers together: the process manager, and every session in parallel."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from services.clock import Clock
from services.coordination import Fence, LeaseLostError
from services.errors import ConsoleError
from services.run_control.adapter import Adapters
from services.run_control.config import RunControlConfig
from services.run_control.connectivity import Connectivity
from services.run_control.endpoints import Endpoints, GaveWayError
from services.run_control.readings import BackendReading
from services.run_control.session_poll import SessionPoll, backend_reading
from services.run_control.store import RunControlStore
from services.run_control.types import BackendKind, Process

log = logging.getLogger(__name__)

# A controller's address that was not asked for so long is of no interest any more.
FORGET_BACKENDS_AFTER = timedelta(minutes=10)
# One for each session that does not answer at the same moment, and some.
MAX_THREADS = 64

# Process name → tree id, by session.
Listed = Mapping[str, Mapping[str, str | None]]


class Poller:
    """Starts one task for the process manager and one for each session in every turn, and never two of the same."""

    def __init__(
        self,
        config: RunControlConfig,
        *,
        adapters: Adapters,
        endpoints: Endpoints,
        store: RunControlStore,
        clock: Clock,
        on_error: Callable[[str], None],
    ) -> None:
        """Keep the collaborators; ``on_error`` is told the text of every error of the console's own."""
        self._config = config
        self._adapters = adapters
        self._endpoints = endpoints
        self._store = store
        self._clock = clock
        self._on_error = on_error
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._busy: set[str | None] = set()
        self._again: set[str | None] = set()
        self._polls: dict[str, SessionPoll] = {}
        self._fence: Fence | None = None
        self._listed: Listed | None = None
        self._saved: tuple[Process, ...] | None = None
        self._tidied_at = 0.0

    @property
    def sessions(self) -> int:
        """How many sessions are polled."""
        with self._lock:
            return len(self._polls)

    def turn(self, fence: Fence) -> None:
        """Start everything that is due and not still under way; returns at once."""
        if fence != self._fence:
            self._begin(fence)
        self._start(fence, None)
        with self._lock:
            names = list(self._polls)
        for name in names:
            self._start(fence, name)
        self._tidy(fence)

    def poke(self, session: str | None) -> None:
        """Poll a session, or the process manager (None), at once, or again when the poll under way has ended."""
        fence = self._fence
        if fence is not None:
            self._start(fence, session, again=True)

    def poll_processes(self, fence: Fence) -> None:
        """Ask the process manager once and write what it lists; sessions it lists anew are polled at once."""
        address = self._config.process_manager_address
        started = time.monotonic()
        try:
            processes = self._ask_processes(address)
        except GaveWayError:
            return
        except ConsoleError as error:
            self._store.save_backend(fence, self._process_manager(None, error))
            return
        backend = self._process_manager(started, None)
        if processes == self._saved:
            self._store.save_seen(fence, backend)
        else:
            self._store.save_processes(fence, processes, backend)
            self._saved = processes
        self._list(fence, processes)

    def poll_session(self, fence: Fence, name: str) -> None:
        """Poll a session once and write what was found; one that is gone is polled no more."""
        with self._lock:
            poll = self._polls.get(name)
        if poll is None:
            return
        listed = self._listed
        reading = poll.turn((listed or {}).get(name, {}))
        if reading is None:
            return
        if reading.gone and (listed is None or name in listed or name == self._config.default_session):
            # Its processes are there, or may be.
            reading = reading.kept()
        self._store.save_session(fence, reading)
        if reading.gone:
            self._drop(name)

    def stop(self, timeout_s: float) -> bool:
        """Start nothing more and wait for what is under way; return whether it ended in time."""
        with self._lock:
            executor, self._executor = self._executor, None
            self._fence = None
        if executor is None:
            return True
        executor.shutdown(wait=False)
        ended = self._wait_idle(timeout_s)
        with self._lock:
            polls, self._polls = list(self._polls.values()), {}
        for poll in polls:
            poll.close()
        return ended

    def _wait_idle(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        pause = threading.Event()
        while self._busy and time.monotonic() < deadline:
            pause.wait(0.01)
        return not self._busy

    def _begin(self, fence: Fence) -> None:
        """Forget everything: what another worker wrote meanwhile is not known here."""
        names = {*self._store.present_sessions()} | ({self._config.default_session} - {None})
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="run-control-poll")
            self._fence = fence
            self._listed = self._saved = None
            old, self._polls = self._polls, {name: self._new_poll(name) for name in names if name}
        for poll in old.values():
            poll.close()

    def _new_poll(self, name: str) -> SessionPoll:
        return SessionPoll(
            name,
            connectivity=Connectivity(self._config.connectivity_address, self._config.rpc_deadline_s),
            adapters=self._adapters,
            endpoints=self._endpoints,
            user=self._config.service_user,
            clock=self._clock,
        )

    def _drop(self, name: str) -> None:
        with self._lock:
            poll = self._polls.pop(name, None)
        if poll is not None:
            poll.close()

    def _ask_processes(self, address: str) -> tuple[Process, ...]:
        adapter = self._adapters.process_manager(address)
        return self._endpoints.get(address).poll(lambda: adapter.processes(self._config.service_user)).result()

    def _process_manager(self, started: float | None, error: ConsoleError | None) -> BackendReading:
        address = self._config.process_manager_address
        generation = self._adapters.process_manager(address).generation
        return backend_reading(
            BackendKind.PROCESS_MANAGER, address, self._clock(), started=started, error=error, generation=generation
        )

    def _list(self, fence: Fence, processes: tuple[Process, ...]) -> None:
        listed: dict[str, dict[str, str | None]] = {}
        for process in processes:
            if process.session:
                listed.setdefault(process.session, {})[process.name] = process.tree_id
        self._listed = listed
        with self._lock:
            new = [name for name in listed if name not in self._polls]
            self._polls |= {name: self._new_poll(name) for name in new}
        for name in new:
            self._start(fence, name)

    def _start(self, fence: Fence, name: str | None, *, again: bool = False) -> None:
        """Start the task of a session, or of the process manager (None), unless it is still under way."""
        with self._lock:
            if self._executor is None or (name is not None and name not in self._polls):
                return
            if name in self._busy:
                self._again |= {name} if again else set()
                return
            self._busy.add(name)
            self._executor.submit(self._task, fence, name)

    def _task(self, fence: Fence, name: str | None) -> None:
        try:
            if name is None:
                self.poll_processes(fence)
            else:
                self.poll_session(fence, name)
        except LeaseLostError as error:
            log.info("poll=%s lease lost: %s", name, error)
        except Exception as error:
            log.exception("poll=%s failed", name)
            self._on_error(f"Polling {name or 'the process manager'} failed: {error}")
        finally:
            self._done(fence, name)

    def _done(self, fence: Fence, name: str | None) -> None:
        with self._lock:
            self._busy.discard(name)
            again = name in self._again
            self._again.discard(name)
        if again:
            self._start(fence, name)

    def _tidy(self, fence: Fence) -> None:
        """Now and then close the queues and forget the addresses of controllers that are no more."""
        if time.monotonic() - self._tidied_at < FORGET_BACKENDS_AFTER.total_seconds() / 10:
            return
        self._tidied_at = time.monotonic()
        with self._lock:
            used = {address for poll in self._polls.values() for address in poll.used_addresses}
        for address in self._endpoints.keep_only(used | {self._config.process_manager_address}):
            self._adapters.forget(address)
        self._store.remove_controllers(fence, self._clock() - FORGET_BACKENDS_AFTER)
