"""``execute_fsm_command`` of a G1 controller, step by step (contract 10.5)."""

import json

from simulator import g1
from simulator.flags import FsmFlag
from simulator.forwarding import Forwarder, transition_succeeded
from simulator.fsm import FsmConfiguration, Transition, Value
from simulator.node_state import NodeState
from simulator.pipeline import Answer, Call
from wire import WireMessage


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
        name, node = transition.name, self._node
        node.advance(f"preparing-{name}")
        # What is raised here leaves the node in ``preparing-…``, for good: that is G1's wedge.
        added = self._fsm.prepare(name, values)
        node.advance(f"{name}-ready")
        node.advance(f"propagating-{name}")
        children = self._forwarder.forward("execute_fsm_command", _for_children(call, added))
        for sub_state in (f"{name}-propagated", f"executing-{name}", f"{name}-terminated"):
            node.advance(sub_state)
        # The state changes whatever the children said.
        node.enter(transition.destination or node.state)
        node.advance(f"finalising-{name}")
        node.advance(node.state)
        if not all(transition_succeeded(child) for child in children):
            node.latch_error()
        return children


def _refused(command: WireMessage, flag: FsmFlag) -> Answer:
    return Answer(g1.make("FSMCommandResponse", flag=int(flag), command_name=command.command_name))


def _for_children(call: Call, added: dict[str, Value]) -> WireMessage:
    """Return the request for the children: the operator's token, the actions' JSON, no selection of nodes."""
    command = g1.make("FSMCommand")
    command.CopyFrom(call.payload)
    command.ClearField("children_nodes")
    command.data = json.dumps(json.loads(command.data or "{}") | added)
    return g1.request(call.token, command)
