"""Which messages call for an alarm: a site's rules, read from YAML, or the built-in ones.

What a filter says is not known here: whoever composes the program hands over what makes a condition of its text.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy import ColumnElement

from models.alarms import RULE_LENGTH
from models.messages import Message
from services.alarms.types import Burst, Guidance, Priority, RuleView
from services.errors import ConsoleError
from services.texts import is_storable
from wire.yaml_text import Place, YamlDocument, YamlError, read_yaml

MAX_RULES = 100
# What people write about an alarm by hand is as long (`services.alarms.service`).
MAX_TEXT = 2_000
MAX_FILTER = 2_000
MAX_MESSAGES = 10_000
MAX_SECONDS = 3_600

# From SQLAlchemy's name of a dialect to a condition on `models.messages.Message`.
MessageCondition = Callable[[str], ColumnElement[bool]]


class RulesError(Exception):
    """Rules that cannot be used; ``problems`` says each of them with its line."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the problems, in the order of the text."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; of several that fit a message the first counts.

    Attributes:
        view: What people read of it.
        condition: Which messages it is for.
        guidance: What its alarms mean and what to do; None where the rule says nothing of it.
    """

    view: RuleView
    condition: MessageCondition
    guidance: Guidance | None = None


def _of_severity(number: int) -> MessageCondition:
    return lambda _dialect: Message.severity == number


# Severities as they are stored (contract 16.2).
BUILT_IN: tuple[Rule, ...] = (
    Rule(RuleView("", "severity=FATAL", Priority.HIGH), _of_severity(5)),
    Rule(RuleView("", "severity=ERROR", Priority.MEDIUM), _of_severity(4)),
)


def guidance_by_rule(rules: Sequence[Rule]) -> Mapping[str, Guidance]:
    """Return the guidance of those rules that have one, by name."""
    return {rule.view.name: rule.guidance for rule in rules if rule.guidance is not None}


def _storable(text: str) -> str:
    if not is_storable(text):
        raise ValueError("holds a character that cannot be stored")
    return text


_Text = Annotated[str, Field(max_length=MAX_TEXT), AfterValidator(_storable)]


class _RuleText(BaseModel):
    """One rule as people write it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=RULE_LENGTH), AfterValidator(_storable)]
    filter: Annotated[str, Field(min_length=1, max_length=MAX_FILTER)]
    priority: Literal["high", "medium", "low", "none"]
    at_least: Annotated[int, Field(ge=2, le=MAX_MESSAGES)] | None = None
    within_s: Annotated[int, Field(ge=1, le=MAX_SECONDS)] | None = None
    meaning: _Text = ""
    action: _Text = ""
    contact: _Text = ""

    @model_validator(mode="after")
    def _burst_is_whole(self) -> "_RuleText":
        if (self.at_least is None) is not (self.within_s is None):
            raise ValueError("give both at_least and within_s, or neither")
        return self

    def rule(self, condition: MessageCondition) -> Rule:
        burst = None if self.at_least is None or self.within_s is None else Burst(self.at_least, self.within_s)
        told = Guidance(self.meaning, self.action, self.contact)
        priority = None if self.priority == "none" else Priority[self.priority.upper()]
        view = RuleView(self.name, self.filter, priority, burst)
        return Rule(view, condition, told if told != Guidance("", "") else None)


class _RulesText(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    rules: Annotated[list[_RuleText], Field(min_length=1, max_length=MAX_RULES)]


def read_rules(text: str, condition_of: Callable[[str], MessageCondition]) -> tuple[Rule, ...]:
    """Return the rules in a YAML text, in its order.

    Args:
        text: The text.
        condition_of: Makes a condition of a filter's text, or raises a ConsoleError that says what is wrong with it.

    Raises:
        RulesError: It holds no rules, or something is wrong with some; all problems are named, each with its line.
    """
    try:
        document = read_yaml(text)
        found = _RulesText.model_validate(document.value).rules
    except YamlError as error:
        raise RulesError([str(error)]) from error
    except ValidationError as error:
        told = error.errors(include_url=False)
        raise RulesError([_problem(document, problem["loc"], _words(problem)) for problem in told]) from error
    problems = _repeated(document, found)
    rules: list[Rule] = []
    for number, given in enumerate(found):
        try:
            rules.append(given.rule(condition_of(given.filter)))
        except ConsoleError as error:
            problems.append(_problem(document, ("rules", number, "filter"), error.message))
    if problems:
        raise RulesError(problems)
    return tuple(rules)


def _repeated(document: YamlDocument, found: Sequence[_RuleText]) -> list[str]:
    times = Counter(given.name for given in found)
    return [
        _problem(document, ("rules", number, "name"), f"{given.name!r} is there {times[given.name]} times")
        for number, given in enumerate(found)
        if times[given.name] > 1
    ]


def _words(problem: Mapping[str, Any]) -> str:
    return str(problem["msg"]).removeprefix("Value error, ")


def _problem(document: YamlDocument, place: Place, what: str) -> str:
    """Return a problem in words, e.g. ``line 7, rule 2, priority: …``."""
    where = f"line {document.line_of(place)}"
    match place:
        case ("rules", int(number), *inside):
            where += f", rule {number + 1}" + "".join(f", {part}" for part in inside)
        case (_, *_):
            where += f", {'.'.join(map(str, place))}"
    return f"{where}: {what}"
