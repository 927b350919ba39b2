"""Plain data of processes: what the process manager lists, and what it is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ProcessStatus(StrEnum):
    """Status of a process (contract 4.3)."""

    RUNNING = "RUNNING"
    DEAD = "DEAD"


@dataclass(frozen=True, slots=True)
class Process:
    """One process of the process manager.

    ``return_code`` is None unless the process is dead: zero and "not set" are the same bytes (contract 22.4).
    ``first_seen_at`` and ``ended_at`` are None straight from the adapter; the database knows them. ``connectivity``
    is the connectivity service that its environment names, ``host:port``, straight from the adapter only.
    """

    uuid: str
    name: str
    session: str
    user: str
    hostname: str
    status: ProcessStatus
    return_code: int | None = None
    tree_id: str | None = None
    first_seen_at: datetime | None = None
    ended_at: datetime | None = None
    connectivity: str | None = None


@dataclass(frozen=True, slots=True)
class ProcessQuery:
    """Which processes of the process manager are meant: those that match **any** of it (contract 9.2).

    Attributes:
        uuids: Exact.
        names: Exact names; the adapter makes the anchored regular expressions of the wire of them.
        patterns: Regular expressions, unanchored, as experts write them.
        session: Exact; None for no condition.
        user: Exact; None for no condition.
    """

    uuids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    session: str | None = None
    user: str | None = None


EVERY_PROCESS = ProcessQuery(patterns=(".*",))


@dataclass(frozen=True, slots=True)
class BootOrder:
    """One process to boot (contract 4.3 ``BootRequest``, 9.3).

    Attributes:
        name: Name of the process.
        session: Its session.
        user: The user under whose name it runs.
        commands: Programs, each with its arguments, run one after the other.
        environment: Environment variables.
        directory: Where it is executed.
        log_path: Where its output goes.
        hosts: Hosts to try, in order.
        tree_id: Place in the tree; None for hand-made processes.
    """

    name: str
    session: str
    user: str
    commands: tuple[tuple[str, ...], ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    log_path: str = ""
    hosts: tuple[str, ...] = ("localhost",)
    tree_id: str | None = None
