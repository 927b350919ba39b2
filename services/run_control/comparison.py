"""Reads what two sessions are made of, or one of them now and in its last good run, and tells what differs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.history.queries import MAX_CHANGES, MAX_RUNS, HistoryQueries
from services.history.types import Change, HistoryFilter
from services.run_control.command_types import Action, CommandView
from services.run_control.difference import (
    REWOUND,
    Composition,
    Difference,
    GoodRun,
    arguments_at,
    composition,
    differences,
    last_good_run,
    rewound,
    since_then,
)
from services.run_control.fsm_types import RUN_NUMBER
from services.run_control.queries import RunControlQueries

_SENT = frozenset({Action.EXECUTE_TRANSITION, Action.EXECUTE_SEQUENCE})
COMMANDS = 100
# A session of 500 nodes that was booted anew ten times since; more is too long ago to be told change by change.
MAX_PAGES = 20


@dataclass(frozen=True, slots=True)
class SinceGoodRun:
    """What has changed since the last good run; ``run`` is None where none is known.

    ``complete`` is off where so much has changed since that only the newest of it was looked at.
    """

    run: GoodRun | None
    found: tuple[Difference, ...] = ()
    complete: bool = True


class SessionComparison:
    """Compares sessions. Raises NotFoundError for one that is not there."""

    def __init__(self, queries: RunControlQueries, history: HistoryQueries) -> None:
        """Keep the collaborators."""
        self._queries = queries
        self._history = history

    def between(self, left: str, right: str) -> tuple[Difference, ...]:
        """Return what differs between two sessions as they are now."""
        return differences(self._now(left), self._now(right))

    def since_good_run(self, name: str) -> SinceGoodRun:
        """Return what differs between the last good run of a session (left) and now (right)."""
        session = self._queries.session(name)
        commands = self._commands(name)
        run = last_good_run(self._history.transitions(name, MAX_RUNS), _run_numbers(commands))
        if run is None:
            return SinceGoodRun(None)
        changes, complete = self._changes_since(name, run)
        processes = self._queries.processes(name)
        now = composition(session, self._queries.tree(name), processes, arguments_at(commands))
        then = rewound(now, changes, processes, arguments_at(commands, run.at), run.at)
        return SinceGoodRun(run, differences(then, since_then(now, processes, run.at)), complete)

    def _now(self, name: str) -> Composition:
        session = self._queries.session(name)
        arguments = arguments_at(self._commands(name))
        return composition(session, self._queries.tree(name), self._queries.processes(name), arguments)

    def _commands(self, name: str) -> tuple[CommandView, ...]:
        return self._queries.last_commands(name, COMMANDS, actions=_SENT)

    def _changes_since(self, name: str, run: GoodRun) -> tuple[list[Change], bool]:
        """Return what has changed since, newest first, and whether that is all of it."""
        wanted = HistoryFilter(session=name, start=run.at, aspects=REWOUND)
        found: list[Change] = []
        before: int | None = None
        for _ in range(MAX_PAGES):
            page = self._history.changes(wanted, before=before, limit=MAX_CHANGES)
            found += page.changes
            before = page.next_before
            if before is None:
                return found, True
        return found, False


def _run_numbers(commands: Iterable[CommandView]) -> Mapping[int, int]:
    """Return the run numbers that commands sent, by the commands' ids."""
    sent = ((command.id, command.arguments.get(RUN_NUMBER)) for command in commands)
    return {number: value for number, value in sent if isinstance(value, int)}
