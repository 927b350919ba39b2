"""Plain data of run control: what adapters return, what queries give to pages, what commands take."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

# A freshly booted controller belongs to itself (contract 8.1).
INITIAL_HOLDER = "controller_init_token"

# The argument that counts runs; no two runs have the same.
RUN_NUMBER = "run_number"
# The value of an FSM argument as people and adapters handle it.
ArgumentValue = int | float | str | bool


class ArgumentType(StrEnum):
    """Type of an FSM argument (contract 4.2)."""

    INT = "INT"
    FLOAT = "FLOAT"
    STRING = "STRING"
    BOOL = "BOOL"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a transition, as ``describe_fsm`` describes it."""

    name: str
    type: ArgumentType
    mandatory: bool
    default: ArgumentValue | None = None
    choices: tuple[ArgumentValue, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """One transition of the state machine, as ``describe_fsm`` describes it."""

    name: str
    arguments: tuple[Argument, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was used of late.

    Attributes:
        values: By argument, the different values sent in one session, newest first.
        run_numbers: Run numbers sent in any session.
    """

    values: Mapping[str, tuple[ArgumentValue, ...]] = field(default_factory=dict)
    run_numbers: frozenset[int] = frozenset()

    def last(self, argument: str) -> ArgumentValue | None:
        """Return the value that was sent last; None for an argument that never was."""
        return next(iter(self.values.get(argument, ())), None)


@dataclass(frozen=True, slots=True)
class Sequence:
    """Transitions to execute one after the other, e.g. ``start_run`` (contract 12.3).

    Attributes:
        name: Name of the sequence.
        transitions: Names in order.
        optional: Those of them that are skipped where they are not possible.
    """

    name: str
    transitions: tuple[str, ...]
    optional: frozenset[str] = frozenset()


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


@dataclass(frozen=True, slots=True)
class Configuration:
    """A configuration from which a session can be booted (contract 5.3 ``ConfigKey``)."""

    file: str
    id: str


@dataclass(frozen=True, slots=True)
class ActiveSession:
    """A session as the session manager lists it (contract 5.3)."""

    name: str
    user: str
    configuration: Configuration


class SessionSource(StrEnum):
    """Who knows of a session."""

    PROCESS_MANAGER = "process_manager"
    SESSION_MANAGER = "session_manager"
    CONNECTIVITY = "connectivity_service"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class SessionOrder:
    """A session to boot or to end through the run control service (contract 6.5)."""

    name: str
    configuration: Configuration
    process_manager: str = ""


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


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is known of the current run. drunc G1 does not tell: then it is what this console started."""

    number: int | None = None
    type: str | None = None
    trigger_rate_hz: float | None = None
    storage_disabled: bool | None = None
    started_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """One session at a glance.

    ``holder`` is None while unknown, empty when nobody holds control. ``polled_at`` is the last time the root
    controller answered; ``error`` says why it does not, since ``error_since``. ``processes_ended`` are those of
    ``processes_dead`` that ended with exit code 0. ``owner`` is who booted it, ``configuration`` what from, where
    somebody tells. ``vanished_at`` is None while anybody knows of the session.
    """

    name: str
    state: str | None
    sub_state: str | None
    state_since: datetime | None
    in_error: bool | None
    included: bool | None
    holder: str | None
    holder_since: datetime | None
    transitions: tuple[Transition, ...]
    possible: tuple[str, ...]
    run: RunInfo
    root_name: str | None
    root_address: str | None
    generation: str | None
    polled_at: datetime | None
    error: str | None
    error_since: datetime | None
    processes_running: int = 0
    processes_dead: int = 0
    processes_ended: int = 0
    nodes_total: int = 0
    nodes_in_error: int = 0
    nodes_excluded: int = 0
    executing: "CommandView | None" = None
    sequences: tuple[Sequence, ...] = ()
    owner: str | None = None
    configuration: Configuration | None = None
    sources: frozenset[SessionSource] = frozenset()
    first_seen_at: datetime | None = None
    vanished_at: datetime | None = None

    @property
    def held_by_nobody(self) -> bool:
        """Whether control is free to take: nobody's, or still the controller's own."""
        return self.holder in ("", INITIAL_HOLDER)


class BackendKind(StrEnum):
    """What an outside address is."""

    PROCESS_MANAGER = "process_manager"
    CONTROLLER = "controller"
    SESSION_MANAGER = "session_manager"
    RUN_CONTROL_SERVICE = "run_control_service"
    CONNECTIVITY = "connectivity_service"
    KAFKA = "kafka"


@dataclass(frozen=True, slots=True)
class BackendView:
    """Health of one outside address."""

    kind: BackendKind
    address: str
    generation: str | None
    reachable: bool
    since: datetime
    answered_at: datetime | None
    tried_at: datetime
    latency_ms: float | None
    error: str | None
    error_at: datetime | None


class Action(StrEnum):
    """What a command does. The value stands in the command row and in the audit."""

    TAKE_CONTROL = "take_control"
    RELEASE_CONTROL = "surrender_control"
    REQUEST_CONTROL = "request_control"
    GRANT_CONTROL = "grant_control"
    PROMISE_CONTROL = "promise_control"
    TAKE_PROMISE_BACK = "take_promise_back"
    DECLINE_CONTROL = "decline_control"
    WITHDRAW_REQUEST = "withdraw_control_request"
    EXECUTE_TRANSITION = "execute_fsm_command"
    EXECUTE_SEQUENCE = "execute_sequence"
    ABORT_SEQUENCE = "abort_sequence"
    INCLUDE = "include"
    EXCLUDE = "exclude"
    RECOMPUTE_STATUS = "recompute_status"
    EXPERT_COMMAND = "execute_expert_command"
    TO_ERROR = "to_error"
    BOOT = "boot"
    KILL = "kill"
    FLUSH = "flush"
    RESTART = "restart"
    TERMINATE = "terminate"
    START_SESSION = "start_session"
    END_SESSION = "end_session"

    @property
    def is_for_processes(self) -> bool:
        """Whether it goes to the process manager: then no command of a session's controllers waits for it."""
        return self in PROCESS_ACTIONS

    @property
    def is_for_whole_sessions(self) -> bool:
        """Whether it goes to the run control service, which needs no controller."""
        return self in SESSION_ACTIONS


SESSION_ACTIONS = frozenset({Action.START_SESSION, Action.END_SESSION})
PROCESS_ACTIONS = frozenset({Action.BOOT, Action.KILL, Action.FLUSH, Action.RESTART, Action.TERMINATE})


class CommandState(StrEnum):
    """How far a command is (see `models.commands.Command`)."""

    PENDING = "pending"
    EXECUTING = "executing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will come."""
        return self not in (CommandState.PENDING, CommandState.EXECUTING)


@dataclass(frozen=True, slots=True)
class NodeResult:
    """What one node answered: both flags of the wire by their contract names, and a text for people.

    ``succeeded`` is judged from both flags (contract 10.5). ``detail`` holds a stack trace or an application's JSON.
    For a process ``flag`` is its status and ``path`` its session and name.
    """

    path: str
    name: str
    succeeded: bool
    flag: str
    fsm_flag: str | None = None
    text: str = ""
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class CommandResult:
    """Outcome of a command over the whole answer tree."""

    succeeded: bool
    text: str
    nodes: tuple[NodeResult, ...] = ()


class StepState(StrEnum):
    """How far one step of a sequence is."""

    WAITING = "waiting"
    EXECUTING = "executing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class SequenceStep:
    """One transition of a sequence under way; one that was never reached keeps waiting."""

    transition: str
    state: StepState = StepState.WAITING
    text: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CommandView:
    """A command row with its per-node results, for pages.

    ``target`` is what it is for in words: a node's path, or names of processes. ``transition`` is the transition or
    sequence to execute, None for other actions. Of a sequence ``steps`` tells how far it is, ``nodes`` what they
    answered to the last step, and ``aborted_by`` who asked that it goes no further.
    """

    id: int
    request_id: str
    action: Action
    session: str | None
    target: str
    arguments: Mapping[str, ArgumentValue]
    user_name: str
    created_at: datetime
    state: CommandState
    text: str
    claimed_at: datetime | None = None
    finished_at: datetime | None = None
    nodes: tuple[NodeResult, ...] = field(default=())
    transition: str | None = None
    reason: str | None = None
    steps: tuple[SequenceStep, ...] = ()
    aborted_by: str | None = None
