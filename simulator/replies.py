"""What the controllers of G2 and G3 are asked and what they say, before a generation puts it into messages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import grpc

from simulator.flags import FsmFlag, ResponseFlag
from simulator.fsm import Argument, Transition
from simulator.g1 import DruncError, Owner, stacktrace
from wire import WireMessage


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request executes (contract 11).

    Attributes:
        target: Path from the node that is asked; empty for that node itself.
        along_path: Whether the nodes on the way execute as well.
        all_below: Whether everything below the end of the path executes as well.
    """

    target: str = ""
    along_path: bool = True
    all_below: bool = True


HERE_ONLY = Address(all_below=False)
# State of a G3 controller that waits for its children (contract 10.3).
INITIALISING = "initialising"


@dataclass(frozen=True, slots=True)
class Order:
    """A request to a node of the tree.

    Attributes:
        rpc: Name of the RPC.
        asker: Who asks.
        address: Where it executes.
        text: Key of ``describe_fsm``, JSON of ``execute_expert_command``, text of ``log_on_server``.
        transition: Name of the transition, for ``execute_fsm_command``.
        arguments: Values of its arguments, each a packed ``*_msg``.
        data: JSON that the actions of the nodes above made.
    """

    rpc: str
    asker: Owner
    address: Address = field(default_factory=Address)
    text: str = ""
    transition: str = ""
    arguments: Mapping[str, WireMessage] = field(default_factory=dict)
    data: str = ""


@dataclass(frozen=True, slots=True)
class Text:
    """A text for people."""

    text: str


@dataclass(frozen=True, slots=True)
class Trace:
    """The lines of a stack trace."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunInfo:
    """The run that a node knows of; times in seconds, ``started_at`` since the epoch (contract 6.2)."""

    run_type: str
    trigger_rate: float
    run_number: int
    disable_data_storage: bool
    started_at: int
    lasted: int
    configuration_file: str
    configuration_name: str


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """Status of one node (contract 10.3)."""

    state: str
    sub_state: str
    in_error: bool
    included: bool
    run: RunInfo | None = None


@dataclass(frozen=True, slots=True)
class NodeDescription:
    """Description of one node (contract 10.2); ``broadcast`` is a packed message."""

    type: str
    name: str
    endpoint: str
    info: str
    session: str
    commands: tuple[str, ...] = ()
    broadcast: WireMessage | None = None


@dataclass(frozen=True, slots=True)
class FsmDescription:
    """Transitions with their arguments, and sequences with their transitions (contract 10.4, 12.3)."""

    name: str
    session: str
    transitions: tuple[tuple[Transition, tuple[Argument, ...]], ...]
    sequences: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class FsmResult:
    """What a node says of a transition; ``data`` is an application's reply."""

    flag: FsmFlag
    transition: str
    data: str | None = None


Body = Text | Trace | NodeStatus | NodeDescription | FsmDescription | FsmResult


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of one node and of those below it.

    Attributes:
        name: Name of the node.
        body: What it says; None when it did not execute on itself.
        flag: What it says of the request.
        children: Answers of its children.
        wire: The message as a child sent it: it is passed on as it is.
    """

    name: str
    body: Body | None = None
    flag: ResponseFlag = ResponseFlag.EXECUTED_SUCCESSFULLY
    children: tuple["Reply", ...] = ()
    wire: WireMessage | None = None


def failed_reply(name: str, error: Exception) -> Reply:
    """Return the answer of a node to an exception (contract 7.2)."""
    flag = (
        ResponseFlag.DRUNC_EXCEPTION_THROWN
        if isinstance(error, DruncError)
        else ResponseFlag.UNHANDLED_EXCEPTION_THROWN
    )
    return Reply(name, Trace(tuple(stacktrace(error).text)), flag)


# Answers a request: RPC, who asks, and what reads the payload once the asker may know (contract 7.1).
Answering = Callable[[str, Owner, Callable[[], Order]], Reply]


class Dialect(Protocol):
    """How one generation writes orders and replies."""

    def handler(self, name: str, answering: Answering) -> "grpc.GenericRpcHandler[WireMessage, WireMessage]":
        """Return the gRPC handler of a controller called ``name``."""

    def ask(self, channel: grpc.Channel, order: Order, timeout_s: float | None = None) -> Reply:
        """Send an order to another controller; grpc.RpcError when it does not answer."""
