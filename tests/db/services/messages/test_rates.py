"""Rates and counters on both engines."""

from datetime import UTC, timedelta

import pytest

from models.database import Database
from services.messages.queries import MessageQueries
from services.messages.store import MessageStore
from services.messages.types import (
    Severity,
)
from tests.db.services.messages.builders import NOW, NOW_NS, batch, message, new_incarnation, store_all


def test_rates_count_by_severity_and_second(queries: MessageQueries, database: Database) -> None:
    second = 1_000_000_000
    store_all(
        database,
        [
            message(severity=Severity.ERROR, time_ns=NOW_NS - 10 * second + 5),
            message(severity=Severity.ERROR, time_ns=NOW_NS - 10 * second),
            message(severity=Severity.DEBUG, time_ns=NOW_NS - 9 * second, session="other"),
            message(time_ns=NOW_NS),
        ],
    )
    buckets = queries.rates(NOW - timedelta(seconds=60), NOW)
    assert [(b.start, b.width_s, b.counts, b.min_id, b.max_id) for b in buckets] == [
        (NOW - timedelta(seconds=10), 1, (0, 0, 0, 0, 2, 0), 1, 2),
        (NOW - timedelta(seconds=9), 1, (1, 0, 0, 0, 0, 0), 3, 3),
    ]
    assert [b.counts for b in queries.rates(NOW - timedelta(seconds=60), NOW, session="other")] == [(1, 0, 0, 0, 0, 0)]
    assert queries.rates(NOW - timedelta(seconds=60), NOW, session="unheard of") == ()


@pytest.mark.parametrize(
    ("span", "ago", "points_and_width"),
    [
        (timedelta(minutes=15), timedelta(0), (2000, 1)),
        (timedelta(minutes=15), timedelta(hours=3), (2000, 60)),
        (timedelta(minutes=15), timedelta(0), (100, 60)),
        (timedelta(hours=24), timedelta(0), (2000, 60)),
        (timedelta(days=13), timedelta(0), (2000, 600)),
        (timedelta(days=28), timedelta(0), (2000, 1800)),
        (timedelta(days=90), timedelta(0), (10, 864_600)),
        (timedelta(0), timedelta(0), (1, 600)),
    ],
)
def test_the_width_of_buckets_fits_the_number_of_points(
    queries: MessageQueries, database: Database, span: timedelta, ago: timedelta, points_and_width: tuple[int, int]
) -> None:
    max_points, width_s = points_and_width
    end = NOW - ago + timedelta(seconds=1)
    start = end - span - timedelta(seconds=1)
    number = 200
    step = (span + timedelta(seconds=1)) / number
    times = [start + step * i for i in range(number)]
    store_all(database, [message(time_ns=int(at.timestamp() * 1e6) * 1000) for at in times])
    buckets = queries.rates(start, end, max_points=max_points)
    assert {bucket.width_s for bucket in buckets} == {width_s}
    assert sum(sum(bucket.counts) for bucket in buckets) == number
    assert len(buckets) <= max_points
    assert [bucket.start for bucket in buckets] == sorted({bucket.start for bucket in buckets})
    assert all(bucket.start.timestamp() % width_s == 0 for bucket in buckets)
    assert all(bucket.start.tzinfo is UTC for bucket in buckets)


def test_rates_of_a_range_that_ends_before_it_starts_are_empty(queries: MessageQueries, database: Database) -> None:
    store_all(database, [message()])
    assert queries.rates(NOW + timedelta(hours=1), NOW - timedelta(hours=1)) == ()


def test_statistics_come_from_counters(queries: MessageQueries, database: Database) -> None:
    incarnation = new_incarnation(database)
    store = MessageStore(database, lambda: NOW)
    store.write(batch(incarnation, [message(), "bad", message()], echo=4))
    found = queries.statistics()
    assert (found.stored, found.newest_id, found.quarantined, found.echo_not_stored, found.gaps) == (2, 2, 1, 4, 0)
    assert found.counters == {"stored": 2, "quarantined": 1, "echo": 4}
