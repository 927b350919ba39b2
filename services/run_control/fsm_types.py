"""Plain data of the state machine: transitions, their arguments, and sequences of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

# The argument that counts runs; no two runs have the same.
RUN_NUMBER = "run_number"
# The value of an FSM argument as people and adapters handle it.
ArgumentValue = int | float | str | bool


class ArgumentType(StrEnum):
    """Type of an FSM argument (contract 4.2)."""

    INT = "INT"
    FLOAT = "FLOAT"
    STRING = "STRING"
    BOOL = "BOOL"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a transition, as ``describe_fsm`` describes it."""

    name: str
    type: ArgumentType
    mandatory: bool
    default: ArgumentValue | None = None
    choices: tuple[ArgumentValue, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """One transition of the state machine, as ``describe_fsm`` describes it."""

    name: str
    arguments: tuple[Argument, ...] = ()
    help: str = ""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was used of late.

    Attributes:
        values: By argument, the different values sent in one session, newest first.
        run_numbers: Run numbers sent in any session.
    """

    values: Mapping[str, tuple[ArgumentValue, ...]] = field(default_factory=dict)
    run_numbers: frozenset[int] = frozenset()

    def last(self, argument: str) -> ArgumentValue | None:
        """Return the value that was sent last; None for an argument that never was."""
        return next(iter(self.values.get(argument, ())), None)


@dataclass(frozen=True, slots=True)
class Sequence:
    """Transitions to execute one after the other, e.g. ``start_run`` (contract 12.3).

    Attributes:
        name: Name of the sequence.
        transitions: Names in order.
        optional: Those of them that are skipped where they are not possible.
    """

    name: str
    transitions: tuple[str, ...]
    optional: frozenset[str] = frozenset()
