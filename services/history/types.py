"""Plain data of the history."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

# What a change is from and to: a state's name, an exit code, a rate, a flag; None for unknown or none.
Value = str | int | float | bool | None
# A transition's name and a node's path.
UsualKey = tuple[str, str]


class Source(StrEnum):
    """How the console learnt of a change."""

    POLL = "poll"
    BROADCAST = "broadcast"
    COMMAND = "command"


class Subject(StrEnum):
    """What changed."""

    SESSION = "session"
    NODE = "node"
    PROCESS = "process"
    RUN = "run"
    BACKEND = "backend"


class Aspect(StrEnum):
    """What of it changed.

    ``appeared`` and ``vanished`` have the state or status as new and old value; ``died`` has the exit code as new
    value, ``restarted`` the one before as old value. ``host`` tells where a process ran that vanished or moved.
    """

    APPEARED = "appeared"
    VANISHED = "vanished"
    DIED = "died"
    RESTARTED = "restarted"
    STATE = "state"
    SUB_STATE = "sub_state"
    IN_ERROR = "in_error"
    INCLUDED = "included"
    HOLDER = "who_is_in_charge"
    RUN_NUMBER = "run_number"
    RUN_TYPE = "run_type"
    TRIGGER_RATE = "trigger_rate"
    STORAGE_DISABLED = "disable_data_storage"
    REACHABLE = "reachable"
    HOST = "host"
    OWNER = "owner"
    CONFIGURATION = "configuration"
    CONFIGURATION_FILE = "configuration_file"


class TransitionOutcome(StrEnum):
    """What came of a transition, of the session or of one node."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Change:
    """One observed change.

    Attributes:
        id: Grows with the order in which changes were noted.
        at: Best known time of the change, UTC.
        noted_at: When the console learnt of it.
        source: Where ``at`` comes from.
        session: The session; None for what belongs to none.
        subject: What changed.
        name: A node's path, a process's name, a backend's kind and address, or the session.
        aspect: What of it.
        old: Value before.
        new: Value after.
        uuid: The process; None for other subjects.
        command_id: The command that did it; None where nobody's command of this console did.
    """

    id: int
    at: datetime
    noted_at: datetime
    source: Source
    session: str | None
    subject: Subject
    name: str
    aspect: Aspect
    old: Value
    new: Value
    uuid: str | None = None
    command_id: int | None = None


@dataclass(frozen=True, slots=True)
class ChangePage:
    """Changes, newest first. ``next_before`` is the id with which the next, older page begins; None at the end."""

    changes: tuple[Change, ...]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class HistoryFilter:
    """Which changes are wanted; what is left empty does not limit.

    Attributes:
        session: Of this session only.
        start: Not before this time.
        end: Before this time.
        subjects: Of these only.
        aspects: Of these only.
        name: Of this node, process or backend only.
    """

    session: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    subjects: frozenset[Subject] = frozenset()
    aspects: frozenset[Aspect] = frozenset()
    name: str | None = None


@dataclass(frozen=True, slots=True)
class NodeTransition:
    """What one node did in a transition. Times are its own where ``source`` is a broadcast, else bounds."""

    path: str
    began_at: datetime
    ended_at: datetime | None
    outcome: TransitionOutcome
    source: Source
    text: str = ""

    @property
    def duration(self) -> timedelta | None:
        """How long it took; None while it runs."""
        return None if self.ended_at is None else self.ended_at - self.began_at


@dataclass(frozen=True, slots=True)
class TransitionRun:
    """One time that a session went through a transition, with all nodes that are known to have taken part.

    ``transition`` is None where more than one happened between two polls.
    """

    id: int
    session: str
    transition: str | None
    state_before: str | None
    state_after: str | None
    began_at: datetime
    ended_at: datetime | None
    outcome: TransitionOutcome
    source: Source
    command_id: int | None
    nodes: tuple[NodeTransition, ...] = field(default=())

    def node(self, path: str) -> NodeTransition | None:
        """Return what one node did; None where it is not known to have taken part."""
        return next((node for node in self.nodes if node.path == path), None)

    @property
    def duration(self) -> timedelta | None:
        """How long it took; None while it runs."""
        return None if self.ended_at is None else self.ended_at - self.began_at


@dataclass(frozen=True, slots=True)
class Board:
    """The last transitions of a session, newest first, and what they are judged by.

    Attributes:
        runs: Each with all nodes that are known to have taken part.
        usual: How long a transition usually takes a node; left out where too little is known to tell.
        run_numbers: In which run a transition was, by its id; left out where there was none.
    """

    runs: tuple[TransitionRun, ...]
    usual: Mapping[UsualKey, timedelta] = field(default_factory=dict)
    run_numbers: Mapping[int, int] = field(default_factory=dict)


def is_own_time(node: NodeTransition) -> bool:
    """Tell whether a node's duration is its own: told by itself, or the root's, whose command this console timed."""
    return node.source is Source.BROADCAST or (node.source is Source.COMMAND and "/" not in node.path)
