"""Plain data of the application tree: its nodes, and parts of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Target:
    """Which part of the tree a controller command is for (contract section 11).

    Attributes:
        path: Names from the addressed controller on, joined by ``/``, its own first; empty for the controller itself.
        along_path: Whether nodes on the way execute, too; None for what the shells send.
        all_children: Whether everything below the end of the path does; None for what the shells send.
    """

    path: str = ""
    along_path: bool | None = None
    all_children: bool | None = None


class NodeKind(StrEnum):
    """What a node of the application tree is."""

    CONTROLLER = "controller"
    APPLICATION = "application"


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a session's application tree.

    Attributes:
        path: Names from the root, joined by ``/``; unique in the session.
        depth: 0 for the root.
        state: FSM state without G1's brackets; None while unknown.
        sub_state: Sub-state; equals the state when idle.
        in_error: The node's own error latch.
        included: Whether FSM commands reach it.
        endpoint: ``grpc://…`` or ``rest://…`` from the connectivity service.
        seen_at: When this status was read; None if never.
        holder: Who holds control of a controller below the root, since ``holder_since``; empty for nobody, None while
            unknown and for applications, which nobody owns.
        detector: What part of the detector the node says it reads (contract 10.2); empty for none.
    """

    path: str
    name: str
    kind: NodeKind
    depth: int
    state: str | None = None
    sub_state: str | None = None
    in_error: bool | None = None
    included: bool | None = None
    endpoint: str | None = None
    state_since: datetime | None = None
    seen_at: datetime | None = None
    holder: str | None = None
    holder_since: datetime | None = None
    detector: str = ""
