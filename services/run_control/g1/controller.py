"""A G1 controller (contract 4.2, sections 8 and 10)."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.errors import NotInControlError
from services.run_control.adapter import DescribedNode, NodeStatus
from services.run_control.g1 import decode
from services.run_control.g1.call import Caller
from services.run_control.g1.judge import control_result, transition_result
from services.run_control.texts import clean
from services.run_control.types import ArgumentType, ArgumentValue, CommandResult, Transition
from wire.schema import WireMessage, load_g1

_VALUE_MESSAGES = {
    ArgumentType.INT: "int_msg",
    ArgumentType.FLOAT: "float_msg",
    ArgumentType.STRING: "string_msg",
    ArgumentType.BOOL: "bool_msg",
}

_ALL_TRANSITIONS = "all-transitions"
_POSSIBLE_NOW = ""


@dataclass(frozen=True, slots=True)
class G1Controller:
    """Adapter of one controller (see `services.run_control.adapter.ControllerAdapter`)."""

    call: Caller
    read_deadline_s: float
    command_deadline_s: float

    @property
    def generation(self) -> str:
        """Name of the schema generation."""
        return "G1"

    def describe(self, user: str) -> DescribedNode:
        """Return the tree below the controller (``describe``, recursive)."""
        answer = self._read("describe", user)
        decode.payload(answer, "Description")
        return decode.described(answer)

    def status(self, user: str) -> NodeStatus:
        """Return the controller's own status (``get_status``)."""
        return decode.status(decode.payload(self._read("get_status", user), "Status"))

    def children_status(self, user: str) -> tuple[NodeStatus, ...]:
        """Return the status of the direct children (``get_children_status``)."""
        answer = decode.payload(self._read("get_children_status", user), "ChildrenStatus")
        return tuple(decode.status(child) for child in answer.children_status)

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

    def take_control(self, user: str) -> CommandResult:
        """Take control (``take_control``, recursive; it steals)."""
        return control_result(self._write("take_control", user))

    def release_control(self, user: str) -> CommandResult:
        """Release control (``surrender_control``): it works and says that it failed (contract 8.3)."""
        return control_result(self._write("surrender_control", user))

    def execute(self, user: str, transition: Transition, arguments: Mapping[str, ArgumentValue]) -> CommandResult:
        """Execute a transition (``execute_fsm_command``, recursive)."""
        order = decode.message("FSMCommand")(command_name=transition.name)
        for argument in transition.arguments:
            if argument.name in arguments:
                wire = decode.message(_VALUE_MESSAGES[argument.type])(value=arguments[argument.name])
                order.arguments[argument.name].CopyFrom(load_g1().pack(wire))
        return transition_result(self._write("execute_fsm_command", user, order))

    def _describe_fsm(self, user: str, key: str) -> list[WireMessage]:
        # The key must be present even if empty (contract 22.10).
        answer = self._read("describe_fsm", user, decode.message("PlainText")(text=key))
        return list(decode.payload(answer, "FSMCommandsDescription").commands)

    def _read(self, rpc: str, user: str, data: WireMessage | None = None) -> WireMessage:
        return self.call(rpc, user, self.read_deadline_s, data)

    def _write(self, rpc: str, user: str, data: WireMessage | None = None) -> WireMessage:
        answer = self.call(rpc, user, self.command_deadline_s, data)
        if answer.flag == decode.NOT_IN_CONTROL:
            raise NotInControlError(decode.fault_text(answer)[0], holder="")
        return answer
