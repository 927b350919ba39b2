"""From what people typed to the values of a transition's arguments."""

import math
import struct
from collections.abc import Mapping

from services.errors import InvalidInputError
from services.run_control.fsm_types import Argument, ArgumentType, ArgumentValue, Transition

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
# Above this a float no longer stands for one integer only.
EXACT_FLOAT = 2**53
# The longest text of a 64-bit integer, sign included.
MAX_DIGITS = 20
MAX_TEXT = 10_000

_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


def parse_arguments(transition: Transition, raw: Mapping[str, object]) -> dict[str, ArgumentValue]:
    """Check and convert the arguments given for a transition.

    An optional argument that is absent, None or empty text is left out, so that the server's default applies: sent as
    empty text it would count as given (contract 10.5, step 2).

    Raises:
        InvalidInputError: A mandatory argument is missing, a value does not fit its type or choices, or there is no
            such argument. ``field`` is the argument's name.
    """
    declared = {argument.name for argument in transition.arguments}
    for name in raw:
        if name not in declared:
            raise InvalidInputError(f"{transition.name} has no argument {name}.", field=name)
    values: dict[str, ArgumentValue] = {}
    for argument in transition.arguments:
        given = raw.get(argument.name)
        if not _is_empty(given):
            values[argument.name] = _chosen(argument, _value(argument, given))
        elif argument.mandatory:
            raise _invalid(argument, "is mandatory", "Give a value.")
    return values


def _is_empty(given: object) -> bool:
    return given is None or (isinstance(given, str) and not given.strip())


def _value(argument: Argument, given: object) -> ArgumentValue:
    match argument.type:
        case ArgumentType.INT:
            return _integer(argument, given)
        case ArgumentType.FLOAT:
            return _float(argument, given)
        case ArgumentType.BOOL:
            return _boolean(argument, given)
        case ArgumentType.STRING:
            return _text(argument, given)


def _integer(argument: Argument, given: object) -> int:
    value = _as_integer(given)
    if value is None:
        raise _invalid(argument, "must be a whole number")
    if not INT64_MIN <= value <= INT64_MAX:
        raise _invalid(argument, "is too large: drunc takes 64-bit integers")
    return value


def _as_integer(given: object) -> int | None:
    if isinstance(given, bool):
        return None
    if isinstance(given, int):
        return given
    if isinstance(given, float):
        return int(given) if given.is_integer() and abs(given) <= EXACT_FLOAT else None
    # int() also takes underscores and the digits of other scripts, and any length.
    text = given.strip() if isinstance(given, str) else ""
    digits = text[1:] if text.startswith(("+", "-")) else text
    return int(text) if digits.isascii() and digits.isdecimal() and len(text) <= MAX_DIGITS else None


def _float(argument: Argument, given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise _invalid(argument, "must be a number")
    try:
        value = float(given)
        struct.pack("<f", value)
    except ValueError as error:
        raise _invalid(argument, "must be a number") from error
    except OverflowError as error:
        raise _invalid(argument, "is too large: drunc takes 32-bit floats") from error
    if not math.isfinite(value):
        raise _invalid(argument, "must be a finite number")
    return value


def _boolean(argument: Argument, given: object) -> bool:
    if isinstance(given, bool):
        return given
    word = str(given).strip().casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise _invalid(argument, "must be true or false")


def _text(argument: Argument, given: object) -> str:
    if not isinstance(given, str):
        raise _invalid(argument, "must be text")
    if len(given) > MAX_TEXT:
        raise _invalid(argument, f"is longer than {MAX_TEXT} characters")
    # Neither protobuf nor PostgreSQL can hold these.
    if "\x00" in given or any("\ud800" <= character <= "\udfff" for character in given):
        raise _invalid(argument, "holds a character that cannot be sent")
    return given


def _chosen(argument: Argument, value: ArgumentValue) -> ArgumentValue:
    if not argument.choices:
        return value
    for choice in argument.choices:
        if choice == value or (isinstance(value, str) and str(choice).casefold() == value.strip().casefold()):
            return choice
    raise _invalid(argument, "must be one of " + ", ".join(str(choice) for choice in argument.choices))


def _invalid(argument: Argument, problem: str, next_step: str = "Correct the value.") -> InvalidInputError:
    return InvalidInputError(f"{argument.name} {problem}.", field=argument.name, next_step=next_step)
