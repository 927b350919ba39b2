"""What one poll found, before it is compared with the rows."""

import time
from dataclasses import dataclass, replace
from datetime import datetime

from services.errors import BusyError, ConsoleError, NotReachableError
from services.run_control.adapter import NodeStatus
from services.run_control.backend_types import BackendKind
from services.run_control.fsm_types import Sequence, Transition
from services.run_control.node_types import Node
from services.run_control.session_types import ActiveSession, Configuration, SessionSource


@dataclass(frozen=True, slots=True)
class BackendReading:
    """How one address answered. ``reachable`` is None when it is busy: that changes nothing of what is known."""

    kind: BackendKind
    address: str
    at: datetime
    reachable: bool | None
    generation: str | None = None
    latency_ms: float | None = None
    error: str | None = None


def backend_reading(
    kind: BackendKind,
    address: str,
    at: datetime,
    *,
    started: float | None,
    error: ConsoleError | None,
    generation: str | None,
) -> BackendReading:
    """Return how an address answered: a busy one is neither there nor gone, one that answers nonsense is there."""
    if error is None:
        latency_ms = None if started is None else (time.monotonic() - started) * 1000
        return BackendReading(kind, address, at, reachable=True, generation=generation or None, latency_ms=latency_ms)
    reachable = None if isinstance(error, BusyError) else not isinstance(error, NotReachableError)
    return BackendReading(kind, address, at, reachable=reachable, generation=generation or None, error=error.message)


@dataclass(frozen=True, slots=True)
class Origin:
    """Who knows of a session, and what they tell of it: ``owner`` and ``configuration`` are None where nobody does."""

    sources: frozenset[SessionSource] = frozenset()
    owner: str | None = None
    configuration: Configuration | None = None


@dataclass(frozen=True, slots=True)
class SiteReading:
    """What one poll of the site's own services found; None where nothing was asked or nobody answered.

    Attributes:
        backends: The addresses that were asked.
        sessions: What the session manager lists.
        configurations: What can be booted.
        published: Sessions with controllers in the connectivity service.
    """

    backends: tuple[BackendReading, ...] = ()
    sessions: tuple[ActiveSession, ...] | None = None
    configurations: tuple[Configuration, ...] | None = None
    published: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class RootReading:
    """What the root controller told. ``transitions``, ``sequences`` and ``possible`` are as last told."""

    name: str
    address: str
    generation: str
    status: NodeStatus
    holder: str
    transitions: tuple[Transition, ...]
    possible: tuple[str, ...]
    sequences: tuple[Sequence, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionReading:
    """What one poll of a session found.

    Attributes:
        name: The session.
        at: When the poll began.
        root: What the root controller told; None if it did not answer, ``error`` says why.
        nodes: The tree; a node without ``seen_at`` was not heard of this time.
        error: Why the root controller was not heard of.
        gone: The session does not exist any more, unless somebody else knows of it.
        unpublished: The connectivity service does not know its root controller.
        backends: The addresses that were asked.
        origin: Who knows of the session.
    """

    name: str
    at: datetime
    root: RootReading | None = None
    nodes: tuple[Node, ...] = ()
    error: str | None = None
    gone: bool = False
    unpublished: bool = False
    backends: tuple[BackendReading, ...] = ()
    origin: Origin = Origin()

    def known_by(self, origin: Origin, *, all_asked: bool) -> "SessionReading":
        """Return the same reading with who knows of the session; only one that nobody of all knows of is gone."""
        return replace(self, origin=origin, gone=self.gone and all_asked and not origin.sources)
