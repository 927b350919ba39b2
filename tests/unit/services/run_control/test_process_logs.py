"""Reading logs, and telling what is new in them."""

import pytest

from services.accounts.types import Identity, Role
from services.errors import ConsoleError, InvalidInputError, NotFoundError, NotPermittedError
from services.run_control.adapter import Adapters
from services.run_control.process_logs import MAX_LINES, LogFilter, NewLines, ProcessLogs, new_lines

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
    ],
)
def test_what_is_refused_before_anybody_is_asked(
    identity: Identity, uuid: str, lines: int, wanted: LogFilter, error: type[ConsoleError]
) -> None:
    with pytest.raises(error):
        ProcessLogs(_nobody_asked, "h:1").last_lines(identity, uuid, lines, wanted)


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
