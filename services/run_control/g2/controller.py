"""A G2 controller (contract 5.1, sections 8, 10 and 11)."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.errors import ConsoleError, NotInControlError, SchemaMismatchError, UnknownCallError
from services.run_control import decode
from services.run_control.adapter import THIS_NODE, DescribedNode, NodeStatus
from services.run_control.arguments_on_wire import fsm_command
from services.run_control.call import Caller
from services.run_control.command_types import Action, CommandResult
from services.run_control.fsm_types import ArgumentValue, Sequence, Transition
from services.run_control.g2.description import G2Description, read_description
from services.run_control.judge import control_result, expert_result, partial_transition_result, plain_result
from services.run_control.node_types import NodeKind, Target
from services.run_control.support import Deadlines, not_supported, published_sequences
from services.texts import clean
from wire.schema import WireMessage

GENERATION = "G2"
ACTIONS = frozenset(
    {
        Action.TAKE_CONTROL,
        Action.RELEASE_CONTROL,
        Action.EXECUTE_TRANSITION,
        Action.INCLUDE,
        Action.EXCLUDE,
        Action.RECOMPUTE_STATUS,
        Action.EXPERT_COMMAND,
    }
)

_ALL_TRANSITIONS = "all-transitions"
_POSSIBLE_NOW = ""


@dataclass(frozen=True, slots=True)
class G2Controller:
    """Adapter of one controller (see `services.run_control.adapter.ControllerAdapter`).

    The call's schema decides on the lay-out of ``AddressedCommand``.
    """

    call: Caller
    deadlines: Deadlines

    @property
    def generation(self) -> str:
        """Name of the schema generation."""
        return GENERATION

    @property
    def actions(self) -> frozenset[Action]:
        """What can be asked of a G2 controller."""
        return ACTIONS

    def describe(self, user: str) -> DescribedNode:
        """Return the tree below the controller (``describe``, recursive)."""
        answer = self._read("describe", user)
        decode.raise_for_flag(answer)
        return self._described(answer)

    def status(self, user: str) -> NodeStatus:
        """Return the status of the whole tree (``status``, recursive)."""
        answer = self._read("status", user)
        decode.payload(answer, "Status")
        return _status(answer)

    def children_status(self, user: str) -> tuple[NodeStatus, ...]:
        """Return the status of the direct children, by name."""
        return self.status(user).children or ()

    def holder(self, user: str) -> str:
        """Return who is in control of this node (``who_is_in_charge``)."""
        answer = self._read("who_is_in_charge", user, below=False)
        return clean(decode.payload(answer, "PlainText").text, decode.NAME_WIDTH)

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
        """Take control of the whole tree (``take_control``; it steals)."""
        return control_result(self._write("take_control", user, Target(along_path=True)))

    def release_control(self, user: str) -> CommandResult:
        """Release control (``surrender_control``): it works and says that it did not (contract 8.3)."""
        return control_result(self._write("surrender_control", user, Target(along_path=True)))

    def execute(
        self,
        user: str,
        transition: Transition,
        arguments: Mapping[str, ArgumentValue],
        target: Target = THIS_NODE,
    ) -> CommandResult:
        """Execute a transition (``execute_fsm_command``)."""
        order = fsm_command(self.call.schema, decode.PACKAGE, transition, arguments)
        return partial_transition_result(self._write("execute_fsm_command", user, target, order))

    def include(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Include nodes (``include``)."""
        return plain_result(self._write("include", user, target))

    def exclude(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Exclude nodes (``exclude``)."""
        return plain_result(self._write("exclude", user, target))

    def recompute_status(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Recompute the status of nodes (``recompute_status``)."""
        return plain_result(self._write("recompute_status", user, _along(target)))

    def execute_expert_command(self, user: str, command: str, target: Target = THIS_NODE) -> CommandResult:
        """Send an expert command (``execute_expert_command``)."""
        text = self.call.schema.message(decode.PACKAGE + "PlainText")(text=command)
        return expert_result(self._write("execute_expert_command", user, target, text))

    def to_error(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Put nodes in error, where the server knows how (contract 5.1)."""
        try:
            return plain_result(self._write("to_error", user, target))
        except UnknownCallError as error:
            raise not_supported("put nodes in error", GENERATION) from error

    def _described(self, answer: WireMessage) -> DescribedNode:
        children = sorted((self._described(child) for child in answer.children), key=lambda child: child.name)
        told = self._description(answer)
        if told is None:
            kind = NodeKind.APPLICATION if answer.flag == decode.NOT_IMPLEMENTED else None
            return DescribedNode(clean(answer.name), kind, tuple(children))
        return DescribedNode(clean(answer.name), told.kind, tuple(children), told.detector)

    def _description(self, answer: WireMessage) -> G2Description | None:
        if answer.flag != decode.OK:
            return None
        try:
            return read_description(self.call.schema, answer.data.value)
        except SchemaMismatchError:
            return None

    def _describe_fsm(self, user: str, key: str) -> list[WireMessage]:
        # The key must be present even if empty; any other key but these two fails (contract 10.4, 22.10).
        text = self.call.schema.message(decode.PACKAGE + "PlainText")(text=key)
        answer = self._read("describe_fsm", user, below=False, data=text)
        return list(decode.payload(answer, "FSMCommandsDescription").commands)

    def _read(self, rpc: str, user: str, *, below: bool = True, data: WireMessage | None = None) -> WireMessage:
        command = self.addressed(rpc, Target(along_path=True, all_children=below), data)
        return self.call(rpc, user, self.deadlines.read_s, command)

    def _write(self, rpc: str, user: str, target: Target, data: WireMessage | None = None) -> WireMessage:
        answer = self.call(rpc, user, self.deadlines.command_s, self.addressed(rpc, target, data))
        if answer.flag == decode.NOT_IN_CONTROL:
            raise NotInControlError(decode.fault_text(answer)[0], holder="")
        return answer

    def addressed(self, rpc: str, target: Target, data: WireMessage | None = None) -> WireMessage:
        """Return the ``AddressedCommand``; what the target leaves open is what the shells send (contract 11)."""
        return self.call.schema.message(decode.PACKAGE + "AddressedCommand")(
            command_name=rpc,
            command_data=None if data is None else self.call.schema.pack(data),
            target=target.path,
            execute_along_path=bool(target.along_path),
            execute_on_all_subsequent_children_in_path=target.all_children is not False,
        )


def _along(target: Target) -> Target:
    """Return the target with the parents recomputed, too, unless told otherwise: so do the shells (contract 11)."""
    return Target(target.path, target.along_path is not False, target.all_children)


def _status(answer: WireMessage) -> NodeStatus:
    """Return the status of a node and of all below it; a node that did not answer has none (contract 10.3)."""
    try:
        wire = decode.payload(answer, "Status")
    except ConsoleError:
        return decode.silent(answer.name)
    children = sorted((_status(child) for child in answer.children), key=lambda child: child.name)
    return decode.status(wire, answer.name, tuple(children))
