"""What every schema generation's adapter offers. Above it nobody knows that generations exist."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from services.run_control.types import ArgumentValue, CommandResult, NodeKind, Process, Transition


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """Status of one node as its controller tells it (contract 10.3).

    ``state`` is None where the controller itself could not ask the node. ``children`` is None where the answer does
    not tell them: ask the node itself.
    """

    name: str
    state: str | None
    sub_state: str | None
    in_error: bool
    included: bool | None
    children: tuple["NodeStatus", ...] | None = None


@dataclass(frozen=True, slots=True)
class DescribedNode:
    """One node of the tree as ``describe`` tells it; ``kind`` is None where the node did not answer."""

    name: str
    kind: NodeKind | None
    children: tuple["DescribedNode", ...] = ()


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

    def take_control(self, user: str) -> CommandResult:
        """Take control of the whole tree, from whomever."""

    def release_control(self, user: str) -> CommandResult:
        """Release control. Ask `holder` for what came of it: the answer cannot be trusted (contract 8.3)."""

    def execute(self, user: str, transition: Transition, arguments: Mapping[str, ArgumentValue]) -> CommandResult:
        """Execute a transition on the whole tree and judge every node's answer."""


class ProcessManagerAdapter(Protocol):
    """The process manager; errors as for `ControllerAdapter`."""

    @property
    def generation(self) -> str:
        """Name of the schema generation, for the status page."""

    def processes(self, user: str) -> tuple[Process, ...]:
        """Return all processes of all sessions and users, running or dead."""


class Adapters(Protocol):
    """Makes adapters for addresses and keeps what they share."""

    def controller(self, address: str) -> ControllerAdapter:
        """Return the adapter of the controller at ``host:port``."""

    def process_manager(self, address: str) -> ProcessManagerAdapter:
        """Return the adapter of the process manager at ``host:port``."""

    def forget(self, address: str) -> None:
        """Close what was opened to an address."""

    def close(self) -> None:
        """Close everything; calls under way end with NotReachableError."""
