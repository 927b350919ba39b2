"""What the board tells beside the transitions: usual durations and run numbers."""

from datetime import UTC, datetime, timedelta

import pytest

from services.history.board import FEWEST, LATEST, run_numbers, usual_durations
from services.history.types import (
    Aspect,
    Change,
    NodeTransition,
    Source,
    Subject,
    TransitionOutcome,
    TransitionRun,
    Value,
)

THEN = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)
DONE, FAILED = TransitionOutcome.SUCCEEDED, TransitionOutcome.FAILED


def at(seconds: float) -> datetime:
    return THEN + timedelta(seconds=seconds)


def run(
    number: int,
    seconds: float | None = 2.0,
    name: str | None = "conf",
    *,
    path: str = "root",
    source: Source = Source.BROADCAST,
    outcome: TransitionOutcome = DONE,
) -> TransitionRun:
    """A transition that began at ``10 * number`` seconds and took one node ``seconds``."""
    began = at(10 * number)
    ended = None if seconds is None else began + timedelta(seconds=seconds)
    cell = NodeTransition(path, began, ended, outcome, source)
    return TransitionRun(number, "s", name, None, None, began, ended, outcome, Source.COMMAND, None, (cell,))


def number_change(seconds: float, old: Value, new: Value) -> Change:
    return Change(1, at(seconds), at(seconds), Source.POLL, "s", Subject.RUN, "s", Aspect.RUN_NUMBER, old, new)


def test_what_is_usual_is_the_middle_of_what_went_well() -> None:
    runs = [run(5, 60), run(4, 2), run(3, 3), run(2, 99, outcome=FAILED), run(1, None), run(0, 1, "start")]
    assert usual_durations(runs) == {("conf", "root"): timedelta(seconds=3)}


def test_too_few_tell_nothing() -> None:
    assert usual_durations([run(number) for number in range(FEWEST - 1)]) == {}


def test_only_the_latest_count() -> None:
    latest = [run(100 - number, 1) for number in range(LATEST)]
    assert usual_durations([*latest, *(run(number, 50) for number in range(LATEST + 5))]) == {
        ("conf", "root"): timedelta(seconds=1)
    }


@pytest.mark.parametrize(
    ("source", "path", "counts"),
    [
        (Source.BROADCAST, "root/df", True),
        (Source.COMMAND, "root", True),
        (Source.COMMAND, "root/df", False),
        (Source.POLL, "root", False),
    ],
)
def test_a_time_that_is_only_a_bound_does_not_count(source: Source, path: str, *, counts: bool) -> None:
    found = usual_durations([run(number, path=path, source=source) for number in range(FEWEST)])
    assert (("conf", path) in found) is counts


def test_a_transition_without_a_name_has_no_usual_duration() -> None:
    assert usual_durations([run(number, name=None) for number in range(FEWEST)]) == {}


# Newest first: conf, start, enable, stop, conf of the next day.
DAY = [run(5), run(4, name="stop"), run(3, name="enable_triggers"), run(2, name="start"), run(1)]


def test_a_run_goes_from_its_start_to_its_stop() -> None:
    # Known when start has ended, gone when a poll has seen the end.
    changes = [number_change(43, 31428, None), number_change(22, None, 31428)]
    assert run_numbers(DAY, changes, None) == {2: 31428, 3: 31428, 4: 31428}


def test_a_run_that_is_on_has_the_present_number() -> None:
    assert run_numbers(DAY[2:], [number_change(22, None, 7)], 7) == {2: 7, 3: 7}
    # It began before the oldest column: nothing has changed since.
    assert run_numbers(DAY[2:3], [], 7) == {3: 7}


def test_a_number_that_was_left_over_gives_way_to_that_of_the_new_run() -> None:
    assert run_numbers(DAY[2:4], [number_change(22, 6, 7)], 7) == {2: 7, 3: 7}


def test_without_a_run_there_is_no_number() -> None:
    assert run_numbers(DAY, [], None) == {}
