"""The state machine of all generations: states, transitions, keys, arguments, actions (contract 10.4, 12)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator import g1
from simulator.flags import ArgumentType
from simulator.g1 import DruncError
from wire import WireMessage

INITIAL_STATE = "initial"
ALL_TRANSITIONS = "all-transitions"
RUN_TYPES = ("PROD", "TEST")

Value = int | float | str | bool

_VALUE_MESSAGES = {
    ArgumentType.INT: "int_msg",
    ArgumentType.FLOAT: "float_msg",
    ArgumentType.STRING: "string_msg",
    ArgumentType.BOOL: "bool_msg",
}


@dataclass(frozen=True, slots=True)
class Transition:
    """One transition; ``source`` is a regular expression, an empty ``destination`` changes nothing."""

    name: str
    source: str
    destination: str

    def possible_from(self, state: str) -> bool:
        """Tell whether the transition may start in a state: a match from the start of its name (contract 12.1)."""
        return re.match(self.source, state) is not None


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a transition; mandatory ones have no default."""

    name: str
    type: ArgumentType
    default: Value | None = None

    @property
    def mandatory(self) -> bool:
        """Whether the client must send it."""
        return self.default is None

    def described(self) -> WireMessage:
        """Return the ``Argument`` message of ``describe_fsm``."""
        return g1.make(
            "Argument",
            name=self.name,
            presence=0 if self.mandatory else 1,
            type=int(self.type),
            default_value=None if self.default is None else packed_value(self.type, self.default),
        )


# In the order of listings (contract 12.1).
TRANSITIONS = (
    Transition("conf", "initial", "configured"),
    Transition("start", "configured", "ready"),
    Transition("enable_triggers", "ready", "running"),
    Transition("disable_triggers", "running", "ready"),
    Transition("drain_dataflow", "ready", "dataflow_drained"),
    Transition("stop_trigger_sources", "dataflow_drained", "trigger_sources_stopped"),
    Transition("stop", "trigger_sources_stopped", "configured"),
    Transition("scrap", "configured", "initial"),
    Transition("change_rate", "ready|running", ""),
)


def destination_of(transition: str, state: str) -> str:
    """Return where a transition leads from a state; an empty destination leads nowhere."""
    named = next((t.destination for t in TRANSITIONS if t.name == transition), "")
    return named or state


def packed_value(kind: ArgumentType, value: Value) -> WireMessage:
    """Return the ``Any`` of an argument's value (contract 12.5)."""
    return g1.pack(g1.make(_VALUE_MESSAGES[kind], value=value))


@dataclass(frozen=True, slots=True)
class FsmConfiguration:
    """What one controller knows of the state machine: the transitions, and the arguments its actions want."""

    arguments: Mapping[str, tuple[Argument, ...]] = field(default_factory=dict)

    def find(self, name: str) -> Transition:
        """Return a transition by name.

        Raises:
            IndexError: There is none: G1 takes the first of an empty list (contract 10.5, step 1).
        """
        return [transition for transition in TRANSITIONS if transition.name == name][0]  # noqa: RUF015

    def knows(self, name: str) -> bool:
        """Tell whether there is a transition of that name."""
        return any(transition.name == name for transition in TRANSITIONS)

    def select(self, key: str, state: str) -> tuple[Transition, ...]:
        """Return the transitions that a key of ``describe_fsm`` names, for a node in ``state`` (contract 10.4)."""
        if key == "":
            return tuple(t for t in TRANSITIONS if t.possible_from(state))
        if key == ALL_TRANSITIONS:
            return TRANSITIONS
        by_name = tuple(t for t in TRANSITIONS if t.name == key)
        return by_name or tuple(t for t in TRANSITIONS if t.source == key)

    def described(self, transition: Transition) -> WireMessage:
        """Return the ``FSMCommandDescription`` of a transition."""
        return g1.make(
            "FSMCommandDescription",
            name=transition.name,
            data_type=["controller_pb2.FSMCommand"],
            return_type="controller_pb2.FSMCommandResponse",
            arguments=[argument.described() for argument in self.arguments.get(transition.name, ())],
        )

    def resolve(self, transition: str, given: Mapping[str, WireMessage]) -> dict[str, Value]:
        """Return the value of every declared argument; undeclared ones are ignored (contract 10.5, step 2).

        Raises:
            DruncError: A mandatory argument is missing, or a value is of the wrong type.
        """
        return {argument.name: _resolved(argument, given) for argument in self.arguments.get(transition, ())}

    def prepare(self, transition: str, values: Mapping[str, Value]) -> dict[str, Value]:
        """Run the actions before a transition; return what they add to the JSON for the children (contract 13).

        Raises:
            DruncError: The run type is neither PROD nor TEST; the action is mandatory.
        """
        if transition == "start" and "run_number" in values:
            return _run_number_action(values)
        if transition == "change_rate" and "trigger_rate" in values:
            return {"trigger_rate": values["trigger_rate"]}
        return {}


def _resolved(argument: Argument, given: Mapping[str, WireMessage]) -> Value:
    if argument.name in given:
        wanted = f"type.googleapis.com/{g1.PACKAGE}.{_VALUE_MESSAGES[argument.type]}"
        if given[argument.name].type_url != wanted:
            raise DruncError(f'The argument "{argument.name}" is not of type {argument.type.name}')
        value: Value = g1.unpack(given[argument.name]).value
        return value
    if argument.default is None:
        # The transition's name is missing in the original's text as well.
        raise DruncError(f'The mandatory argument "{argument.name}" was not provided to the transition ')
    return argument.default


def _run_number_action(values: Mapping[str, Value]) -> dict[str, Value]:
    """The action ``user-provided-run-number``."""
    run_type = str(values["run_type"]).upper()
    if run_type not in RUN_TYPES:
        raise DruncError(f"Run type {values['run_type']!r} is neither PROD nor TEST")
    return {
        "run": values["run_number"],
        "production_vs_test": run_type,
        "disable_data_storage": values["disable_data_storage"],
        "trigger_rate": values["trigger_rate"],
    }


# Root controllers of the example sessions: user-provided-run-number, file-logbook, trigger-rate-specifier.
FSM_CONF_TEST = FsmConfiguration(
    {
        "start": (
            Argument("run_number", ArgumentType.INT),
            Argument("disable_data_storage", ArgumentType.BOOL, default=False),
            Argument("trigger_rate", ArgumentType.FLOAT, 0.0),
            Argument("run_type", ArgumentType.STRING, "TEST"),
            Argument("file_logbook_post", ArgumentType.STRING, ""),
        ),
        "drain_dataflow": (Argument("file_logbook_post", ArgumentType.STRING, ""),),
        "change_rate": (Argument("trigger_rate", ArgumentType.FLOAT),),
    }
)

# Segment controllers: no actions, so no arguments (contract 12.2).
FSM_NO_ACTION = FsmConfiguration()
