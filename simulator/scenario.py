"""Scenarios: what is to go wrong, in which order and when, read from YAML."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.fsm import INITIAL_STATE, TRANSITIONS
from simulator.orders import Arguments, BadOrderError, Order, find_order
from simulator.sessions import ROOT_CONTROLLER
from wire.yaml_text import YamlDocument, YamlError, read_yaml

FOLDER = Path(__file__).parent / "scenarios"
SUFFIX = ".yaml"
# A trainee may take so long over what a step waits for.
PATIENCE_S = 1_800.0
STATES = frozenset({INITIAL_STATE, *(transition.destination for transition in TRANSITIONS if transition.destination)})
_A_DAY_S = 86_400.0


class ScenarioError(Exception):
    """A scenario that cannot be played; the text says in which line and step, and why."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What a step waits for: that a node is in a state, in error or not; what is None does not matter."""

    node: str = ROOT_CONTROLLER
    state: str | None = None
    in_error: bool | None = None

    def __str__(self) -> str:
        """Say it in words."""
        error = "" if self.in_error is None else " in error" if self.in_error else " not in error"
        return f"{self.node} to be{f' {self.state}' if self.state else ''}{error}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    Attributes:
        line: Where it stands in its text.
        condition: Waited for first; None for nothing.
        patience_s: How long, in seconds of the clock on the wall.
        after_s: Then so long is waited, divided by the speed.
        order: Then this is done; None for nothing.
        arguments: With these; a missing ``session`` is filled in by the player.
        say: What the step is about, for those who watch.
    """

    line: int
    condition: Condition | None = None
    patience_s: float = PATIENCE_S
    after_s: float = 0.0
    order: Order | None = None
    arguments: Mapping[str, object] = field(default_factory=dict)
    say: str = ""

    def arguments_in(self, session: str) -> Arguments:
        """Return the order's arguments in a session, checked.

        Raises:
            BadOrderError: They are wrong.
        """
        if self.order is None:
            if self.arguments:
                raise BadOrderError("with is there without an order")
            return {}
        default = {"session": session} if self.order.wants("session") else {}
        return self.order.checked(default | dict(self.arguments))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A list of steps with a title, what a trainee learns from it, and the session, empty for the first one."""

    title: str
    teaches: str
    steps: tuple[Step, ...]
    session: str = ""


_Words = Annotated[str, Field(min_length=1, max_length=500)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class _ConditionText(_Strict):
    node: _Words = ROOT_CONTROLLER
    state: _Words | None = None
    in_error: bool | None = None
    within: Annotated[float, Field(gt=0, le=_A_DAY_S)] = PATIENCE_S


class _StepText(_Strict):
    when: _ConditionText | None = None
    after: Annotated[float, Field(ge=0, le=_A_DAY_S)] = 0.0
    order: _Words | None = None
    arguments: Annotated[dict[str, Any], Field(alias="with")] = {}
    say: Annotated[str, Field(max_length=500)] = ""


class _ScenarioText(_Strict):
    title: _Words
    teaches: _Words
    session: Annotated[str, Field(max_length=255)] = ""
    steps: Annotated[list[_StepText], Field(min_length=1, max_length=200)]


def read_scenario(text: str) -> Scenario:
    """Return the scenario in a YAML text.

    Raises:
        ScenarioError: It is none; all problems are named, each with its line.
    """
    try:
        document = read_yaml(text)
        found = _ScenarioText.model_validate(document.value)
    except YamlError as error:
        raise ScenarioError(str(error)) from error
    except ValidationError as error:
        raise ScenarioError("\n".join(_problem(document, problem) for problem in error.errors())) from error
    steps = tuple(_step(document, number, step) for number, step in enumerate(found.steps))
    return Scenario(found.title, found.teaches, steps, found.session)


def _problem(document: YamlDocument, problem: Mapping[str, Any]) -> str:
    place = problem["loc"]
    return f"{_where(document, place)}: {problem['msg']}"


def _where(document: YamlDocument, place: tuple[str | int, ...]) -> str:
    line = f"line {document.line_of(place)}"
    match place:
        case ("steps", int(number), *rest):
            inside = ".".join(map(str, rest))
            return f"{line}, step {number + 1}{f', {inside}' if inside else ''}"
        case ():
            return line
        case _:
            return f"{line}, {'.'.join(map(str, place))}"


def _step(document: YamlDocument, number: int, given: _StepText) -> Step:
    """Return a step; ScenarioError when it orders what does not exist or waits for what cannot be."""
    place: tuple[str | int, ...] = ("steps", number)
    try:
        step = Step(
            line=document.line_of(place),
            condition=None if given.when is None else _condition(given.when),
            patience_s=PATIENCE_S if given.when is None else given.when.within,
            after_s=given.after,
            order=None if given.order is None else find_order(given.order),
            arguments=given.arguments,
            say=given.say,
        )
        step.arguments_in("any")
    except BadOrderError as error:
        raise ScenarioError(f"{_where(document, place)}: {error}") from error
    return step


def _condition(given: _ConditionText) -> Condition:
    if given.state is None and given.in_error is None:
        raise BadOrderError("when needs a state or in_error")
    if given.state is not None and given.state not in STATES:
        raise BadOrderError(f"there is no state {given.state!r}; known are {', '.join(sorted(STATES))}")
    return Condition(given.node, given.state, given.in_error)


def shipped_scenarios() -> Mapping[str, str]:
    """Return the texts of the scenarios that come with the simulator, by name."""
    return {file.stem: file.read_text() for file in sorted(FOLDER.glob(f"*{SUFFIX}"))}
