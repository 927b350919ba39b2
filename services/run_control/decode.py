"""From messages of any generation to plain data; whatever the bytes are, only errors of `services.errors` are raised.

The generations' messages have the same fields under different numbers and in pools of their own: what is read here
finds enums and payload types through the message it is given.
"""

import math
from collections.abc import Iterable
from typing import Final

from google.protobuf import message_factory
from google.protobuf.message import DecodeError

from services.errors import ConsoleError, DruncError, NotInControlError, SchemaMismatchError
from services.run_control.adapter import DescribedNode, NodeStatus
from services.run_control.fsm_types import Argument, ArgumentType, ArgumentValue, Transition
from services.run_control.node_types import NodeKind
from services.run_control.session_types import RunInfo
from services.texts import clean
from wire.schema import TYPE_URL_PREFIX, Schema, WireMessage

PACKAGE: Final = "dunedaq.druncschema."

OK, NOT_IMPLEMENTED, NOT_IN_CONTROL, NODE_IN_ERROR, BAD_REQUEST_IN_2024 = 0, 2, 3, 5, 7

# Widths of the columns that the texts end up in.
NAME_WIDTH, STATE_WIDTH, SUB_STATE_WIDTH, ID_WIDTH = 255, 64, 128, 64

# The server takes these two only, and any other value leaves the root controller stuck in `preparing-start`
# (contract 10.5 step 3, 12.5); its description never says so.
RUN_TYPES: Final = ("PROD", "TEST")

_UNKNOWN_STATE = "unknown"


def response(schema: Schema, raw: bytes) -> WireMessage:
    """Return the envelope of G1 and G2, which G3 still uses for refusals (contract 7.4).

    Raises:
        SchemaMismatchError: The bytes are not a ``Response``.
    """
    try:
        return schema.message(PACKAGE + "Response").FromString(raw)
    except DecodeError as error:
        raise SchemaMismatchError(f"The answer ({len(raw)} bytes) is not a drunc response.") from error


def unpacked(data: WireMessage) -> WireMessage:
    """Return what is inside an ``Any``, decoded by its type URL.

    Raises:
        SchemaMismatchError: The type is unknown, or the bytes are not of that type; names type and size.
    """
    pool = data.DESCRIPTOR.file.pool
    try:
        descriptor = pool.FindMessageTypeByName(data.type_url.removeprefix(TYPE_URL_PREFIX))
        return message_factory.GetMessageClass(descriptor).FromString(data.value)
    except (KeyError, DecodeError) as error:
        size = len(data.value)
        raise SchemaMismatchError(f"Undecodable payload of type {clean(data.type_url)!r} ({size} bytes).") from error


def payload(answer: WireMessage, expected: str) -> WireMessage:
    """Return the payload of a successful answer (contract 7.2).

    Raises:
        NotInControlError, DruncError: The answer is a refusal or a fault.
        SchemaMismatchError: The payload is missing or of another type than ``expected``.
    """
    raise_for_flag(answer)
    if not answer.HasField("data"):
        raise SchemaMismatchError(f"The answer of {clean(answer.name)} lacks its {expected}.")
    content = unpacked(answer.data)
    if content.DESCRIPTOR.full_name != PACKAGE + expected:
        raise SchemaMismatchError(f"{clean(answer.name)} answered {content.DESCRIPTOR.name} instead of {expected}.")
    return content


def raise_for_flag(answer: WireMessage) -> None:
    """Raise the error that an envelope stands for, if its flag says anything but success (contract 7.2).

    Raises:
        NotInControlError, DruncError: The answer is a refusal or a fault.
    """
    if answer.flag != OK:
        raise _fault(answer)


def _fault(answer: WireMessage) -> ConsoleError:
    text, stack = fault_text(answer)
    if answer.flag == NOT_IN_CONTROL:
        return NotInControlError(text, holder="")
    node = clean(answer.name)
    return DruncError(f"{node}: {text}", stack=stack, node=node)


def fault_text(answer: WireMessage) -> tuple[str, str]:
    """Return the line for people and the stack trace (or empty) of an answer that is no success."""
    if not answer.HasField("data"):
        return flag_name(answer), ""
    try:
        content = unpacked(answer.data)
    except SchemaMismatchError as error:
        return f"{flag_name(answer)}. {error.message}", ""
    match content.DESCRIPTOR.name:
        case "Stacktrace":
            return last_line(content.text) or flag_name(answer), clean("\n".join(content.text))
        case "PlainText":
            return clean(content.text) or flag_name(answer), ""
        case _:
            return flag_name(answer), ""


def last_line(lines: Iterable[str]) -> str:
    """Return the last line that is not empty: the useful one of a stack trace (contract section 3)."""
    return next((clean(line.strip()) for line in reversed([*lines]) if line.strip()), "")


def flag_name(answer: WireMessage) -> str:
    """Return the name of an answer's flag; unknown numbers keep their number.

    The numbers from 5 on moved in August 2024; the payload tells which numbering it is (contract 2.3).
    """
    kind = answer.data.type_url.rpartition(".")[2]
    if answer.flag == NODE_IN_ERROR and kind == "Stacktrace":
        return "DRUNC_EXCEPTION_THROWN"
    if answer.flag == BAD_REQUEST_IN_2024 and kind == "PlainText":
        return "NOT_EXECUTED_BAD_REQUEST_FORMAT"
    return enum_name(answer, "flag")


def enum_name(wire: WireMessage, field: str) -> str:
    """Return the name of an enum field's value, or ``<enum>_<number>`` for one that the schema does not know."""
    number, enum = getattr(wire, field), wire.DESCRIPTOR.fields_by_name[field].enum_type
    known = enum.values_by_number.get(number)
    return f"{enum.name}_{number}" if known is None else str(known.name)


def status(
    wire: WireMessage, name: str, children: tuple[NodeStatus, ...] | None = None, run: RunInfo | None = None
) -> NodeStatus:
    """Return the ``Status`` of the node ``name``, with its children and the run where they are told.

    G1 reports an unreachable child as ``unknown`` (contract 10.3).
    """
    state, bracketed = split_state(wire.state)
    if state == _UNKNOWN_STATE:
        return silent(name)
    return NodeStatus(
        name=clean(name, NAME_WIDTH),
        state=clean(state, STATE_WIDTH),
        sub_state=clean(bracketed or wire.sub_state or state, SUB_STATE_WIDTH),
        in_error=wire.in_error,
        included=wire.included,
        children=children,
        run=run,
    )


def silent(name: str) -> NodeStatus:
    """Return the status of a node that its parent could not ask."""
    return NodeStatus(clean(name, NAME_WIDTH), None, None, in_error=True, included=None)


def split_state(text: str) -> tuple[str, str]:
    """Split ``<state> (<sub-state>)``, as G1 writes it during a transition, into its parts (contract 22.17)."""
    state, _, rest = text.partition(" ")
    return state, rest.strip().removeprefix("(").removesuffix(")")


def described(answer: WireMessage) -> DescribedNode:
    """Return the tree of a recursive ``describe``; children by name, as they come in order of completion."""
    children = sorted((described(child) for child in answer.children), key=lambda child: child.name)
    return DescribedNode(clean(answer.name), _kind(answer), tuple(children))


def _kind(answer: WireMessage) -> NodeKind | None:
    if answer.flag == NOT_IMPLEMENTED:
        # Only DAQ applications do not know `describe` (contract 4.2).
        return NodeKind.APPLICATION
    try:
        description = payload(answer, "Description")
    except ConsoleError:
        return None
    return NodeKind.CONTROLLER if description.type == "controller" else NodeKind.APPLICATION


def transition(wire: WireMessage) -> Transition:
    """Return an ``FSMCommandDescription``."""
    return Transition(
        name=clean(wire.name, NAME_WIDTH),
        arguments=tuple(_argument(argument) for argument in wire.arguments),
        help=clean(wire.help),
    )


def _argument(wire: WireMessage) -> Argument:
    try:
        kind = ArgumentType(enum_name(wire, "type"))
    except ValueError as error:
        raise SchemaMismatchError(f"Argument {clean(wire.name)} is of the unknown type {wire.type}.") from error
    presence = enum_name(wire, "presence")
    if presence not in ("MANDATORY", "OPTIONAL"):
        raise SchemaMismatchError(f"Argument {clean(wire.name)} has the unknown presence {wire.presence}.")
    default = _value(wire.default_value, kind) if wire.HasField("default_value") else None
    return Argument(
        name=clean(wire.name),
        type=kind,
        mandatory=presence == "MANDATORY",
        default=default,
        choices=_choices(wire, kind, default),
        help=clean(wire.help),
    )


def _choices(wire: WireMessage, kind: ArgumentType, default: ArgumentValue | None) -> tuple[ArgumentValue, ...]:
    if not wire.choices and wire.name == "run_type" and default in RUN_TYPES:
        return RUN_TYPES
    decoded = (_value(choice, kind) for choice in wire.choices)
    return tuple(choice for choice in decoded if choice is not None)


def _value(data: WireMessage, kind: ArgumentType) -> ArgumentValue | None:
    """Return the value of an ``Any`` of a ``*_msg``; None where it does not fit the argument's type."""
    try:
        content = unpacked(data)
    except SchemaMismatchError:
        return None
    match content.DESCRIPTOR.name, kind:
        case "int_msg", (ArgumentType.INT | ArgumentType.FLOAT):
            return int(content.value) if kind is ArgumentType.INT else float(content.value)
        case "float_msg", ArgumentType.FLOAT:
            return short_decimal(content.value)
        case "string_msg", ArgumentType.STRING:
            return clean(content.value)
        case "bool_msg", ArgumentType.BOOL:
            return bool(content.value)
        case _:
            return None


def finite(value: float) -> float | None:
    """Return a number that can be stored as JSON; None for what is none."""
    return value if math.isfinite(value) else None


def short_decimal(value: float) -> float | None:
    """Return the number that a 32-bit float stands for: 0.1 travels as 0.10000000149 (contract 22.6)."""
    return finite(float(f"{value:.7g}"))
