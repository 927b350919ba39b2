"""Measured values are added up exactly once, on both engines."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from models.database import Database
from models.messages import MeasurementRollup, MeasurementSeries, MessageCounter, Quarantined, TopicOffset
from services.errors import NotFoundError
from services.messages import dimensions as dimensions_module
from services.messages import measurements as measurements_module
from services.messages import retention as retention_module
from services.messages.batch import Advance, Batch, Measured
from services.messages.measurement_queries import MAX_POINTS, MeasurementQueries
from services.messages.opmon import GREATEST
from services.messages.retention import PAUSE_S, Retention
from services.messages.store import MessageStore, OffsetConflictError
from services.messages.types import Measurement, MeasurementPoint, Record
from tests.db.services.messages.builders import NOW, NOW_NS, new_incarnation

TOPIC = "monitoring.opmon_stream"
SECOND_NS = 1_000_000_000


def measurement(
    value: float | None = None,
    *,
    text: str | None = None,
    at_s: float = 0,
    field: str = "rate",
    application: str = "df-01",
    **changed: str,
) -> Measurement:
    return Measurement(
        session=changed.get("session", "np04"),
        application=application,
        element=changed.get("element", ""),
        name=changed.get("name", "daq.Rate"),
        origin=changed.get("origin", ""),
        time_ns=NOW_NS + int(at_s * SECOND_NS),
        numbers={} if value is None else {field: value},
        texts={} if text is None else {field: text},
    )


def batch(incarnation: int, measured: Sequence[Measurement], *, start: int = 0, expected: int | None = None) -> Batch:
    items = [
        Measured(incarnation, Record(TOPIC, 0, offset, None, None, b"bytes"), one)
        for offset, one in enumerate(measured, start=start)
    ]
    advance = Advance(incarnation, TOPIC, 0, expected, start + len(measured))
    return Batch(NOW_NS, advances=[advance], measured=items)


@pytest.fixture
def store(database: Database) -> MessageStore:
    return MessageStore(database, lambda: NOW)


@pytest.fixture
def incarnation(database: Database) -> int:
    return new_incarnation(database)


@pytest.fixture
def queries(database: Database) -> MeasurementQueries:
    return MeasurementQueries(database, lambda: NOW)


def counters(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {row.name: row.value for row in session.scalars(select(MessageCounter))}


def only(queries: MeasurementQueries) -> int:
    (series,) = queries.series()
    return series.id


def points(queries: MeasurementQueries, series_id: int, max_points: int = MAX_POINTS) -> tuple[MeasurementPoint, ...]:
    return queries.points(series_id, NOW - timedelta(minutes=10), NOW + timedelta(minutes=10), max_points=max_points)


def test_values_add_up_within_a_batch_and_over_batches(
    store: MessageStore, incarnation: int, queries: MeasurementQueries, database: Database
) -> None:
    first = store.write(
        batch(incarnation, [measurement(2, at_s=0.1), measurement(-5, at_s=0.9), measurement(4, at_s=1)])
    )
    assert (first.measurements, first.stored, first.newest_id) == (3, 0, 0)
    # One that comes late is added, and is not the newest.
    store.write(batch(incarnation, [measurement(7, at_s=0.5)], start=3, expected=3))
    assert points(queries, only(queries)) == (
        MeasurementPoint(NOW, 1, n=3, total=4.0, least=-5.0, greatest=7.0, last=-5.0),
        MeasurementPoint(NOW + timedelta(seconds=1), 1, n=1, total=4.0, least=4.0, greatest=4.0, last=4.0),
    )
    assert counters(database) == {"measurements": 4}


def test_all_widths_say_the_same(store: MessageStore, incarnation: int, queries: MeasurementQueries) -> None:
    values = [measurement(number, at_s=number) for number in range(120)]
    store.write(batch(incarnation, values))
    series_id = only(queries)
    for most in (2_000, 30, 4, 1):
        found = points(queries, series_id, most)
        assert len(found) <= max(most, 2)
        assert (sum(point.n for point in found), sum(point.total for point in found)) == (120, 7140.0)
        assert (found[0].least, found[-1].greatest, found[-1].last) == (0.0, 119.0, 119.0)
    assert {point.width_s for point in points(queries, series_id, 30)} == {60}
    # 16 seconds were left of the first minute.
    assert points(queries, series_id, 30)[0].mean == 7.5


def test_a_batch_that_comes_twice_is_added_once(
    store: MessageStore, incarnation: int, queries: MeasurementQueries, database: Database
) -> None:
    store.write(batch(incarnation, [measurement(1)]))
    with pytest.raises(OffsetConflictError):
        store.write(batch(incarnation, [measurement(1, field="other")]))
    assert [point.n for point in points(queries, only(queries))] == [1]
    # What the failed transaction had added is not taken for known.
    store.write(batch(incarnation, [measurement(3, field="other")], start=1, expected=1))
    assert [series.field for series in queries.series()] == ["other", "rate"]


def test_everything_that_differs_makes_a_series(
    store: MessageStore, incarnation: int, queries: MeasurementQueries
) -> None:
    different = [
        measurement(1),
        measurement(1, field="f"),
        measurement(1, application="df-02"),
        measurement(1, session="other"),
        measurement(1, element="trb"),
        measurement(1, name="daq.Other"),
        measurement(1, origin="Command=conf"),
    ]
    store.write(batch(incarnation, different * 2))
    assert len(queries.series()) == 7
    assert len(queries.series(session="other")) == 1
    assert [series.application for series in queries.series(application="df-02")] == ["df-02"]
    assert {point.n for series in queries.series() for point in points(queries, series.id)} == {2}


def test_of_words_the_newest_is_kept(store: MessageStore, incarnation: int, queries: MeasurementQueries) -> None:
    store.write(batch(incarnation, [measurement(text="ready", at_s=2), measurement(text="initial", at_s=1)]))
    store.write(batch(incarnation, [measurement(text="older")], start=2, expected=2))
    (series,) = queries.series()
    assert (series.last_text, series.last_ns) == ("ready", NOW_NS + 2 * SECOND_NS)
    assert points(queries, series.id) == ()
    store.write(batch(incarnation, [measurement(text="running", at_s=3)], start=3, expected=3))
    assert queries.series()[0].last_text == "running"


def test_the_greatest_values_do_not_overflow(
    store: MessageStore, incarnation: int, queries: MeasurementQueries
) -> None:
    values = [measurement(GREATEST), measurement(GREATEST), measurement(-GREATEST), measurement(5e-324)]
    store.write(batch(incarnation, values))
    store.write(batch(incarnation, values, start=4, expected=4))
    (point,) = points(queries, only(queries))
    assert (point.n, point.greatest, point.least, point.last) == (8, GREATEST, -GREATEST, 5e-324)


def test_series_beyond_the_most_are_counted_and_the_others_go_on(
    store: MessageStore,
    incarnation: int,
    queries: MeasurementQueries,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(measurements_module, "MAX_SERIES", 5)
    monkeypatch.setattr(measurements_module, "LOOK_UP_SERIES", 3)
    store.write(batch(incarnation, [measurement(1, field=f"f{number}") for number in range(8)]))
    assert len(queries.series()) == 5
    store.write(batch(incarnation, [measurement(1, field="f0"), measurement(1, field="new")], start=8, expected=8))
    assert counters(database) == {"measurements": 10, "values_over_cap": 4}
    assert {series.field: points(queries, series.id)[0].n for series in queries.series()}["f0"] == 2


def test_values_of_applications_beyond_the_most_are_not_mixed(
    store: MessageStore,
    incarnation: int,
    queries: MeasurementQueries,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dimensions_module, "MAX_NAMES", 2)
    store.write(batch(incarnation, [measurement(1, application=f"app-{number}") for number in range(4)]))
    assert [series.application for series in queries.series()] == ["app-0", "app-1"]
    assert counters(database) == {"measurements": 4, "values_over_cap": 2}


def test_what_the_database_refuses_goes_to_quarantine_and_reading_goes_on(
    store: MessageStore, incarnation: int, database: Database
) -> None:
    """Decoding lets nothing of the kind through; should it ever, it must not stop the reading."""
    result = store.write(batch(incarnation, [measurement(1), measurement(text="word", at_s=2**62)]))
    assert (result.quarantined, result.measurements) == (2, 0)
    with database.read() as session:
        assert session.scalar(select(TopicOffset.next_offset)) == 2
        assert session.scalar(select(func.count()).select_from(Quarantined)) == 2
        assert session.scalar(select(func.count()).select_from(MeasurementSeries)) == 0


def test_points_of_a_series_that_does_not_exist(queries: MeasurementQueries) -> None:
    with pytest.raises(NotFoundError, match="no measured series 9"):
        points(queries, 9)
    with pytest.raises(NotFoundError, match="no measured series 9"):
        queries.one(9)


def test_a_series_is_found_by_its_id(store: MessageStore, incarnation: int, queries: MeasurementQueries) -> None:
    store.write(batch(incarnation, [measurement(1.0), measurement(text="idle", field="mode")]))
    assert [queries.one(series.id) for series in queries.series()] == [*queries.series()]


def test_old_buckets_are_removed_in_chunks(
    store: MessageStore, incarnation: int, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_module, "CHUNK_ROWS", 4)
    hands: list[datetime] = [NOW]
    store.write(batch(incarnation, [measurement(1, at_s=number) for number in range(10)]))
    retention = Retention(database, lambda: hands[0], 14 * 24 * 3600)

    def widths() -> dict[int, int]:
        with database.read() as session:
            rows = session.execute(
                select(MeasurementRollup.resolution_s, func.count()).group_by(MeasurementRollup.resolution_s)
            )
            return {row[0]: row[1] for row in rows}

    retention.turn()
    assert widths() == {1: 10, 60: 1, 600: 1}
    hands[0] = NOW + timedelta(hours=3)
    assert retention.turn() == PAUSE_S
    assert widths()[1] == 6
    retention.turn()
    retention.turn()
    assert widths() == {60: 1, 600: 1}
    hands[0] = NOW + timedelta(days=91)
    retention.turn()
    assert widths() == {}
    assert retention.health().details["measurements"] == 12
