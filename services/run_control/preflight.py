"""The check before a run: what stops a start, what is worth knowing, and what is in order. Reads nothing by itself."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.errors import InvalidInputError
from services.run_control.arguments import parse_arguments
from services.run_control.fsm_types import ArgumentValue, Transition
from services.run_control.node_types import Node
from services.run_control.process_types import Process, ProcessStatus
from services.run_control.session_types import SessionSummary

START = "start"
# So many names are said, the rest is a count.
NAMED = 3


class Verdict(StrEnum):
    """What a check comes to."""

    GO = "go"
    NOTE = "note"
    NO_GO = "no-go"


class Subject(StrEnum):
    """What was looked at."""

    CONTROL = "control"
    STATE = "state"
    NODES = "nodes"
    EXCLUDED = "excluded"
    PROCESSES = "processes"
    RUN_NUMBER = "run number"
    STORAGE = "storage"
    RATE = "trigger rate"


# What no rule of the commands looks at, as drunc would take the order: a person may decide to start all the same.
JUDGEMENT = frozenset({Subject.NODES, Subject.PROCESSES})


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: in a few words, why, and the node it is about where it is one."""

    subject: Subject
    verdict: Verdict
    title: str
    reason: str = ""
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Preflight:
    """All checks, those that stop a start first."""

    checks: tuple[Check, ...]

    @property
    def go(self) -> bool:
        """Whether nothing stops a start."""
        return not self.stopping

    @property
    def stopping(self) -> tuple[Check, ...]:
        """What stops it."""
        return tuple(check for check in self.checks if check.verdict is Verdict.NO_GO)

    @property
    def noted(self) -> tuple[Check, ...]:
        """What is worth knowing and stops nothing."""
        return tuple(check for check in self.checks if check.verdict is Verdict.NOTE)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is about to be started: the transition or sequence with the values in its form, and what stands against it.

    ``obstacles`` are those that the rules of the commands name; ``used`` are run numbers known to be taken.
    """

    transition: Transition
    values: Mapping[str, object]
    obstacles: tuple[str, ...] = ()
    used: Collection[int] = ()


def starts_a_run(transitions: Collection[str]) -> bool:
    """Tell whether a run begins with one of these transitions."""
    return START in transitions


def preflight(
    person: str, session: SessionSummary, nodes: Sequence[Node], processes: Sequence[Process], wanted: Wanted
) -> Preflight:
    """Look at everything that a start depends on."""
    excluded = {node.name for node in nodes if node.included is False}
    found = [
        _control(person, session),
        _state(session, wanted),
        *_nodes(session, nodes),
        *_excluded(nodes),
        *_processes(processes, excluded),
        *_run_number(wanted),
        *_storage(wanted),
        *_rate(wanted),
    ]
    order = (Verdict.NO_GO, Verdict.NOTE, Verdict.GO)
    return Preflight(tuple(sorted(found, key=lambda check: order.index(check.verdict))))


def _control(person: str, session: SessionSummary) -> Check:
    if session.holder == person:
        return Check(Subject.CONTROL, Verdict.GO, "You are in control")
    who = "Nobody" if session.held_by_nobody else session.holder or "Nobody knows who"
    return Check(Subject.CONTROL, Verdict.NO_GO, f"{who} is in control", "Take control first.")


def _state(session: SessionSummary, wanted: Wanted) -> Check:
    # Who is in control is a check of its own.
    others = [why for why in wanted.obstacles if "in control" not in why]
    if others:
        return Check(Subject.STATE, Verdict.NO_GO, f"{session.root_name} cannot {wanted.transition.name}", others[0])
    return Check(Subject.STATE, Verdict.GO, f"{session.root_name} is {session.state}")


def _nodes(session: SessionSummary, nodes: Sequence[Node]) -> list[Check]:
    taking_part = [node for node in nodes if node.included is not False]
    failed = [node for node in taking_part if node.in_error]
    elsewhere = [node for node in taking_part if node.state != session.state and not node.in_error]
    found = []
    if failed:
        found.append(_about(failed, "in error", "Repair or exclude it, then recompute the status."))
    if elsewhere:
        states = ", ".join(dict.fromkeys(node.state or "not known" for node in elsewhere))
        found.append(_about(elsewhere, f"not {session.state}", f"In the state {states}."))
    if not found:
        total = len(taking_part)
        found.append(Check(Subject.NODES, Verdict.GO, f"{total} of {total} nodes {session.state}"))
    return found


def _about(nodes: Sequence[Node], what: str, reason: str) -> Check:
    return Check(Subject.NODES, Verdict.NO_GO, f"{_some([node.name for node in nodes])} {what}", reason, nodes[0].path)


def _excluded(nodes: Sequence[Node]) -> list[Check]:
    excluded = [node for node in nodes if node.included is False]
    if not excluded:
        return []
    names = _some([node.name for node in excluded])
    return [Check(Subject.EXCLUDED, Verdict.NOTE, f"{names} excluded", "Gets nothing.", excluded[0].path)]


def _processes(processes: Sequence[Process], excluded: Collection[str]) -> list[Check]:
    dead = [process for process in processes if process.status is ProcessStatus.DEAD]
    missed = [process.name for process in dead if process.name not in excluded]
    if missed:
        return [Check(Subject.PROCESSES, Verdict.NO_GO, f"{_some(missed)} dead", "Restart it, or exclude its node.")]
    title = f"{len(processes) - len(dead)} of {len(processes)} processes alive"
    if dead:
        return [Check(Subject.PROCESSES, Verdict.NOTE, title, "The dead ones belong to excluded nodes.")]
    return [Check(Subject.PROCESSES, Verdict.GO, title)] if processes else []


def _run_number(wanted: Wanted) -> list[Check]:
    try:
        number = _value(wanted, "run_number")
    except InvalidInputError as error:
        return [Check(Subject.RUN_NUMBER, Verdict.NO_GO, "No run number", error.message)]
    if number is None:
        return []
    if number in wanted.used:
        return [Check(Subject.RUN_NUMBER, Verdict.NOTE, f"Run {number} was used before", "Give another one.")]
    return [Check(Subject.RUN_NUMBER, Verdict.GO, f"Run {number}")]


def _storage(wanted: Wanted) -> list[Check]:
    disabled = _valid(wanted, "disable_data_storage")
    if disabled is None:
        return []
    if disabled:
        return [Check(Subject.STORAGE, Verdict.NOTE, "Data is not stored", "disable_data_storage is true.")]
    return [Check(Subject.STORAGE, Verdict.GO, "Data is stored")]


def _rate(wanted: Wanted) -> list[Check]:
    rate = _valid(wanted, "trigger_rate")
    if rate is None:
        return []
    # Zero means "as configured" (contract 12.5).
    return [Check(Subject.RATE, Verdict.GO, f"{rate:g} Hz" if rate else "Trigger rate as configured")]


def _valid(wanted: Wanted, name: str) -> ArgumentValue | None:
    try:
        return _value(wanted, name)
    except InvalidInputError:
        # It is told at its field.
        return None


def _value(wanted: Wanted, name: str) -> ArgumentValue | None:
    """Return an argument's value, its default where none is given; None where there is no such argument.

    Raises:
        InvalidInputError: It is missing or wrong.
    """
    argument = next((known for known in wanted.transition.arguments if known.name == name), None)
    if argument is None:
        return None
    alone = Transition(wanted.transition.name, (argument,))
    return parse_arguments(alone, {name: wanted.values.get(name)}).get(name, argument.default)


def _some(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")
