"""Reading logs, and telling what is new in them."""

import itertools
from collections.abc import Callable
from typing import cast

import pytest

from services.accounts.types import Identity, Role
from services.errors import ConsoleError, InvalidInputError, NotFoundError, NotPermittedError
from services.run_control.adapter import Adapters
from services.run_control.process_logs import MAX_LINES, LogFilter, NewLines, ProcessLogs, new_lines
from services.run_control.process_types import ProcessQuery
from tests.unit.services.run_control.unasked import UnaskedProcessManager

VIEWER = Identity("victor", Role.VIEWER)
OPERATOR = Identity("alice", Role.OPERATOR)


def _nobody_asked() -> Adapters:
    raise AssertionError("adapters were made")


@pytest.mark.parametrize(
    ("identity", "uuid", "lines", "wanted", "error"),
    [
        (VIEWER, "u", 5, LogFilter(), NotPermittedError),
        (OPERATOR, "", 5, LogFilter(), NotFoundError),
        (OPERATOR, "u\x00", 5, LogFilter(), NotFoundError),
        (OPERATOR, "u" * 100, 5, LogFilter(), NotFoundError),
        (OPERATOR, "u", 0, LogFilter(), InvalidInputError),
        (OPERATOR, "u", MAX_LINES + 1, LogFilter(), InvalidInputError),
        (OPERATOR, "u", 5, LogFilter("(", is_expression=True), InvalidInputError),
        (OPERATOR, "u", 5, LogFilter("a" * 300, is_expression=True), InvalidInputError),
        (OPERATOR, "u", 5, LogFilter("\ud800", is_expression=True), InvalidInputError),
        # What RE2 has not, and what would be too large when compiled.
        (OPERATOR, "u", 5, LogFilter(r"(a)\1", is_expression=True), InvalidInputError),
        (OPERATOR, "u", 5, LogFilter("((a{100}){100}){100}", is_expression=True), InvalidInputError),
    ],
)
def test_what_is_refused_before_anybody_is_asked(
    identity: Identity, uuid: str, lines: int, wanted: LogFilter, error: type[ConsoleError]
) -> None:
    with pytest.raises(error):
        ProcessLogs(_nobody_asked, "h:1").last_lines(identity, uuid, lines, wanted)


class OneLog(UnaskedProcessManager):
    """A process manager whose every log is the same."""

    def __init__(self, *lines: str) -> None:
        self.lines = lines

    def logs(self, user: str, query: ProcessQuery, lines: int) -> tuple[str, ...]:
        return self.lines

    def process_manager(self, address: str) -> "OneLog":
        return self

    def close(self) -> None:
        """Nothing is open."""


def _reader(log: OneLog, monotonic: Callable[[], float] = lambda: 0.0) -> ProcessLogs:
    return ProcessLogs(lambda: cast("Adapters", log), "h:1", monotonic)


@pytest.mark.parametrize("expression", ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "(a*)*b"])
def test_an_expression_that_backtracking_would_never_finish_ends(expression: str) -> None:
    log = OneLog("a" * 4000 + "!", "a" * 4000 + "b!", "b")
    _reader(log).last_lines(OPERATOR, "u", 3, LogFilter(expression, is_expression=True))


def test_expressions_are_searched_anywhere_and_may_ignore_case() -> None:
    reader = _reader(OneLog("an ERROR here", "none", "Größe: 5"))
    assert reader.last_lines(OPERATOR, "u", 3, LogFilter("(?i)error", is_expression=True)) == ("an ERROR here",)
    assert reader.last_lines(OPERATOR, "u", 3, LogFilter(r"^Grö.e: \d$", is_expression=True)) == ("Größe: 5",)


def test_a_search_that_takes_too_long_is_given_up() -> None:
    seconds = itertools.count()
    reader = _reader(OneLog(*"abcdef"), lambda: float(next(seconds)))
    with pytest.raises(InvalidInputError, match="longer than 2 s") as refused:
        reader.last_lines(OPERATOR, "u", 6, LogFilter("x", is_expression=True))
    assert refused.value.field == "filter"


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ("", "abc", NewLines(("a", "b", "c"), gap=False)),
        ("abc", "abc", NewLines((), gap=False)),
        ("abc", "abcde", NewLines(("d", "e"), gap=False)),
        ("abc", "cde", NewLines(("d", "e"), gap=False)),
        ("abc", "xyz", NewLines(("x", "y", "z"), gap=True)),
        ("abc", "", NewLines((), gap=True)),
        ("abab", "babc", NewLines(("c",), gap=False)),
    ],
)
def test_what_is_new(before: str, now: str, expected: NewLines) -> None:
    assert new_lines(before, now) == expected
