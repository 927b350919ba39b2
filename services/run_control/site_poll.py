"""One poll of a site's own services: session manager, run control service, and whom the connectivity service knows."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from services.clock import Clock
from services.errors import ConsoleError, NotReachableError, NotSupportedError
from services.run_control.adapter import Adapters, SessionManagerAdapter
from services.run_control.backend_types import BackendKind
from services.run_control.directories import Directory
from services.run_control.endpoints import Endpoints, GaveWayError
from services.run_control.readings import BackendReading, SiteReading, backend_reading
from services.run_control.session_types import ActiveSession, Configuration

T = TypeVar("T")

GRPC = "grpc://"
# Under this name a session manager describes itself (contract 5.3). Where it publishes its address, it is under this,
# as all others do with theirs: in a session of the same name, or in one of those that are run (inferred).
SESSION_MANAGER = "session_manager"
# The connectivity service makes a page for people of everything it knows, and may resolve every host's name for it.
LOOK_AROUND_EVERY = timedelta(seconds=30)
CONFIGURATIONS_EVERY = timedelta(seconds=60)


class SiteDirectory(Directory, Protocol):
    """A connectivity service that can also be asked which sessions it may know."""

    def candidates(self) -> frozenset[str]:
        """Return what may be names of sessions."""


class SitePoll:
    """Polls the services that a site has once, turn by turn, never two turns at once."""

    def __init__(
        self,
        *,
        session_manager: str | None,
        run_control_service: str | None,
        connectivity: SiteDirectory,
        adapters: Adapters,
        endpoints: Endpoints,
        user: str,
        clock: Clock,
    ) -> None:
        """Keep the collaborators and addresses, ``host:port``; a session manager without one is looked for."""
        self._session_manager = session_manager
        self._run_control_service = run_control_service
        self._connectivity = connectivity
        self._adapters = adapters
        self._endpoints = endpoints
        self._user = user
        self._clock = clock
        self._found: str | None = None
        self._looked_at: datetime | None = None
        self._configured_at: datetime | None = None
        self._backends: list[BackendReading] = []

    @property
    def used_addresses(self) -> frozenset[str]:
        """Addresses of the services that are asked."""
        known = (self._session_manager, self._found, self._run_control_service)
        return frozenset(address for address in known if address)

    def turn(self) -> SiteReading:
        """Ask once; whoever does not answer keeps nobody else from being asked."""
        self._backends = []
        published = self._look_around()
        address = self._session_manager or self._found
        sessions = configurations = None
        if address is not None:
            sessions, configurations = self._ask_session_manager(address)
        if self._run_control_service is not None:
            self._check_run_control(self._run_control_service)
        return SiteReading(tuple(self._backends), sessions, configurations, published)

    def close(self) -> None:
        """Close what is kept open."""
        self._connectivity.close()

    def _look_around(self) -> frozenset[str] | None:
        """Ask the connectivity service for session manager and sessions, now and then; None where it was not asked."""
        now = self._clock()
        if self._looked_at is not None and now - self._looked_at < LOOK_AROUND_EVERY:
            return None
        self._looked_at = now
        try:
            published = {name: self._connectivity.lookup(name) for name in self._connectivity.candidates()}
            if self._session_manager is None:
                self._found = _session_manager_in(published)
        except ConsoleError:
            # Every session's poll asks the service and notes its errors.
            return None
        return frozenset(name for name, found in published.items() if _has_controllers(found))

    def _ask_session_manager(
        self, address: str
    ) -> tuple[tuple[ActiveSession, ...] | None, tuple[Configuration, ...] | None]:
        manager = self._adapters.session_manager(address)
        started = time.monotonic()
        try:
            sessions = self._ask(address, lambda: manager.sessions(self._user))
            configurations = self._ask_configurations(address, manager)
        except GaveWayError:
            return None, None
        except ConsoleError as error:
            self._observe(BackendKind.SESSION_MANAGER, address, error=error)
            if isinstance(error, NotReachableError):
                # It may be somewhere else by now: no address is kept for ever (contract 21.1).
                self._looked_at = None
            return None, None
        self._observe(BackendKind.SESSION_MANAGER, address, started=started, generation=manager.generation)
        return sessions, configurations

    def _ask_configurations(self, address: str, manager: SessionManagerAdapter) -> tuple[Configuration, ...] | None:
        now = self._clock()
        if self._configured_at is not None and now - self._configured_at < CONFIGURATIONS_EVERY:
            return None
        try:
            found = self._ask(address, lambda: manager.configurations(self._user))
        except NotSupportedError:
            # The first ones could not; the sessions are listed all the same.
            found = ()
        self._configured_at = now
        return found

    def _ask(self, address: str, work: Callable[[], T]) -> T:
        return self._endpoints.get(address).poll(work).result()

    def _check_run_control(self, address: str) -> None:
        """Find out whether somebody listens: the service has no call that does nothing (contract 6.5)."""
        service = self._adapters.run_control_service(address)
        started = time.monotonic()
        try:
            service.check()
        except ConsoleError as error:
            self._observe(BackendKind.RUN_CONTROL_SERVICE, address, error=error)
        else:
            self._observe(BackendKind.RUN_CONTROL_SERVICE, address, started=started, generation=service.generation)

    def _observe(
        self,
        kind: BackendKind,
        address: str,
        *,
        started: float | None = None,
        error: ConsoleError | None = None,
        generation: str | None = None,
    ) -> None:
        self._backends.append(
            backend_reading(kind, address, self._clock(), started=started, error=error, generation=generation)
        )


def _session_manager_in(published: Mapping[str, Mapping[str, str]]) -> str | None:
    """Return where a session manager listens, ``host:port``: its own entry before one in some session."""
    own = published.get(SESSION_MANAGER, {})
    for found in (own, *published.values()):
        uri = found.get(SESSION_MANAGER, "")
        if uri.startswith(GRPC):
            return uri.removeprefix(GRPC)
    return None


def _has_controllers(found: Mapping[str, str]) -> bool:
    return any(uri.startswith(GRPC) for name, uri in found.items() if name != SESSION_MANAGER)
