"""A value that is computed at most so often."""

import threading
from collections.abc import Iterator

import pytest

from services.timed import Timed
from tests.seconds import Seconds


def test_it_is_computed_again_when_too_old() -> None:
    seconds, numbers = Seconds(), iter(range(10))
    timed = Timed(lambda: next(numbers), 1.0, seconds)
    assert [timed.get(), timed.get()] == [0, 0]
    seconds.now = 0.99
    assert timed.get() == 0
    seconds.now = 1.0
    assert timed.get() == 1


def test_an_error_is_not_kept() -> None:
    answers: Iterator[int | RuntimeError] = iter([RuntimeError("gone"), 7])

    def compute() -> int:
        answer = next(answers)
        if isinstance(answer, RuntimeError):
            raise answer
        return answer

    timed = Timed(compute, 1.0, Seconds())
    with pytest.raises(RuntimeError, match="gone"):
        timed.get()
    assert timed.get() == 7


def test_a_crowd_costs_one_computation() -> None:
    computed: list[int] = []
    entered, go_on = threading.Event(), threading.Event()

    def compute() -> int:
        computed.append(1)
        entered.set()
        assert go_on.wait(5)
        return len(computed)

    timed = Timed(compute, 1.0, Seconds())
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(timed.get())) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert entered.wait(5)
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert found == [1] * 8


def test_what_is_known_to_be_wrong_is_computed_now() -> None:
    answers = iter(range(9))
    timed = Timed(lambda: next(answers), 1.0, Seconds())
    assert [timed.get(), timed.get(), timed.renew(), timed.get()] == [0, 0, 1, 1]
