"""What can be ordered from a running simulator: one table for command line, control page and scenarios."""

import base64
import binascii
import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from simulator.installation import Installation
from simulator.issues import SEVERITIES
from simulator.sessions import ROOT_CONTROLLER

Value = str | float | int | bool
Arguments = Mapping[str, Value]


class BadOrderError(Exception):
    """An order that nobody can carry out: unknown, or with wrong arguments; the text is for people."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of an order; without a ``default`` it must be given."""

    name: str
    kind: type[str] | type[int] | type[float] | type[bool] = str
    default: Value | None = None
    choices: tuple[str, ...] = ()

    def checked(self, given: object) -> Value:
        """Return a value of the right kind.

        Raises:
            BadOrderError: It is of another.
        """
        if isinstance(given, bool):
            if self.kind is bool:
                return given
        elif isinstance(given, str):
            if self.kind is str:
                return self._chosen(given)
        elif isinstance(given, int | float) and math.isfinite(given):
            if self.kind is float:
                return float(given)
            if self.kind is int and given == int(given):
                return int(given)
        words = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
        raise BadOrderError(f"{self.name} must be {words[self.kind]}")

    def _chosen(self, given: str) -> str:
        if self.choices and given not in self.choices:
            raise BadOrderError(f"{self.name} must be one of {', '.join(self.choices)}")
        return given


@dataclass(frozen=True, slots=True)
class Order:
    """One order.

    Attributes:
        name: Its name.
        does: What it does, in a few words.
        parameters: What it wants to know.
        carry_out: Does it; SimulatorError when this installation cannot.
    """

    name: str
    does: str
    parameters: tuple[Parameter, ...]
    carry_out: Callable[..., None]

    def wants(self, parameter: str) -> bool:
        """Tell whether the order has a parameter of that name."""
        return any(known.name == parameter for known in self.parameters)

    def checked(self, given: Mapping[str, object]) -> Arguments:
        """Return all arguments, defaults filled in.

        Raises:
            BadOrderError: One is missing, unknown or of the wrong kind.
        """
        unknown = given.keys() - {known.name for known in self.parameters}
        if unknown:
            names = ", ".join(known.name for known in self.parameters) or "nothing"
            raise BadOrderError(f"{self.name} does not know {', '.join(sorted(unknown))}; it takes {names}")
        return {known.name: self._value(known, given) for known in self.parameters}

    def _value(self, parameter: Parameter, given: Mapping[str, object]) -> Value:
        if parameter.name in given:
            return parameter.checked(given[parameter.name])
        if parameter.default is None:
            raise BadOrderError(f"{self.name}: {parameter.name} is missing")
        return parameter.default


def find_order(name: str) -> Order:
    """Return an order by name.

    Raises:
        BadOrderError: There is none.
    """
    found = next((order for order in ORDERS if order.name == name), None)
    if found is None:
        raise BadOrderError(f"There is no order {name!r}; known are {', '.join(order.name for order in ORDERS)}")
    return found


def _begin_flood(installation: Installation, count: int, rate_hz: float, severity: str) -> None:
    """Begin a flood; it goes on after the answer."""
    installation.flood(0, severity=severity)
    arguments = (count, rate_hz, severity)
    threading.Thread(target=installation.flood, args=arguments, name="simulator-flood", daemon=True).start()


def _publish_raw(installation: Installation, topic: str, value_base64: str) -> None:
    try:
        value = base64.b64decode(value_base64, validate=True)
    except binascii.Error as error:
        raise BadOrderError("value_base64 is not base 64") from error
    installation.publish_raw(topic, value)


_SESSION = Parameter("session")
_NAME = Parameter("name")
_NODE = Parameter("node")
_TRANSITION = Parameter("transition")
_SEVERITY = Parameter("severity", str, "INFO", SEVERITIES)

ORDERS: tuple[Order, ...] = (
    Order("kill", "A process dies", (_SESSION, _NAME, Parameter("exit_code", int, 255)), Installation.kill),
    Order(
        "die-after-boot",
        "A process dies so long after it is booted the next time",
        (_SESSION, _NAME, Parameter("seconds", float), Parameter("exit_code", int, 255)),
        Installation.die_after_boot,
    ),
    Order("silence", "An application lives but answers nothing", (_SESSION, _NODE), Installation.silence),
    Order(
        "fail",
        "The next such transition fails in an application",
        (_SESSION, _TRANSITION, _NODE),
        Installation.fail,
    ),
    Order(
        "slow",
        "Such transitions take so long, until 0",
        (_SESSION, _TRANSITION, Parameter("seconds", float)),
        Installation.slow,
    ),
    Order("steal", "Somebody else takes control", (_SESSION, Parameter("user", str, "mallory")), Installation.steal),
    Order("controller-down", "A controller answers no more", (_SESSION, _NAME), Installation.controller_down),
    Order(
        "wedge",
        "A controller is stuck before a transition",
        (_SESSION, Parameter("name", str, ROOT_CONTROLLER)),
        Installation.wedge,
    ),
    Order("to-error", "A controller goes in error", (_SESSION, _NAME), Installation.to_error),
    Order("exclude", "A part of the tree is excluded", (_SESSION, _NAME), Installation.exclude),
    Order("include", "A part of the tree is included again", (_SESSION, _NAME), Installation.include),
    Order(
        "restart-process-manager",
        "It ends with all that it started and comes back empty",
        (),
        Installation.restart_process_manager,
    ),
    Order(
        "empty-connectivity",
        "The connectivity service forgets all addresses and gets no new ones",
        (Parameter("emptied", bool, default=True),),
        Installation.empty_connectivity,
    ),
    Order(
        "stall-kafka",
        "Nothing that is published reaches Kafka",
        (Parameter("stalled", bool, default=True),),
        Installation.stall_kafka,
    ),
    Order(
        "kafka-down",
        "Nothing reaches Kafka, and every call of the process manager fails for that",
        (Parameter("down", bool, default=True),),
        Installation.kafka_down,
    ),
    Order(
        "flood",
        "Many ERS issues, at rate 0 as fast as they go",
        (Parameter("count", int), Parameter("rate_hz", float, 0.0), _SEVERITY),
        _begin_flood,
    ),
    Order(
        "issue",
        "An application raises one ERS issue",
        (_SESSION, _NODE, _SEVERITY, Parameter("text")),
        Installation.raise_issue,
    ),
    Order(
        "publish-raw",
        "Bytes go to a topic as they are",
        (Parameter("topic"), Parameter("value_base64")),
        _publish_raw,
    ),
    Order("reset", "All faults are forgotten, every session is booted anew", (), Installation.reset),
)
