"""What is too old is removed, in chunks, on both engines."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from models.base import Base
from models.database import Database
from models.messages import Message, MessageRollup, Quarantined
from services.messages import retention as retention_module
from services.messages.queries import MessageQueries
from services.messages.retention import INTERVAL_S, PAUSE_S, Retention
from services.messages.store import MessageStore
from services.messages.types import Decoded, Severity
from services.messages.volume import occupied_bytes
from tests.db.services.messages.builders import NOW, NOW_NS, batch, message, new_incarnation, store_all

HOUR_NS = 3_600_000_000_000
EXPIRE_S = 7200


class Hands:
    """A clock whose hands the test moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Hands:
    return Hands()


def number_of(database: Database, table: type[Base]) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def fill(database: Database, arrivals_h: list[int], number: int = 10) -> None:
    """For each age (hours) a batch of messages and one quarantined record that arrived then."""
    incarnation = new_incarnation(database)
    store = MessageStore(database, lambda: NOW)
    at = 0
    for age in arrivals_h:
        received_ns = NOW_NS - age * HOUR_NS
        items: list[Decoded | str] = [message(time_ns=received_ns)] * number
        items = [*items, "bad"]
        store.write(batch(incarnation, items, start=at, expected=at or None, received_ns=received_ns))
        at += len(items)


def test_only_what_is_too_old_is_removed(database: Database, clock: Hands) -> None:
    fill(database, [5, 3, 1, 0])
    retention = Retention(database, clock, EXPIRE_S)
    assert retention.turn() == INTERVAL_S
    assert (number_of(database, Message), number_of(database, Quarantined)) == (20, 2)
    queries = MessageQueries(database, clock)
    assert (queries.statistics().stored, queries.statistics().newest_id) == (20, 40)
    health = retention.health()
    assert health.state == "ok"
    assert health.details["messages"] == 20


def test_the_age_counts_to_the_second(database: Database, clock: Hands) -> None:
    fill(database, [2])
    retention = Retention(database, clock, EXPIRE_S)
    retention.turn()
    assert number_of(database, Message) == 10
    clock.now = NOW + timedelta(seconds=1)
    retention.turn()
    assert number_of(database, Message) == 0


def test_a_large_backlog_goes_in_chunks(database: Database, clock: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention_module, "CHUNK_ROWS", 8)
    fill(database, [5, 1])
    retention = Retention(database, clock, EXPIRE_S)
    assert (retention.turn(), number_of(database, Message)) == (PAUSE_S, 12)
    assert (retention.turn(), number_of(database, Message)) == (INTERVAL_S, 10)


def test_roll_ups_outlive_their_messages(database: Database, clock: Hands) -> None:
    fill(database, [3, 1])
    retention = Retention(database, clock, 60)
    retention.turn()
    assert number_of(database, Message) == 0

    def resolutions() -> list[int]:
        with database.read() as session:
            return sorted(session.scalars(select(MessageRollup.resolution_s).where(MessageRollup.session_id == 0)))

    # Of the buckets of one second only those of the last two hours are kept.
    assert resolutions() == [1, 60, 60, 600, 600]
    assert MessageQueries(database, clock).rates(NOW - timedelta(hours=4), NOW, session="np04") != ()
    clock.now = NOW + timedelta(days=91)
    retention.turn()
    assert number_of(database, MessageRollup) == 0


def test_roll_ups_go_in_chunks_too(database: Database, clock: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(database, list(range(20, 10, -1)), number=1)
    monkeypatch.setattr(retention_module, "CHUNK_ROWS", 4)
    retention = Retention(database, clock, 10**6)
    turns = 1
    while retention.turn() == PAUSE_S:
        turns += 1
    assert turns >= 5
    with database.read() as session:
        assert session.scalar(select(func.count()).where(MessageRollup.resolution_s == 1)) == 0


def test_an_empty_database_needs_nothing(database: Database, clock: Hands) -> None:
    assert Retention(database, clock, 60).turn() == INTERVAL_S


def test_a_database_without_tables_is_told_in_the_health(database: Database, clock: Hands) -> None:
    database.migrate("base")
    retention = Retention(database, clock, 60)
    retention.turn()
    assert retention.health().state == "degraded"
    assert "could not be removed" in (retention.health().last_error or "")
    database.migrate()


def severities_left(database: Database) -> list[int]:
    with database.read() as session:
        return list(session.scalars(select(Message.severity).order_by(Message.id)))


def test_each_severity_has_its_time(database: Database, clock: Hands) -> None:
    every = [message(severity=severity) for severity in Severity]
    store_all(database, every, received_ns=NOW_NS - 3 * HOUR_NS)
    keep = {Severity.DEBUG: 3600, Severity.FATAL: 4 * 3600, Severity.ERROR: 4 * 3600}
    retention = Retention(database, clock, 4 * 3600 - 1, keep)
    retention.turn()
    assert severities_left(database) == [1, 2, 3, 4, 5]
    clock.now = NOW + timedelta(hours=1)
    retention.turn()
    assert severities_left(database) == [4, 5]
    clock.now = NOW + timedelta(hours=1, seconds=1)
    retention.turn()
    assert severities_left(database) == []
    assert MessageQueries(database, clock).statistics().stored == 0


def test_what_takes_too_much_room_goes_from_the_shortest_kept(
    database: Database, clock: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention_module, "CHUNK_ROWS", 50)
    text = "x" * 2_000
    store_all(
        database, [message(text, severity=Severity.FATAL if number < 20 else Severity.LOG) for number in range(400)]
    )
    with database.read() as session:
        full = occupied_bytes(session)
    assert full > 400 * 100
    retention = Retention(database, clock, 10**6, {Severity.FATAL: 10**7}, max_bytes=full * 3 // 4)
    while retention.turn() == PAUSE_S:
        assert number_of(database, Message) > 0
    with database.read() as session:
        assert occupied_bytes(session) <= full * 3 // 4
        assert session.scalar(select(func.count()).where(Message.severity == Severity.FATAL.value)) == 20
    left = number_of(database, Message)
    assert 20 < left < 400
    retention.turn()
    assert number_of(database, Message) == left


def test_room_has_no_limit_unless_one_is_given(database: Database, clock: Hands) -> None:
    fill(database, [0])
    assert Retention(database, clock, EXPIRE_S).turn() == INTERVAL_S
    assert number_of(database, Message) == 10
