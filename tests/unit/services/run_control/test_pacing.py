"""When the next poll is due."""

import pytest

from services.run_control.pacing import CALM_AFTER_S, QUICK_FOR_S, Pace


class Watch:
    def __init__(self) -> None:
        self.now = 1000.0
        self.pace = Pace(2.0, lambda: self.now)

    def poll(self, took_s: float = 0.01, *, changed: bool = True) -> float:
        """Poll when due; return the seconds from this poll's beginning to when the next is due."""
        self.now += self.pace.due_in_s
        begun = self.now
        self.pace.begin()
        self.now += took_s
        self.pace.end(changed=changed)
        return self.now + self.pace.due_in_s - begun


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_the_first_poll_is_due_at_once(watch: Watch) -> None:
    assert watch.pace.due_in_s == 0.0


def test_polls_come_at_the_interval(watch: Watch) -> None:
    assert [watch.poll() for _ in range(3)] == pytest.approx([2.0] * 3)


def test_more_often_after_a_command_and_only_for_a_while(watch: Watch) -> None:
    watch.poll()
    watch.pace.hurry()
    assert watch.pace.due_in_s == 0.0
    begun = watch.now
    quick = []
    while watch.now - begun < QUICK_FOR_S:
        quick.append(watch.poll())
    assert quick[:-1] == pytest.approx([0.5] * len(quick[:-1]))
    assert len(quick) > 5
    assert watch.poll() == pytest.approx(2.0)


def test_half_as_often_where_nothing_happens_until_something_does(watch: Watch) -> None:
    watch.poll()
    begun = watch.now
    while watch.now - begun < CALM_AFTER_S:
        watch.poll(changed=False)
    assert watch.poll(changed=False) == pytest.approx(4.0)
    assert watch.poll(changed=True) == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("took_s", "due_s"), [(0.1, 2.0), (0.5, 2.0), (0.75, 3.0), (1.0, 4.0), (1.5, 4.0), (5.0, 10.0)]
)
def test_a_slow_server_is_left_alone_for_a_while(watch: Watch, took_s: float, due_s: float) -> None:
    assert watch.poll(took_s) == pytest.approx(due_s)


def test_a_slow_server_is_left_alone_after_commands_too(watch: Watch) -> None:
    watch.pace.hurry()
    assert watch.poll(1.0) == pytest.approx(4.0)


def test_a_short_interval_is_not_shortened_below_what_makes_sense() -> None:
    watch = Watch()
    watch.pace = Pace(0.2, lambda: watch.now)
    watch.pace.hurry()
    assert watch.poll() == pytest.approx(0.2)
