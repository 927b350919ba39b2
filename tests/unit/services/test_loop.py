"""The thread behind the workers: it starts once, ends when asked, and outlives any error."""

import threading
from collections.abc import Callable
from functools import partial

import pytest

from services import loop as loop_module
from services.clock import utc_now
from services.health import AlreadyStartedError
from services.loop import Board, Loop
from tests.waiting import wait_until


class Turns:
    """Counts turns; those in ``bad`` fail."""

    def __init__(self, *bad: int, wait: Callable[[], object] = lambda: None) -> None:
        self.number = 0
        self.closed = 0
        self._bad = bad
        self._wait = wait

    def turn(self) -> float:
        self.number += 1
        self._wait()
        if self.number in self._bad:
            raise RuntimeError("never seen before")
        return 0.001

    def has_done(self, number: int) -> bool:
        return self.number >= number

    def close(self) -> None:
        self.closed += 1


def loop_of(turns: Turns) -> tuple[Loop, Board]:
    board = Board("test", utc_now)
    return Loop("test-worker", turns.turn, board, turns.close), board


def test_it_turns_until_it_is_stopped_and_can_start_again() -> None:
    turns = Turns()
    loop, board = loop_of(turns)
    for life in (1, 2):
        enough = turns.number + 3
        loop.start()
        assert "test-worker" in [thread.name for thread in threading.enumerate()]
        wait_until(partial(turns.has_done, enough), what="turns")
        loop.stop(5)
        assert not loop.is_running
        assert turns.closed == life
        assert board.read().state == "stopped"


def test_starting_twice_is_an_error_and_stopping_what_never_ran_is_none() -> None:
    turns = Turns()
    loop, board = loop_of(turns)
    loop.stop(1)
    assert board.read().state == "starting"
    loop.start()
    with pytest.raises(AlreadyStartedError):
        loop.start()
    loop.stop(5)


def test_an_unexpected_error_is_told_and_the_next_turn_starts_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop_module, "PAUSE_AFTER_FAULT_S", 0.0)
    turns = Turns(2)
    loop, board = loop_of(turns)
    loop.start()
    wait_until(lambda: turns.number > 4, what="turns after the error")
    assert board.read().last_error == "RuntimeError: never seen before"
    assert turns.closed == 1
    loop.stop(5)


def test_a_turn_that_hangs_is_reported_by_stop() -> None:
    release = threading.Event()
    turns = Turns(wait=release.wait)
    loop, _board = loop_of(turns)
    loop.start()
    wait_until(lambda: turns.number, what="the first turn")
    with pytest.raises(TimeoutError, match="test-worker"):
        loop.stop(0.05)
    release.set()
    loop.stop(5)


def test_the_last_error_stays_after_the_recovery() -> None:
    board = Board("test", utc_now)
    board.erred("the broker is gone", {"lag_messages": 3})
    assert (board.read().state, board.read().details) == ("degraded", {"lag_messages": 3})
    board.turned("ok", {"lag_messages": 0})
    health = board.read()
    assert (health.state, health.last_error, health.details) == ("ok", "the broker is gone", {"lag_messages": 0})
    assert health.last_error_at is not None
    assert health.turned_at is not None
