"""What is done for one claimed command, in its endpoint's queue, under the person's token."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from services.errors import (
    BrokenCallError,
    BusyError,
    ConsoleError,
    DruncError,
    NotInControlError,
    NotReachableError,
    RefusedError,
    SchemaMismatchError,
    UnknownCallError,
)
from services.run_control import rules
from services.run_control.adapter import ControllerAdapter, NodeStatus
from services.run_control.arguments import parse_arguments
from services.run_control.command_types import Action, CommandResult, CommandState, NodeResult
from services.run_control.fsm_types import ArgumentValue, Transition
from services.run_control.node_types import Target
from services.run_control.process_types import Process, ProcessQuery


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """One transition of a sequence; an optional one is skipped where it is not possible."""

    transition: Transition
    arguments: Mapping[str, ArgumentValue]
    optional: bool


@dataclass(frozen=True, slots=True)
class Order:
    """A claimed command, with what it needs of its session's row.

    ``session`` is empty for what is done to processes of no session or of several.
    """

    id: int
    user: str
    session: str
    action: Action
    address: str
    transition: Transition | None
    arguments: Mapping[str, ArgumentValue]
    payload: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[PlannedStep, ...] = ()


@dataclass(frozen=True, slots=True)
class RootState:
    """What the root controller told right after a command, so that its row and the command's change together."""

    status: NodeStatus
    holder: str
    possible: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProcessesAfter:
    """What the process manager listed right after a command, of those that were ``asked`` for by UUID."""

    asked: frozenset[str]
    listed: tuple[Process, ...]


@dataclass(frozen=True, slots=True)
class Booted:
    """What a command booted, which is to be watched (see `services.run_control.boot_watch`).

    Attributes:
        address: ``host:port`` of the process manager that lists it.
        query: What to ask it for.
        expected: The processes as their boots were answered; empty where nobody tells beforehand which they are.
    """

    address: str
    query: ProcessQuery
    expected: tuple[Process, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a command, for the row and the audit.

    ``after`` is None where the root did not tell, ``processes`` where the process manager did not. What was ``booted``
    makes the outcome provisional.
    """

    state: CommandState
    text: str
    result: CommandResult | None = None
    after: RootState | None = None
    processes: ProcessesAfter | None = None
    booted: Booted | None = None


def execute(order: Order, adapter: ControllerAdapter) -> Outcome:
    """Check once more, send once, and find out what came of it. Never raises an error of `services.errors`."""
    outcome = _checked_and_sent(order, adapter)
    try:
        # Texts are not to be trusted: read again after every write (contract 21.1).
        after = RootState(adapter.status(order.user), adapter.holder(order.user), adapter.possible(order.user))
    except ConsoleError:
        return outcome
    return replace(outcome, after=after, text=outcome.text + _wedged(order, outcome, after.status, adapter))


def _checked_and_sent(order: Order, adapter: ControllerAdapter) -> Outcome:
    try:
        _check(order, adapter)
    except ConsoleError as error:
        return Outcome(CommandState.FAILED, f"{error.message} Nothing was sent.")
    try:
        return _send(order, adapter)
    except NotInControlError as error:
        # The names agreed a moment ago; drunc compares the rest of the token as well (contract 8.1, 22.14).
        text = f"{error.message} If {order.user} is shown in control, another program is, under that name."
        return Outcome(CommandState.FAILED, f"{text} Take control again.")
    except ConsoleError as error:
        return failed_sending(error)


def failed_sending(error: ConsoleError) -> Outcome:
    """Return what an error means that came after something was sent.

    A call that the server does not know was not executed (contract 2.2). No answer, one that nobody can read, or a
    fault outside of the command itself means that nobody knows (7.1, 7.2).
    """
    text = " ".join(filter(None, (error.message, error.next_step)))
    if isinstance(error, UnknownCallError):
        return Outcome(CommandState.FAILED, f"{error.message} Nothing was executed.")
    if isinstance(error, NotReachableError | BusyError | SchemaMismatchError):
        return Outcome(CommandState.UNKNOWN, f"Sent, but the outcome is unknown. {error.message}")
    if isinstance(error, BrokenCallError):
        return Outcome(CommandState.UNKNOWN, f"Sent, but the outcome is unknown. {text}")
    return Outcome(CommandState.FAILED, error.message, _with_stack(error))


def _with_stack(error: ConsoleError) -> CommandResult | None:
    """Return the result that keeps drunc's stack trace for experts; None without one."""
    if not isinstance(error, DruncError) or not error.stack:
        return None
    node = NodeResult(error.node, error.node, succeeded=False, flag=error.code, text=error.message, detail=error.stack)
    return CommandResult(succeeded=False, text=error.message, nodes=(node,))


def _wedged(order: Order, outcome: Outcome, status: NodeStatus, adapter: ControllerAdapter) -> str:
    """Return the sentence about nodes that a failed action left in the middle of a transition; empty if none is.

    They refuse every transition from then on although they are not in error (contract 10.5, step 3).
    """
    if order.action is not Action.EXECUTE_TRANSITION or outcome.state is not CommandState.FAILED:
        return ""
    stuck = [f"{node.name} ({node.sub_state})" for node in _all(status) if rules.is_between(node.sub_state)]
    if not stuck:
        return ""
    way_out = "recompute its status, or boot it anew" if Action.RECOMPUTE_STATUS in adapter.actions else "boot it anew"
    return f" Stuck in the middle of a transition: {', '.join(stuck)}. It takes no other until you {way_out}."


def _all(status: NodeStatus) -> Iterator[NodeStatus]:
    yield status
    for child in status.children or ():
        yield from _all(child)


def _check(order: Order, adapter: ControllerAdapter) -> None:
    """Ask drunc itself, right before a write, for what the rows said (contract 8.1, 22.17).

    Raises:
        ConsoleError: It must not be sent.
    """
    holder = adapter.holder(order.user)
    if order.action is Action.TAKE_CONTROL:
        return
    if holder != order.user:
        # A part that is asked through its own controller may belong to somebody else than the session does.
        what = f"this part of {order.session}" if order.payload.get("address") else order.session
        raise rules.not_in_control(what, holder, None)
    if order.action is Action.EXECUTE_TRANSITION:
        _check_transition(order, adapter)


def _check_transition(order: Order, adapter: ControllerAdapter) -> None:
    name = order.transition.name if order.transition else ""
    possible = adapter.possible(order.user)
    if name not in possible:
        raise RefusedError(f"{name} is not possible any more; possible now: {', '.join(possible) or 'none'}.")


def _send(order: Order, adapter: ControllerAdapter) -> Outcome:
    match order.action:
        case Action.TAKE_CONTROL:
            return _took(order, adapter, adapter.take_control(order.user))
        case Action.RELEASE_CONTROL:
            return _released(order, adapter, adapter.release_control(order.user))
        case Action.EXECUTE_TRANSITION:
            return _executed(order, adapter)
        case Action.INCLUDE | Action.EXCLUDE:
            return _included(order, adapter)
        case _:
            return _told(_ask_nodes(order, adapter))


def _ask_nodes(order: Order, adapter: ControllerAdapter) -> CommandResult:
    target = target_of(order)
    match order.action:
        case Action.RECOMPUTE_STATUS:
            return adapter.recompute_status(order.user, target)
        case Action.EXPERT_COMMAND:
            return adapter.execute_expert_command(order.user, order.payload["command"], target)
        case Action.TO_ERROR:
            return adapter.to_error(order.user, target)
        case _:
            raise RefusedError(f"{order.action} is nothing that a controller does.")


def _took(order: Order, adapter: ControllerAdapter, result: CommandResult) -> Outcome:
    """Judge by who is in control afterwards; children that did not follow are shown (contract 8.2, 10.6)."""
    holder = adapter.holder(order.user)
    if holder != order.user:
        text = f"Control was not taken: {holder or 'nobody'} is in control. {result.text}"
        return Outcome(CommandState.FAILED, text, result)
    refused = [node.path for node in result.nodes[1:] if not node.succeeded]
    text = f"{order.user} is in control of {order.session}."
    if refused:
        text += f" Not of: {', '.join(refused)}."
    return _true_for_root(result, text)


def _released(order: Order, adapter: ControllerAdapter, result: CommandResult) -> Outcome:
    """Judge by who is in control afterwards: the answer says "failed" although it worked (contract 8.3)."""
    holder = adapter.holder(order.user)
    if holder == order.user:
        return Outcome(CommandState.FAILED, f"{order.user} is still in control. {result.text}", result)
    return _true_for_root(result, f"{order.user} released control of {order.session}.")


def _true_for_root(result: CommandResult, text: str) -> Outcome:
    """Return success, whatever the root said of itself: it was asked who is in control, and that is true."""
    root, *others = result.nodes
    nodes = (replace(root, succeeded=True), *others)
    return Outcome(CommandState.SUCCEEDED, text, CommandResult(succeeded=True, text=text, nodes=nodes))


def _executed(order: Order, adapter: ControllerAdapter) -> Outcome:
    if order.transition is None:
        raise RefusedError("The transition is not known any more.")
    # From the row's JSON back to the declared types: a float without a fraction may have come back as an integer.
    arguments = parse_arguments(order.transition, order.arguments)
    return _told(adapter.execute(order.user, order.transition, arguments))


def target_of(order: Order) -> Target:
    """Return which part of the tree below the addressed controller an order is for."""
    payload = order.payload
    return Target(payload.get("path", ""), payload.get("along_path"), payload.get("all_children"))


def _told(result: CommandResult) -> Outcome:
    """Judge by what all nodes answered."""
    return Outcome(CommandState.SUCCEEDED if result.succeeded else CommandState.FAILED, result.text, result)


def _included(order: Order, adapter: ControllerAdapter) -> Outcome:
    """Judge by all answers, and by what the addressed controller says of itself afterwards where it was meant."""
    target = target_of(order)
    wanted = order.action is Action.INCLUDE
    send = adapter.include if wanted else adapter.exclude
    result = send(order.user, target)
    if target.path or not result.succeeded:
        return _told(result)
    try:
        status = adapter.status(order.user)
    except ConsoleError:
        return _told(result)
    if status.included is not (not wanted):
        return _told(result)
    text = f"{status.name} is still {'excluded' if wanted else 'included'}. {result.text}"
    return Outcome(CommandState.FAILED, text, result)
