"""What collectors report of their workers, on both engines."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.coordination import Worker as Row
from models.database import Database
from services import workers
from services.health import WorkerHealth
from services.messages.upsert import table_of
from services.revisions import LiveTopic, current
from services.workers import FORGET_AFTER, REPORT_INTERVAL_S, WorkerQueries, WorkerReport

NOW = datetime(2026, 11, 20, 3, 12, 44, tzinfo=UTC)
LATER = NOW + timedelta(seconds=4)


class Worker:
    def __init__(self, health: WorkerHealth) -> None:
        self.told = health

    def health(self) -> WorkerHealth:
        return self.told


class Time:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def queries(database: Database) -> WorkerQueries:
    return WorkerQueries(database)


def test_each_worker_is_told_as_it_is(database: Database, clock: Time, queries: WorkerQueries) -> None:
    reading = WorkerHealth("messages", "ok", NOW, None, None, {"lag_messages": 12, "lag_s": 0.4})
    pruning = WorkerHealth("retention", "degraded", NOW, "the disk <b>is full", NOW)
    report = WorkerReport(database, clock, [Worker(reading), Worker(pruning)])
    assert report.turn() == REPORT_INTERVAL_S
    messages, retention = queries.workers()
    assert (messages.name, messages.state, messages.turned_at, messages.reported_at) == ("messages", "ok", NOW, NOW)
    assert messages.lag_s == pytest.approx(0.4)
    assert (retention.last_error, retention.last_error_at, retention.lag_s) == ("the disk <b>is full", NOW, None)
    assert messages.collector == retention.collector
    assert (messages.lag_messages, retention.lag_messages) == (12, None)


def test_the_most_memory_of_the_process_is_told(
    database: Database, clock: Time, queries: WorkerQueries, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = WorkerReport(database, clock, [Worker(WorkerHealth("messages", "ok", NOW))])

    def told() -> int | None:
        report.turn()
        (messages,) = queries.workers()
        return messages.memory_peak_bytes

    # An interpreter with what is imported here.
    assert (told() or 0) > 20_000_000
    monkeypatch.setattr(workers, "_OWN_STATUS", tmp_path / "status")
    (tmp_path / "status").write_text("Name:\tpython\nVmHWM:\t   28496 kB\nVmRSS:\t   21000 kB\n")
    assert told() == 28_496 * 1_024
    # Other systems have no such account, or another.
    (tmp_path / "status").write_text("Name:\tpython\n")
    assert told() is None
    (tmp_path / "status").unlink()
    assert told() is None


def test_a_lag_that_is_not_known_is_not_made_up(database: Database, clock: Time, queries: WorkerQueries) -> None:
    worker = Worker(WorkerHealth("messages", "ok", NOW, None, None, {"lag_messages": 12}))
    report = WorkerReport(database, clock, [worker])
    report.turn()
    worker.told = WorkerHealth("messages", "degraded", NOW, "no broker", LATER, {"lag_messages": None, "lag_s": 3.0})
    report.turn()
    (told,) = queries.workers()
    assert (told.lag_s, told.lag_messages) == (3.0, None)


def test_a_state_keeps_its_beginning_until_it_changes(database: Database, clock: Time, queries: WorkerQueries) -> None:
    worker = Worker(WorkerHealth("messages", "ok", NOW))
    report = WorkerReport(database, clock, [worker])
    report.turn()
    clock.now = LATER
    report.turn()
    assert [(found.since, found.reported_at) for found in queries.workers()] == [(NOW, LATER)]
    worker.told = WorkerHealth("messages", "degraded", NOW, "no broker", LATER)
    report.turn()
    assert [found.since for found in queries.workers()] == [LATER]


def test_each_report_is_told_to_pages(database: Database, clock: Time) -> None:
    report = WorkerReport(database, clock, [Worker(WorkerHealth("messages", "ok", NOW))])
    report.turn()
    report.turn()
    with database.read() as session:
        assert current(session)[LiveTopic.STATUS] == 2
        assert current(session)[LiveTopic.BACKENDS] == 0


def test_who_stops_on_purpose_is_not_missed(database: Database, clock: Time, queries: WorkerQueries) -> None:
    report = WorkerReport(database, clock, [Worker(WorkerHealth("messages", "stopped", NOW))])
    report.turn()
    report.stop(1)
    assert queries.workers() == ()


def test_a_collector_that_vanished_stays_for_a_while(database: Database, clock: Time, queries: WorkerQueries) -> None:
    gone = Row(name="messages", collector="elsewhere:7", state="ok", since=NOW, reported_at=NOW, turned_at=NOW)
    with database.write() as session:
        session.add(gone)
    report = WorkerReport(database, clock, [Worker(WorkerHealth("retention", "ok", NOW))])
    clock.now = NOW + FORGET_AFTER
    report.turn()
    assert [found.name for found in queries.workers()] == ["messages", "retention"]
    assert queries.workers()[0].collector == "elsewhere:7"
    clock.now = NOW + FORGET_AFTER + timedelta(seconds=1)
    report.turn()
    assert [found.name for found in queries.workers()] == ["retention"]


def test_a_database_that_refuses_is_told_and_tried_again(database: Database, clock: Time) -> None:
    report = WorkerReport(database, clock, [Worker(WorkerHealth("messages", "ok", NOW))])
    with database.write() as session:
        table_of(Row).drop(session.connection())
    try:
        assert report.turn() == REPORT_INTERVAL_S
        assert report.health().state == "degraded"
    finally:
        with database.write() as session:
            table_of(Row).create(session.connection())
    report.turn()
    assert report.health().state == "ok"
