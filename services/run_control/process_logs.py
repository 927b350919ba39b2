"""Logs of processes, read from the process manager at the moment somebody looks; nothing is stored."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

import re2

from services.accounts.types import Identity, Permission
from services.errors import InvalidInputError, NotFoundError
from services.run_control import rules
from services.run_control.adapter import Adapters
from services.run_control.process_types import ProcessQuery
from services.texts import is_storable

# What drunc itself takes for "no number given" (contract 9.5).
DEFAULT_LINES = 100
MAX_LINES = 100_000
MAX_PATTERN = 200
UUID_WIDTH = 64
# A line is searched so far: more is no text for people.
SEARCHED_CHARACTERS = 4000
# An expression that is larger than this when compiled is refused; one line then takes milliseconds at worst.
MAX_EXPRESSION_BYTES = 256 * 1024
SEARCH_LIMIT_S = 2.0


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which lines are shown: those that hold ``text``, or that it matches anywhere as a regular expression.

    Expressions are those of RE2, which searches in linear time: without look-around and back-references.
    """

    text: str = ""
    is_expression: bool = False


EVERY_LINE = LogFilter()


@dataclass(frozen=True, slots=True)
class NewLines:
    """What a log has more than last time; ``gap`` where there may be lines between that nobody saw."""

    lines: tuple[str, ...]
    gap: bool


class ProcessLogs:
    """Reads logs under the person's token, each time through adapters of its own that are closed at once."""

    def __init__(
        self,
        open_adapters: Callable[[], Adapters],
        process_manager_address: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep how adapters are made, the process manager's ``host:port``, and a clock that only goes forward."""
        self._open_adapters = open_adapters
        self._address = process_manager_address
        self._monotonic = monotonic

    def last_lines(
        self, identity: Identity, uuid: str, lines: int = DEFAULT_LINES, wanted: LogFilter = EVERY_LINE
    ) -> tuple[str, ...]:
        """Return those of the last ``lines`` lines of a process's log that are wanted, oldest first, as text.

        Works for dead processes as long as they are listed (contract 9.5).

        Raises:
            NotPermittedError, NotReachableError, BusyError, DruncError, SchemaMismatchError: See `services.errors`.
            InvalidInputError: A number or an expression cannot be used, or the expression takes too long; ``field``
                is ``lines`` or ``filter``.
            NotFoundError: The process is not listed any more, or its log cannot be read.
        """
        rules.require_permission(identity, Permission.PROCESS_LOGS)
        if not 1 <= lines <= MAX_LINES:
            raise InvalidInputError(f"The number of lines must be from 1 to {MAX_LINES}.", field="lines")
        matches = _matcher(wanted)
        if not uuid or len(uuid) > UUID_WIDTH or not is_storable(uuid):
            raise NotFoundError("There is no such process.", not_done="Nothing was read.")
        with closing(self._open_adapters()) as adapters:
            manager = adapters.process_manager(self._address)
            found = manager.logs(identity.name, ProcessQuery(uuids=(uuid,)), lines)
        return tuple(self._searched(found, matches))

    def _searched(self, lines: Sequence[str], matches: Callable[[str], bool]) -> Iterator[str]:
        end = self._monotonic() + SEARCH_LIMIT_S
        for line in lines:
            if self._monotonic() > end:
                raise InvalidInputError(
                    f"Searching with this expression takes longer than {SEARCH_LIMIT_S:g} s.",
                    field="filter",
                    not_done="The rest was not searched.",
                    next_step="Make it simpler, or ask for fewer lines.",
                )
            if matches(line):
                yield line


def new_lines(before: Sequence[str], now: Sequence[str]) -> NewLines:
    """Return what came since ``before``, both being the last lines of the same log: drunc does not follow logs.

    Lines are told by their text alone: where all are the same, one more may be taken for none.
    """
    for overlap in range(min(len(before), len(now)), 0, -1):
        if list(before[-overlap:]) == list(now[:overlap]):
            return NewLines(tuple(now[overlap:]), gap=False)
    return NewLines(tuple(now), gap=bool(before))


def _matcher(wanted: LogFilter) -> Callable[[str], bool]:
    if not wanted.is_expression:
        return lambda line: wanted.text in line
    if len(wanted.text) > MAX_PATTERN:
        raise InvalidInputError(f"The expression is longer than {MAX_PATTERN} characters.", field="filter")
    if not is_storable(wanted.text):
        raise InvalidInputError("The expression holds a character that no log can hold.", field="filter")
    options = re2.Options()
    options.max_mem = MAX_EXPRESSION_BYTES
    options.log_errors = False
    try:
        expression = re2.compile(wanted.text, options)
    except re2.error as error:
        reason = b" ".join(error.args).decode(errors="replace")
        raise InvalidInputError(f"This is no regular expression: {reason}.", field="filter") from error
    return lambda line: expression.search(line[:SEARCHED_CHARACTERS]) is not None
