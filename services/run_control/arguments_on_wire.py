"""Arguments of transitions as ``Any`` of value messages, in every generation (contract sections 3 and 12.5)."""

from collections.abc import Mapping

from services.run_control.decode import PACKAGE
from services.run_control.fsm_types import ArgumentType, ArgumentValue, Transition
from wire.schema import Schema, WireMessage

_VALUE_MESSAGES = {
    ArgumentType.INT: "int_msg",
    ArgumentType.FLOAT: "float_msg",
    ArgumentType.STRING: "string_msg",
    ArgumentType.BOOL: "bool_msg",
}


def fsm_command(
    schema: Schema, package: str, transition: Transition, arguments: Mapping[str, ArgumentValue]
) -> WireMessage:
    """Return the ``FSMCommand`` of ``package`` with the arguments that are given; the server fills in the rest."""
    order = schema.message(package + "FSMCommand")(command_name=transition.name)
    for argument in transition.arguments:
        if argument.name in arguments:
            value = schema.message(PACKAGE + _VALUE_MESSAGES[argument.type])(value=arguments[argument.name])
            order.arguments[argument.name].CopyFrom(schema.pack(value))
    return order
