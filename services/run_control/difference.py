"""What differs between two sessions, or between a session now and at an earlier moment. Pure: it reads nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.history.types import Aspect, Change, Subject, TransitionOutcome, TransitionRun
from services.run_control.command_types import CommandState, CommandView
from services.run_control.fsm_types import RUN_NUMBER
from services.run_control.node_types import Node
from services.run_control.process_types import Process
from services.run_control.session_types import SessionSummary

START = "start"
# What history must hold to go back in time; states, which change with every transition, are no part of a difference.
REWOUND = frozenset(
    {
        Aspect.APPEARED,
        Aspect.VANISHED,
        Aspect.INCLUDED,
        Aspect.RUN_TYPE,
        Aspect.TRIGGER_RATE,
        Aspect.STORAGE_DISABLED,
        Aspect.HOST,
        Aspect.OWNER,
        Aspect.CONFIGURATION,
        Aspect.CONFIGURATION_FILE,
    }
)
_RUN_WORDS = {
    Aspect.RUN_TYPE: "run type",
    Aspect.TRIGGER_RATE: "trigger rate",
    Aspect.STORAGE_DISABLED: "storage",
}
_ORIGIN_WORDS = {
    Aspect.OWNER: "owner",
    Aspect.CONFIGURATION: "configuration",
    Aspect.CONFIGURATION_FILE: "configuration file",
}
_SESSION_WORDS = _RUN_WORDS | _ORIGIN_WORDS
INCLUDED = "takes part"
HOST = "host"
LIFE = "booted"


class Kind(StrEnum):
    """What a thing of a session is, in the order in which differences are read."""

    SESSION = "session"
    ARGUMENT = "argument"
    NODE = "node"
    PROCESS = "process"


@dataclass(frozen=True, slots=True)
class Thing:
    """A part of a session: a node by its path, a process or an argument by its name, or the session itself."""

    kind: Kind
    name: str


# Each thing with what is known of it, in words. An aspect that is left out is not known, and never differs.
Composition = Mapping[Thing, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not the same. ``aspect`` is empty where the thing is on one side only.

    ``left`` and ``right`` are None on the side that does not have the thing.
    """

    thing: Thing
    aspect: str
    left: str | None
    right: str | None


@dataclass(frozen=True, slots=True)
class GoodRun:
    """A run in which every transition succeeded.

    Attributes:
        number: None where nobody told it.
        started_at: When its start had ended.
        at: When it was last as it was: before the transition that ended it.
    """

    number: int | None
    started_at: datetime
    at: datetime


def differences(left: Composition, right: Composition) -> tuple[Difference, ...]:
    """Return what differs, by kind and name."""
    order = tuple(Kind)
    things = sorted({*left, *right}, key=lambda thing: (order.index(thing.kind), thing.name))
    return tuple(found for thing in things for found in _of_thing(thing, left.get(thing), right.get(thing)))


def composition(
    session: SessionSummary,
    nodes: Sequence[Node],
    processes: Sequence[Process],
    arguments: Mapping[str, str],
) -> Composition:
    """Return what a session is made of now."""
    found: dict[Thing, dict[str, str]] = {Thing(Kind.SESSION, ""): _session(session)}
    for node in nodes:
        known = {"kind": node.kind.value, "detector": node.detector}
        found[Thing(Kind.NODE, node.path)] = known | _taking_part(node.included)
    for process in processes:
        found[Thing(Kind.PROCESS, process.name)] = {HOST: process.hostname, "user": process.user}
    return found | _arguments(arguments)


def rewound(
    now: Composition,
    changes: Iterable[Change],
    processes: Sequence[Process],
    arguments: Mapping[str, str],
    at: datetime,
) -> Composition:
    """Return what the session was made of at a moment: everything undone that has changed since.

    Args:
        now: What it is made of.
        changes: All since that moment with an aspect of `REWOUND`, newest first.
        processes: Those of now: of one that was booted later only what the changes tell is known of the one before.
        arguments: What had been sent by then (`arguments_at`).
        at: The moment.
    """
    found = {thing: dict(known) for thing, known in now.items() if thing.kind is not Kind.ARGUMENT}
    later = {thing for thing in found if thing.kind is Kind.PROCESS} - _there_at(processes, at)
    for thing in later:
        found[thing].clear()
    for change in changes:
        _undo(found, change)
    for thing in later & found.keys():
        found[thing][LIFE] = "before"
    return found | _arguments(arguments)


def _there_at(processes: Iterable[Process], at: datetime) -> set[Thing]:
    """Return the processes that were there at a moment already and are still, by name."""
    old = (found for found in processes if found.first_seen_at is not None and found.first_seen_at <= at)
    return {Thing(Kind.PROCESS, process.name) for process in old}


def since_then(now: Composition, processes: Sequence[Process], at: datetime) -> Composition:
    """Return what a session is made of, with word of which processes were booted after a moment."""
    old = _there_at(processes, at)
    return {
        thing: {**known, LIFE: "since then"} if thing.kind is Kind.PROCESS and thing not in old else known
        for thing, known in now.items()
    }


def last_good_run(transitions: Sequence[TransitionRun], numbers: Mapping[int, int]) -> GoodRun | None:
    """Return the newest run that has ended and went well throughout.

    Args:
        transitions: Of one session, newest first.
        numbers: Run numbers by the id of the command that started them, where they are known.
    """
    good: GoodRun | None = None
    start: TransitionRun | None = None
    for found in reversed(transitions):
        if found.transition == START:
            start = found
        if found.outcome is not TransitionOutcome.SUCCEEDED:
            start = None
        if start is None or start.ended_at is None or found.ended_at is None:
            continue
        if found is not start and found.state_after == start.state_before:
            good = GoodRun(numbers.get(start.command_id or 0), start.ended_at, found.began_at)
            start = None
    return good


def arguments_at(commands: Iterable[CommandView], at: datetime | None = None) -> Mapping[str, str]:
    """Return the arguments that were last sent with each transition by a moment, by ``transition argument``.

    Run numbers are left out: they always differ. ``commands`` are newest first; without ``at`` all of them count.
    """
    found: dict[str, str] = {}
    for command in commands:
        if command.state is not CommandState.SUCCEEDED or (at is not None and command.created_at > at):
            continue
        for name, value in command.arguments.items():
            if name != RUN_NUMBER:
                found.setdefault(f"{command.transition} {name}", str(value))
    return found


def _of_thing(thing: Thing, left: Mapping[str, str] | None, right: Mapping[str, str] | None) -> Iterable[Difference]:
    if left is None or right is None:
        one, other = (None if side is None else side.get("value", "there") for side in (left, right))
        return (Difference(thing, "", one, other),)
    shared = (aspect for aspect in left if aspect in right and left[aspect] != right[aspect])
    return tuple(Difference(thing, aspect, left[aspect], right[aspect]) for aspect in shared)


def _arguments(arguments: Mapping[str, str]) -> dict[Thing, dict[str, str]]:
    return {Thing(Kind.ARGUMENT, name): {"value": value} for name, value in arguments.items()}


def _session(session: SessionSummary) -> dict[str, str]:
    known = {
        "owner": session.owner,
        "configuration": session.configuration.id if session.configuration else None,
        "configuration file": session.configuration.file if session.configuration else None,
        "drunc": session.generation,
        **{word: _run_value(session, aspect) for aspect, word in _RUN_WORDS.items()},
    }
    return {aspect: value for aspect, value in known.items() if value is not None}


def _run_value(session: SessionSummary, aspect: Aspect) -> str | None:
    run = session.run
    values = {
        Aspect.RUN_TYPE: run.type,
        Aspect.TRIGGER_RATE: run.trigger_rate_hz,
        Aspect.STORAGE_DISABLED: run.storage_disabled,
    }
    return _run_word(aspect, values[aspect])


def _run_word(aspect: Aspect, value: object) -> str | None:
    if value is None:
        return None
    if aspect is Aspect.STORAGE_DISABLED:
        return "off" if value else "on"
    return f"{value:g} Hz" if isinstance(value, float | int) else str(value)


def _taking_part(included: object) -> dict[str, str]:
    return {} if included is None else {INCLUDED: "yes" if included else "excluded"}


def _undo(found: dict[Thing, dict[str, str]], change: Change) -> None:
    kinds = {Subject.NODE: Kind.NODE, Subject.PROCESS: Kind.PROCESS}
    if change.aspect in _SESSION_WORDS:
        _set(found[Thing(Kind.SESSION, "")], _SESSION_WORDS[change.aspect], _run_word(change.aspect, change.old))
    elif change.subject in kinds:
        _undo_part(found, Thing(kinds[change.subject], change.name), change)


def _undo_part(found: dict[Thing, dict[str, str]], thing: Thing, change: Change) -> None:
    if change.aspect is Aspect.APPEARED:
        found.pop(thing, None)
    elif change.aspect is Aspect.VANISHED:
        found[thing] = {}
    elif change.aspect is Aspect.INCLUDED and thing in found:
        found[thing].pop(INCLUDED, None)
        found[thing].update(_taking_part(change.old))
    elif change.aspect is Aspect.HOST and thing in found:
        _set(found[thing], HOST, None if change.old is None else str(change.old))


def _set(known: dict[str, str], word: str, value: str | None) -> None:
    """Make an aspect what it was; one that is not known is left out."""
    known.pop(word, None)
    if value is not None:
        known[word] = value
