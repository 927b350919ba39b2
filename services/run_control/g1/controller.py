"""A G1 controller (contract 4.2, sections 8 and 10)."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.errors import NotInControlError
from services.run_control import decode
from services.run_control.adapter import THIS_NODE, DescribedNode, NodeStatus
from services.run_control.arguments_on_wire import fsm_command
from services.run_control.call import Caller
from services.run_control.command_types import Action, CommandResult
from services.run_control.fsm_types import ArgumentValue, Sequence, Transition
from services.run_control.g1.messages import message
from services.run_control.judge import control_result, plain_result, transition_result
from services.run_control.node_types import Target
from services.run_control.support import Deadlines, needs_whole_subtree, not_supported, published_sequences
from services.texts import clean
from wire.schema import WireMessage, load_g1

GENERATION = "G1"
ACTIONS = frozenset(
    {Action.TAKE_CONTROL, Action.RELEASE_CONTROL, Action.EXECUTE_TRANSITION, Action.INCLUDE, Action.EXCLUDE}
)

_ALL_TRANSITIONS = "all-transitions"
_POSSIBLE_NOW = ""


@dataclass(frozen=True, slots=True)
class G1Controller:
    """Adapter of one controller (see `services.run_control.adapter.ControllerAdapter`)."""

    call: Caller
    deadlines: Deadlines

    @property
    def generation(self) -> str:
        """Name of the schema generation."""
        return GENERATION

    @property
    def actions(self) -> frozenset[Action]:
        """What can be asked of a G1 controller."""
        return ACTIONS

    def describe(self, user: str) -> DescribedNode:
        """Return the tree below the controller (``describe``, recursive)."""
        answer = self._read("describe", user)
        decode.payload(answer, "Description")
        return decode.described(answer)

    def status(self, user: str) -> NodeStatus:
        """Return the controller's own status (``get_status``)."""
        wire = decode.payload(self._read("get_status", user), "Status")
        return decode.status(wire, wire.name)

    def children_status(self, user: str) -> tuple[NodeStatus, ...]:
        """Return the status of the direct children (``get_children_status``)."""
        answer = decode.payload(self._read("get_children_status", user), "ChildrenStatus")
        return tuple(decode.status(child, child.name) for child in answer.children_status)

    def holder(self, user: str) -> str:
        """Return who is in control (``who_is_in_charge``)."""
        answer = decode.payload(self._read("who_is_in_charge", user), "PlainText")
        return clean(answer.text, decode.NAME_WIDTH)

    def transitions(self, user: str) -> tuple[Transition, ...]:
        """Return all transitions (``describe_fsm``)."""
        return tuple(decode.transition(command) for command in self._describe_fsm(user, _ALL_TRANSITIONS))

    def possible(self, user: str) -> tuple[str, ...]:
        """Return the transitions possible now (``describe_fsm`` with an empty key)."""
        return tuple(clean(command.name) for command in self._describe_fsm(user, _POSSIBLE_NOW))

    def sequences(self, user: str) -> tuple[Sequence, ...]:
        """Return the published sequences: the server has none of its own (contract 12.3)."""
        return published_sequences(transition.name for transition in self.transitions(user))

    def take_control(self, user: str) -> CommandResult:
        """Take control (``take_control``, recursive; it steals)."""
        return control_result(self._write("take_control", user))

    def release_control(self, user: str) -> CommandResult:
        """Release control (``surrender_control``): it works and says that it failed (contract 8.3)."""
        return control_result(self._write("surrender_control", user))

    def execute(
        self,
        user: str,
        transition: Transition,
        arguments: Mapping[str, ArgumentValue],
        target: Target = THIS_NODE,
    ) -> CommandResult:
        """Execute a transition (``execute_fsm_command``, recursive)."""
        needs_whole_subtree(target, GENERATION)
        order = fsm_command(load_g1(), decode.PACKAGE, transition, arguments)
        return transition_result(self._write("execute_fsm_command", user, order))

    def include(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Include the node and everything below (``include``, recursive)."""
        needs_whole_subtree(target, GENERATION)
        return plain_result(self._write("include", user))

    def exclude(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Exclude the node and everything below (``exclude``, recursive)."""
        needs_whole_subtree(target, GENERATION)
        return plain_result(self._write("exclude", user))

    def recompute_status(self, user: str, target: Target = THIS_NODE) -> CommandResult:  # noqa: ARG002 - the protocol\'s
        """Refuse: G1 has no such call."""
        raise not_supported("recompute the status of nodes", GENERATION)

    def execute_expert_command(self, user: str, command: str, target: Target = THIS_NODE) -> CommandResult:  # noqa: ARG002 - the protocol\'s
        """Refuse: G1 has no such call."""
        raise not_supported("send expert commands", GENERATION)

    def to_error(self, user: str, target: Target = THIS_NODE) -> CommandResult:  # noqa: ARG002 - the protocol\'s
        """Refuse: G1 has no such call."""
        raise not_supported("put nodes in error", GENERATION)

    def _describe_fsm(self, user: str, key: str) -> list[WireMessage]:
        # The key must be present even if empty (contract 22.10).
        answer = self._read("describe_fsm", user, message("PlainText")(text=key))
        return list(decode.payload(answer, "FSMCommandsDescription").commands)

    def _read(self, rpc: str, user: str, data: WireMessage | None = None) -> WireMessage:
        return self.call(rpc, user, self.deadlines.read_s, data)

    def _write(self, rpc: str, user: str, data: WireMessage | None = None) -> WireMessage:
        answer = self.call(rpc, user, self.deadlines.command_s, data)
        if answer.flag == decode.NOT_IN_CONTROL:
            raise NotInControlError(decode.fault_text(answer)[0], holder="")
        return answer
