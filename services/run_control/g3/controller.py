"""A G3 controller (contract 6.2, sections 8, 10 and 11)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from services.errors import DruncError, NotInControlError, SchemaMismatchError
from services.run_control import decode
from services.run_control.adapter import THIS_NODE, DescribedNode, NodeStatus
from services.run_control.arguments import INT64_MAX
from services.run_control.arguments_on_wire import fsm_command
from services.run_control.command_types import Action, CommandResult
from services.run_control.fsm_types import ArgumentValue, Sequence, Transition
from services.run_control.g3.call import CONTROLLER, TypedCaller, message, token
from services.run_control.g3.judge import command_result, control_result, flag_words, plain_result
from services.run_control.node_types import NodeKind, Target
from services.run_control.session_types import RunInfo
from services.run_control.support import Deadlines, sequence
from services.texts import clean
from wire.schema import WireMessage, load_g3

GENERATION = "G3"
ACTIONS = frozenset(
    {
        Action.TAKE_CONTROL,
        Action.RELEASE_CONTROL,
        Action.EXECUTE_TRANSITION,
        Action.INCLUDE,
        Action.EXCLUDE,
        Action.RECOMPUTE_STATUS,
        Action.EXPERT_COMMAND,
        Action.TO_ERROR,
    }
)

# RPC → names of its messages, without ``Request`` and ``Response``.
_MESSAGES = {
    "describe": "Describe",
    "status": "Status",
    "describe_fsm": "DescribeFSM",
    "execute_fsm_command": "ExecuteFSMCommand",
    "execute_expert_command": "ExecuteExpertCommand",
    "include": "Include",
    "exclude": "Exclude",
    "take_control": "TakeControl",
    "surrender_control": "SurrenderControl",
    "who_is_in_charge": "WhoIsInCharge",
    "recompute_status": "RecomputeStatus",
    "to_error": "ToError",
}
_ALL_TRANSITIONS = "all-transitions"
_POSSIBLE_NOW = ""

_ONLY_THIS = Target(along_path=True, all_children=False)
_WHOLE_TREE = Target(along_path=True, all_children=True)

# A start time before this (2001) is none: the field may as well hold a length of time.
_FIRST_PLAUSIBLE_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class G3Controller:
    """Adapter of one controller (see `services.run_control.adapter.ControllerAdapter`)."""

    call: TypedCaller
    deadlines: Deadlines

    @property
    def generation(self) -> str:
        """Name of the schema generation."""
        return GENERATION

    @property
    def actions(self) -> frozenset[Action]:
        """What can be asked of a G3 controller."""
        return ACTIONS

    def describe(self, user: str) -> DescribedNode:
        """Return the tree below the controller (``describe``, recursive)."""
        return _described(self._read("describe", user, _WHOLE_TREE))

    def status(self, user: str) -> NodeStatus:
        """Return the status of the whole tree (``status``, recursive), and of the run."""
        answer = self._read("status", user, _WHOLE_TREE)
        if not answer.HasField("status"):
            raise SchemaMismatchError(f"The answer of {clean(answer.name)} lacks its Status.")
        return _status(answer)

    def children_status(self, user: str) -> tuple[NodeStatus, ...]:
        """Return the status of the direct children, by name."""
        return self.status(user).children or ()

    def holder(self, user: str) -> str:
        """Return who is in control of this node (``who_is_in_charge``)."""
        return clean(self._read("who_is_in_charge", user, _ONLY_THIS).text, decode.NAME_WIDTH)

    def transitions(self, user: str) -> tuple[Transition, ...]:
        """Return all transitions (``describe_fsm``)."""
        return tuple(decode.transition(command) for command in self._describe_fsm(user, _ALL_TRANSITIONS).commands)

    def possible(self, user: str) -> tuple[str, ...]:
        """Return the transitions possible now (``describe_fsm`` with an empty key)."""
        return tuple(clean(command.name) for command in self._describe_fsm(user, _POSSIBLE_NOW).commands)

    def sequences(self, user: str) -> tuple[Sequence, ...]:
        """Return the sequences that the server lists (contract 12.3)."""
        listed = self._describe_fsm(user, _ALL_TRANSITIONS).sequences
        return tuple(sequence(clean(found.id), [clean(name) for name in found.command_ids]) for found in listed)

    def take_control(self, user: str) -> CommandResult:
        """Take control of the whole tree (``take_control``; it steals)."""
        return control_result(self._write("take_control", user, _WHOLE_TREE))

    def release_control(self, user: str) -> CommandResult:
        """Release control of the whole tree (``surrender_control``); its text cannot be trusted (contract 8.3)."""
        return control_result(self._write("surrender_control", user, _WHOLE_TREE))

    def execute(
        self,
        user: str,
        transition: Transition,
        arguments: Mapping[str, ArgumentValue],
        target: Target = THIS_NODE,
    ) -> CommandResult:
        """Execute a transition (``execute_fsm_command``)."""
        order = fsm_command(load_g3(), CONTROLLER, transition, arguments)
        return command_result(self._write("execute_fsm_command", user, target, command=order))

    def include(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Include nodes (``include``)."""
        return plain_result(self._write("include", user, target))

    def exclude(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Exclude nodes (``exclude``)."""
        return plain_result(self._write("exclude", user, target))

    def recompute_status(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Recompute the status of nodes (``recompute_status``), of those on the way, too, unless told otherwise."""
        along = replace(target, along_path=target.along_path is not False)
        return plain_result(self._write("recompute_status", user, along))

    def execute_expert_command(self, user: str, command: str, target: Target = THIS_NODE) -> CommandResult:
        """Send an expert command (``execute_expert_command``)."""
        return command_result(self._write("execute_expert_command", user, target, json_string=command))

    def to_error(self, user: str, target: Target = THIS_NODE) -> CommandResult:
        """Put nodes in error (``to_error``)."""
        return plain_result(self._write("to_error", user, target))

    def _describe_fsm(self, user: str, key: str) -> WireMessage:
        return self._read("describe_fsm", user, _ONLY_THIS, key=key).description

    def _read(self, rpc: str, user: str, target: Target, **fields: Any) -> WireMessage:
        answer = self._call(rpc, user, target, self.deadlines.read_s, fields)
        if answer.flag != decode.OK:
            raise DruncError(f"{clean(answer.name)}: {flag_words(answer)}")
        return answer

    def _write(self, rpc: str, user: str, target: Target, **fields: Any) -> WireMessage:
        answer = self._call(rpc, user, target, self.deadlines.command_s, fields)
        if answer.flag == decode.NOT_IN_CONTROL:
            told = clean(answer.text) if "text" in answer.DESCRIPTOR.fields_by_name else ""
            raise NotInControlError(told or f"{user} is not in control of {clean(answer.name)}.", holder="")
        return answer

    def _call(self, rpc: str, user: str, target: Target, deadline_s: float, fields: Mapping[str, Any]) -> WireMessage:
        name = CONTROLLER + _MESSAGES[rpc]
        request = message(name + "Request")(
            token=token(user),
            target=target.path,
            execute_along_path=bool(target.along_path),
            execute_on_all_subsequent_children_in_path=target.all_children is not False,
            **fields,
        )
        return self.call(rpc, request, name + "Response", deadline_s)


def _described(answer: WireMessage) -> DescribedNode:
    children = sorted((_described(child) for child in answer.children), key=lambda child: child.name)
    detector = clean(answer.description.info, decode.NAME_WIDTH)
    return DescribedNode(clean(answer.name), _kind(answer), tuple(children), detector)


def _kind(answer: WireMessage) -> NodeKind | None:
    if answer.flag == decode.NOT_IMPLEMENTED:
        return NodeKind.APPLICATION
    if answer.flag != decode.OK or not answer.description.type:
        return None
    return NodeKind.CONTROLLER if answer.description.type == "controller" else NodeKind.APPLICATION


def _status(answer: WireMessage) -> NodeStatus:
    """Return the status of a node and of all below it; one that did not answer has none."""
    if answer.flag != decode.OK or not answer.HasField("status"):
        return decode.silent(answer.name)
    children = sorted((_status(child) for child in answer.children), key=lambda child: child.name)
    return decode.status(answer.status, answer.name, tuple(children), _run(answer.status))


def _run(status: WireMessage) -> RunInfo | None:
    if not status.HasField("run_info"):
        return None
    info = status.run_info
    plausible = info.run_time_at_start >= _FIRST_PLAUSIBLE_S
    return RunInfo(
        number=info.run_number if 0 < info.run_number <= INT64_MAX else None,
        type=clean(info.run_type) or None,
        # Twice as wide on the wire as the argument that it comes from.
        trigger_rate_hz=decode.short_decimal(info.trigger_rate),
        storage_disabled=info.disable_data_storage,
        started_at=datetime.fromtimestamp(info.run_time_at_start, UTC) if plausible else None,
    )
