"""Plain data of commands: what can be asked for, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.run_control.fsm_types import ArgumentValue


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
