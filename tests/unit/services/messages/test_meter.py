"""What the consumer says of its lag, also when it cannot know."""

from datetime import UTC, datetime, timedelta

import pytest

from services.messages.batch import Batch, Measured
from services.messages.meter import Meter
from services.messages.store import Stored
from services.messages.types import Measurement, Record

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MOMENT_MS = int(START.timestamp() * 1_000)


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Time:
    return Time()


def lag(meter: Meter) -> tuple[object, object]:
    details = meter.details()
    return details["lag_messages"], details["lag_s"]


def store_one(meter: Meter) -> None:
    record = Record("t", 0, 0, timestamp_ms=MOMENT_MS, key=None, value=b"")
    measured = Measured(1, record, Measurement("s", "a", "", "m", "", 0, {}, {}))
    meter.add(
        Stored(stored=0, quarantined=0, echo=0, duplicates=0, newest_id=0, measurements=1),
        Batch(0, measured=[measured]),
    )


def test_nothing_to_read_is_no_lag(clock: Time) -> None:
    meter = Meter(clock)
    store_one(meter)
    clock.passes(60)
    meter.measure(0)
    assert lag(meter) == (0, 0.0)


def test_the_lag_is_the_age_of_the_newest_stored_record(clock: Time) -> None:
    meter = Meter(clock)
    meter.measure(7)
    assert lag(meter) == (7, None)
    store_one(meter)
    clock.passes(2.5)
    assert lag(meter) == (7, 2.5)


def test_while_nothing_can_be_stored_the_lag_grows_and_its_number_is_not_known(clock: Time) -> None:
    meter = Meter(clock)
    meter.measure(0)
    meter.go_on()
    clock.passes(3)
    meter.halt()
    assert lag(meter) == (None, 3.0)
    clock.passes(30)
    assert lag(meter) == (None, 33.0)
    meter.go_on()
    assert lag(meter) == (0, 0.0)


def test_a_backlog_that_was_there_before_counts_when_it_is_older(clock: Time) -> None:
    meter = Meter(clock)
    store_one(meter)
    meter.measure(7)
    clock.passes(100)
    meter.go_on()
    clock.passes(5)
    meter.halt()
    assert lag(meter) == (None, 105.0)
