"""What one poll found, before it is compared with the rows."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.run_control.adapter import NodeStatus
from services.run_control.types import BackendKind, Node, Sequence, Transition


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
        gone: The session does not exist any more.
        backends: The addresses that were asked.
    """

    name: str
    at: datetime
    root: RootReading | None = None
    nodes: tuple[Node, ...] = ()
    error: str | None = None
    gone: bool = False
    backends: tuple[BackendReading, ...] = ()

    def kept(self) -> "SessionReading":
        """Return the same reading of a session that is to stay."""
        return replace(self, gone=False)
