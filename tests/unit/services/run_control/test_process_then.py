"""Going back in time by the lives of processes that share a name."""

from datetime import UTC, datetime
from itertools import count

import pytest

from services.history.types import Aspect, Change, Source, Subject, Value
from services.run_control.process_then import ProcessThen, process_then
from services.run_control.process_types import Process, ProcessStatus

THEN = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)
RUNNING, DEAD = ProcessStatus.RUNNING, ProcessStatus.DEAD
_IDS = count(1)


def process(uuid: str, status: ProcessStatus = RUNNING) -> Process:
    return Process(uuid, "df-01", "s", "alice", "host", status)


def change(aspect: Aspect, uuid: str | None, old: Value = None) -> Change:
    return Change(next(_IDS), THEN, THEN, Source.POLL, "s", Subject.PROCESS, "df-01", aspect, old, None, uuid)


APPEARED, VANISHED = Aspect.APPEARED, Aspect.VANISHED
DIED, RESTARTED = Aspect.DIED, Aspect.RESTARTED


@pytest.mark.parametrize(
    ("listed", "changes", "uuid", "is_listed"),
    [
        ([process("a")], [], "a", True),
        ([process("a", DEAD)], [change(DIED, "a")], "a", True),
        # A restart keeps the UUID.
        ([process("a")], [change(RESTARTED, "a", 1), change(DIED, "a")], "a", True),
        ([process("b")], [change(VANISHED, "a", "RUNNING"), change(APPEARED, "b")], "a", False),
        ([], [change(VANISHED, "a", "DEAD"), change(DIED, "a")], "a", False),
        # Two boots later.
        (
            [process("c")],
            [
                change(APPEARED, "c"),
                change(VANISHED, "b", "RUNNING"),
                change(APPEARED, "b"),
                change(VANISHED, "a", "RUNNING"),
            ],
            "a",
            False,
        ),
        # One that had died before was still listed: the other one was the node.
        ([process("a", DEAD), process("b")], [], "b", True),
        ([process("a", DEAD)], [change(VANISHED, "b", "RUNNING")], "b", False),
        # It died on the way in, later.
        ([process("a"), process("b", DEAD)], [change(DIED, "b"), change(APPEARED, "b")], "a", True),
        ([process("a", DEAD)], [], "a", True),
        # What tells of no process in particular says nothing.
        ([process("a")], [change(VANISHED, None, "RUNNING")], "a", True),
    ],
)
def test_the_process_of_then(listed: list[Process], changes: list[Change], uuid: str, is_listed: bool) -> None:
    assert process_then(listed, changes) == ProcessThen(uuid, is_listed)


@pytest.mark.parametrize(
    ("listed", "changes"),
    [
        ([], []),
        ([process("a")], [change(APPEARED, "a")]),
        ([process("a"), process("b")], []),
        ([process("a", DEAD), process("b", DEAD)], []),
    ],
    ids=["none", "booted since", "two alive", "two dead"],
)
def test_none_is_named_where_it_is_not_certain(listed: list[Process], changes: list[Change]) -> None:
    assert process_then(listed, changes) is None
