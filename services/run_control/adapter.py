"""What every schema generation's adapter offers. Above it nobody knows that generations exist."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from services.run_control.command_types import Action, CommandResult
from services.run_control.fsm_types import ArgumentValue, Sequence, Transition
from services.run_control.node_types import NodeKind, Target
from services.run_control.process_types import EVERY_PROCESS, BootOrder, Process, ProcessQuery
from services.run_control.session_types import ActiveSession, Configuration, RunInfo, SessionOrder

THIS_NODE = Target()


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """Status of one node as its controller tells it (contract 10.3).

    ``state`` is None where the controller itself could not ask the node. ``children`` is None where the answer does
    not tell them: ask the node itself. ``run`` is what a node of G3 tells of the run, None elsewhere.
    """

    name: str
    state: str | None
    sub_state: str | None
    in_error: bool
    included: bool | None
    children: tuple["NodeStatus", ...] | None = None
    run: RunInfo | None = None


@dataclass(frozen=True, slots=True)
class DescribedNode:
    """One node of the tree as ``describe`` tells it; ``kind`` is None where the node did not answer.

    ``detector`` is what part of the detector it reads, from G2 on (contract 10.2); empty for none.
    """

    name: str
    kind: NodeKind | None
    children: tuple["DescribedNode", ...] = ()
    detector: str = ""


class ControllerAdapter(Protocol):
    """One controller. Every call is made under ``user``, whose token is ``<user>-token`` (contract section 3).

    All methods raise `services.errors`: NotReachableError, BusyError (no answer before the deadline: most likely a
    transition is running), NotInControlError, DruncError, SchemaMismatchError.
    """

    @property
    def generation(self) -> str:
        """Name of the schema generation, for the status page."""

    def describe(self, user: str) -> DescribedNode:
        """Return names and kinds of the node and of all below it. Many broadcasts: call it rarely."""

    def status(self, user: str) -> NodeStatus:
        """Return the node's own status."""

    def children_status(self, user: str) -> tuple[NodeStatus, ...]:
        """Return the status of the children, in the order of the configuration."""

    def holder(self, user: str) -> str:
        """Return who is in control; empty for nobody."""

    def transitions(self, user: str) -> tuple[Transition, ...]:
        """Return all transitions of the state machine."""

    def possible(self, user: str) -> tuple[str, ...]:
        """Return the names of the transitions possible now."""

    def sequences(self, user: str) -> tuple[Sequence, ...]:
        """Return the sequences: the server's in G3, the published ones elsewhere (contract 12.3)."""

    @property
    def actions(self) -> frozenset[Action]:
        """What can be asked of this controller; the rest raises NotSupportedError."""

    def take_control(self, user: str) -> CommandResult:
        """Take control of the whole tree, from whomever."""

    def release_control(self, user: str) -> CommandResult:
        """Release control. Ask `holder` for what came of it: the answer cannot be trusted (contract 8.3)."""

    def execute(
        self,
        user: str,
        transition: Transition,
        arguments: Mapping[str, ArgumentValue],
        target: Target = THIS_NODE,
    ) -> CommandResult:
        """Execute a transition and judge every node's answer. A target other than the node itself needs G2 or G3."""

    def include(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Include a part of the tree; in G1 always this node and everything below (contract 10.6)."""

    def exclude(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Exclude a part of the tree; in G1 always this node and everything below (contract 10.6)."""

    def recompute_status(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Let nodes derive state and error from their children anew (contract 10.7; not in G1)."""

    def execute_expert_command(self, user: str, command: str, target: Target = THIS_NODE) -> CommandResult:
        """Send a JSON text to applications (contract 10.7; not in G1)."""

    def to_error(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Put nodes in error, for tests (contract 10.7; G3)."""


class ProcessManagerAdapter(Protocol):
    """The process manager; errors as for `ControllerAdapter`, InvalidInputError where it refuses a query."""

    @property
    def generation(self) -> str:
        """Name of the schema generation, for the status page."""

    def processes(self, user: str, query: ProcessQuery = EVERY_PROCESS) -> tuple[Process, ...]:
        """Return the processes that match, running or dead; by default all of all sessions and users."""

    def boot(self, user: str, order: BootOrder) -> Process:
        """Boot one process. That it appears does not mean that it lives (contract 22.24)."""

    def kill(self, user: str, query: ProcessQuery) -> tuple[Process, ...]:
        """Kill what matches and remove it from the list; return it, dead."""

    def flush(self, user: str, query: ProcessQuery) -> tuple[Process, ...]:
        """Remove dead processes that match from the list; return them."""

    def restart(self, user: str, query: ProcessQuery) -> Process:
        """Restart the one process that matches; its UUID stays."""

    def terminate(self, user: str) -> tuple[Process, ...]:
        """Kill everything of every session and user."""

    def logs(self, user: str, query: ProcessQuery, lines: int) -> tuple[str, ...]:
        """Return the last lines of the one process that matches, without line ends, as text from outside.

        Raises:
            NotFoundError: No process matches, or more than one, or the file cannot be read.
        """


class SessionManagerAdapter(Protocol):
    """The session manager; errors as for `ControllerAdapter`."""

    @property
    def generation(self) -> str:
        """Name of the schema generation, for the status page."""

    def sessions(self, user: str) -> tuple[ActiveSession, ...]:
        """Return the active sessions."""

    def configurations(self, user: str) -> tuple[Configuration, ...]:
        """Return the configurations that can be booted."""


class RunControlServiceAdapter(Protocol):
    """The run control service of G3 (contract 6.5); errors as for `ControllerAdapter`."""

    @property
    def generation(self) -> str:
        """Name of the schema generation, for the status page."""

    def check(self) -> None:
        """Find out whether somebody listens; nothing is called.

        Raises:
            NotReachableError: Nobody does.
        """

    def start_session(self, user: str, order: SessionOrder) -> CommandResult:
        """Boot a whole session."""

    def end_session(self, user: str, order: SessionOrder) -> CommandResult:
        """End a whole session."""


class Adapters(Protocol):
    """Makes adapters for addresses and keeps what they share."""

    def controller(self, address: str) -> ControllerAdapter:
        """Return the adapter of the controller at ``host:port``."""

    def process_manager(self, address: str) -> ProcessManagerAdapter:
        """Return the adapter of the process manager at ``host:port``."""

    def session_manager(self, address: str) -> SessionManagerAdapter:
        """Return the adapter of the session manager at ``host:port``; G1 has none (NotSupportedError)."""

    def run_control_service(self, address: str) -> RunControlServiceAdapter:
        """Return the adapter of the run control service at ``host:port``; only G3 has it (NotSupportedError)."""

    def forget(self, address: str) -> None:
        """Close what was opened to an address."""

    def close(self) -> None:
        """Close everything; calls under way end with NotReachableError."""
