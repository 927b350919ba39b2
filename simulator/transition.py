"""Transitions of a controller, and ``execute_fsm_command`` of G1, step by step (contract 10.5)."""

import json
from collections.abc import Callable
from typing import TypeVar

from simulator import g1
from simulator.flags import FsmFlag
from simulator.forwarding import Forwarder, transition_succeeded
from simulator.fsm import FsmConfiguration, Transition, Value
from simulator.node_state import NodeState
from simulator.pipeline import Answer, Call
from wire import WireMessage

Child = TypeVar("Child")


def walk(
    node: NodeState,
    transition: Transition,
    prepare: Callable[[], dict[str, Value]],
    propagate: Callable[[dict[str, Value]], tuple[Child, ...]],
    succeeded: Callable[[Child], bool],
) -> tuple[Child, ...]:
    """Take a node through the sub-states of a transition (contract 10.5 steps 3 to 5, 12.4).

    Args:
        node: The node's state; in error afterwards if a child failed.
        transition: The transition, allowed from the node's state.
        prepare: Runs the actions before the transition; returns the JSON that they make.
        propagate: Sends the command to the children with the JSON of the actions; returns their answers.
        succeeded: Tells whether a child made the transition.

    Raises:
        DruncError: An action failed; the node stays in ``preparing-…``.
    """
    name = transition.name
    node.advance(f"preparing-{name}")
    # What is raised here leaves the node in ``preparing-…``: that is the wedge.
    added = prepare()
    node.advance(f"{name}-ready")
    node.advance(f"propagating-{name}")
    children = propagate(added)
    for sub_state in (f"{name}-propagated", f"executing-{name}", f"{name}-terminated"):
        node.advance(sub_state)
    # The state changes whatever the children said.
    node.enter(transition.destination or node.state)
    node.advance(f"finalising-{name}")
    node.advance(node.state)
    if not all(succeeded(child) for child in children):
        node.latch_error()
    return children


class TransitionExecutor:
    """Takes one controller and everything below it through a transition."""

    def __init__(self, fsm: FsmConfiguration, node: NodeState, forwarder: Forwarder) -> None:
        """Execute for the controller whose state is ``node``."""
        self._fsm = fsm
        self._node = node
        self._forwarder = forwarder

    def execute(self, call: Call) -> Answer:
        """Make the transition that the command names.

        Raises:
            IndexError: The transition is unknown.
            AttributeError: It is not allowed now; G1 means to refuse, and fails at it.
            DruncError: An argument is missing or wrong (state unchanged), or an action failed (node wedged).
        """
        command: WireMessage = call.payload
        if self._node.in_error:
            return _refused(command, FsmFlag.FSM_NOT_EXECUTED_IN_ERROR)
        if not self._node.included:
            return _refused(command, FsmFlag.FSM_NOT_EXECUTED_EXCLUDED)
        transition = self._fsm.find(command.command_name)
        if self._node.busy or not transition.possible_from(self._node.state):
            raise AttributeError("'StatefulNode' object has no attribute 'node_operational_state'")
        values = self._fsm.resolve(transition.name, command.arguments)
        children = self._run(call, transition, values)
        data = g1.make("FSMCommandResponse", command_name=transition.name)
        return Answer(data, children=children)

    def _run(self, call: Call, transition: Transition, values: dict[str, Value]) -> tuple[WireMessage, ...]:
        def propagate(added: dict[str, Value]) -> tuple[WireMessage, ...]:
            return self._forwarder.forward("execute_fsm_command", _for_children(call, added))

        return walk(
            self._node,
            transition,
            lambda: self._fsm.prepare(transition.name, values),
            propagate,
            transition_succeeded,
        )


def _refused(command: WireMessage, flag: FsmFlag) -> Answer:
    return Answer(g1.make("FSMCommandResponse", flag=int(flag), command_name=command.command_name))


def _for_children(call: Call, added: dict[str, Value]) -> WireMessage:
    """Return the request for the children: the operator's token, the actions' JSON, no selection of nodes."""
    command = g1.make("FSMCommand")
    command.CopyFrom(call.payload)
    command.ClearField("children_nodes")
    command.data = json.dumps(json.loads(command.data or "{}") | added)
    return g1.request(call.token, command)
