"""Polls drunc once for all browsers together: process manager, the site's services, and every session in parallel."""

import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import StrEnum

from services.clock import Clock
from services.coordination import Fence
from services.errors import ConsoleError
from services.revisions import OvertakenError
from services.run_control.adapter import Adapters
from services.run_control.backend_types import BackendKind
from services.run_control.config import RunControlConfig
from services.run_control.connectivity import Connectivity
from services.run_control.directories import SessionDirectory
from services.run_control.discovery import Discovery
from services.run_control.endpoints import Endpoints, GaveWayError
from services.run_control.pacing import Pace
from services.run_control.process_types import Process
from services.run_control.readings import BackendReading, backend_reading
from services.run_control.session_poll import SessionPoll
from services.run_control.site_poll import SitePoll
from services.run_control.store import RunControlStore
from services.run_control.tasks import Tasks

# A controller's address that was not asked for so long is of no interest any more.
FORGET_BACKENDS_AFTER = timedelta(minutes=10)
# The site's services change rarely, and have one thread (contract 15).
SITE_INTERVALS = 5


class Site(StrEnum):
    """What is polled beside sessions; these are no names that a session can have (contract 3)."""

    PROCESSES = "the process manager"
    SERVICES = "the site's services"


class Poller:
    """Starts what is due: one task for the process manager, one for the site, one for each session."""

    def __init__(
        self,
        config: RunControlConfig,
        *,
        adapters: Adapters,
        endpoints: Endpoints,
        store: RunControlStore,
        clock: Clock,
        on_error: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the collaborators; ``on_error`` is told the text of every error of the console's own.

        ``now`` gives the seconds by which polls fall due.
        """
        self._config = config
        self._adapters = adapters
        self._endpoints = endpoints
        self._store = store
        self._clock = clock
        self._now = now
        self._tasks: Tasks[str] = Tasks(self._poll, on_error)
        self._lock = threading.Lock()
        self._polls: dict[str, SessionPoll] = {}
        self._paces: dict[str, Pace] = {}
        self._site: SitePoll | None = None
        self._fence: Fence | None = None
        self._discovery = Discovery(config.default_session)
        # What was written last, and the revision of it.
        self._saved: tuple[tuple[Process, ...], int] | None = None
        self._tidied_at = 0.0

    @property
    def sessions(self) -> int:
        """How many sessions are polled."""
        with self._lock:
            return len(self._polls)

    @property
    def under_way(self) -> int:
        """How many polls are under way."""
        return self._tasks.under_way

    def turn(self, fence: Fence) -> float:
        """Start everything that is due and not still under way; return the seconds until more is due, at once."""
        if fence != self._fence:
            self._begin(fence)
        with self._lock:
            paces = dict(self._paces)
        for key, pace in paces.items():
            if pace.due_in_s == 0.0:
                self._start(fence, key)
        self._tidy(fence)
        return min(pace.due_in_s for pace in paces.values())

    def poke(self, session: str | None) -> None:
        """Poll a session, or the process manager (None), at once, or again when the poll under way has ended."""
        key = Site.PROCESSES if session is None else session
        with self._lock:
            fence, pace = self._fence, self._paces.get(key)
        if fence is not None and pace is not None:
            pace.hurry()
            self._start(fence, key, again=True)

    def poll_processes(self, fence: Fence) -> bool:
        """Ask the process manager once and write what it lists; sessions it lists anew are polled at once.

        What it told before a command changed the processes is not written: it is asked again.
        """
        address = self._config.process_manager_address
        since = self._store.revision_of_processes()
        started = time.monotonic()
        try:
            processes = self._ask_processes(address)
        except GaveWayError:
            return False
        except ConsoleError as error:
            return self._store.save_backend(fence, self._process_manager(None, error))
        backend = self._process_manager(started, None)
        if (processes, since) == self._saved:
            self._store.save_seen(fence, backend)
            return False
        try:
            changed = self._store.save_processes(fence, processes, backend, since)
        except OvertakenError:
            self.poke(None)
            return True
        # The table has changed by one revision; if it was only the address, the next list is written once more.
        self._saved = processes, since + changed
        self._discovery.note_processes(processes)
        self._add_sessions(fence)
        return changed

    def poll_site(self, fence: Fence) -> bool:
        """Ask the site's services once and write what they tell; sessions they tell of anew are polled at once."""
        site = self._site
        if site is None:
            return False
        reading = site.turn()
        if reading.sessions is not None:
            self._discovery.note_sessions(reading.sessions)
        if reading.published is not None:
            self._discovery.note_published(reading.published)
        changed = self._store.save_site(fence, reading)
        self._add_sessions(fence)
        return changed

    def poll_session(self, fence: Fence, name: str) -> bool:
        """Poll a session once and write what was found; one that is gone is polled no more."""
        with self._lock:
            poll = self._polls.get(name)
        if poll is None:
            return False
        discovery = self._discovery
        reading = poll.turn(discovery.listed(name))
        if reading is None:
            return False
        if reading.unpublished:
            discovery.note_unpublished(name)
        reading = reading.known_by(discovery.origin(name), all_asked=discovery.is_complete)
        changed = self._store.save_session(fence, reading)
        if reading.gone:
            self._drop(name)
        return changed

    def stop(self, timeout_s: float) -> bool:
        """Start nothing more and wait for what is under way; return whether it ended in time."""
        with self._lock:
            self._fence = None
        ended = self._tasks.stop(timeout_s)
        self._close_polls()
        return ended

    def _begin(self, fence: Fence) -> None:
        """Forget everything: what another worker wrote meanwhile is not known here."""
        discovery = Discovery(self._config.default_session)
        names = {*self._store.present_sessions()} | discovery.names
        self._close_polls()
        self._tasks.open()
        interval_s = self._config.poll_interval_s
        with self._lock:
            self._fence = fence
            self._discovery, self._saved = discovery, None
            self._site = self._new_site()
            self._polls = {name: self._new_poll(name) for name in names}
            self._paces = {name: Pace(interval_s, self._now) for name in names} | {
                Site.PROCESSES: Pace(interval_s, self._now),
                Site.SERVICES: Pace(interval_s * SITE_INTERVALS, self._now),
            }

    def _close_polls(self) -> None:
        with self._lock:
            polls: list[SessionPoll | SitePoll] = [*self._polls.values()]
            polls += [self._site] if self._site else []
            self._polls, self._paces, self._site = {}, {}, None
        for poll in polls:
            poll.close()

    def _new_site(self) -> SitePoll:
        return SitePoll(
            session_manager=self._config.session_manager_address,
            run_control_service=self._config.run_control_address,
            connectivity=self._connected(self._config.connectivity_address),
            adapters=self._adapters,
            endpoints=self._endpoints,
            user=self._config.service_user,
            clock=self._clock,
        )

    def _new_poll(self, name: str) -> SessionPoll:
        own: Mapping[str, str] = self._config.connectivity_by_session
        return SessionPoll(
            name,
            connectivity=SessionDirectory(own.get(name, self._config.connectivity_address), self._connected),
            adapters=self._adapters,
            endpoints=self._endpoints,
            user=self._config.service_user,
            clock=self._clock,
        )

    def _connected(self, address: str) -> Connectivity:
        return Connectivity(address, self._config.rpc_deadline_s)

    def _add_sessions(self, fence: Fence) -> None:
        with self._lock:
            if self._fence != fence:
                return
            new = [name for name in self._discovery.names if name not in self._polls]
            self._polls |= {name: self._new_poll(name) for name in new}
            self._paces |= {name: Pace(self._config.poll_interval_s, self._now) for name in new}
        for name in new:
            self._start(fence, name)

    def _drop(self, name: str) -> None:
        with self._lock:
            poll = self._polls.pop(name, None)
            self._paces.pop(name, None)
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

    def _start(self, fence: Fence, key: str, *, again: bool = False) -> None:
        self._tasks.start(fence, key, again=again)

    def _poll(self, fence: Fence, key: str) -> None:
        """Poll one thing, and settle when the next poll of it is due."""
        with self._lock:
            pace = self._paces.get(key)
        if pace is None:
            return
        pace.begin()
        changed = False
        try:
            match key:
                case Site.PROCESSES:
                    changed = self.poll_processes(fence)
                case Site.SERVICES:
                    changed = self.poll_site(fence)
                case _:
                    changed = self.poll_session(fence, key)
        finally:
            pace.end(changed=changed)

    def _tidy(self, fence: Fence) -> None:
        """Now and then close the queues and forget the addresses of controllers that are no more."""
        if time.monotonic() - self._tidied_at < FORGET_BACKENDS_AFTER.total_seconds() / 10:
            return
        self._tidied_at = time.monotonic()
        with self._lock:
            polls: list[SessionPoll | SitePoll] = [*self._polls.values()]
            polls += [self._site] if self._site else []
        used = {address for poll in polls for address in poll.used_addresses}
        for address in self._endpoints.keep_only(used | {self._config.process_manager_address}):
            self._adapters.forget(address)
        self._store.remove_controllers(fence, self._clock() - FORGET_BACKENDS_AFTER)
