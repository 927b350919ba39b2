"""Batches are stored exactly once, all or nothing, on both engines."""

import threading
from collections import Counter
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from models.base import Base
from models.database import Database
from models.messages import Message, MessageCounter, MessageRollup, MessageSession, Quarantined, TopicOffset
from services.messages.rollups import COLUMNS, RESOLUTIONS_S
from services.messages.store import QUARANTINE_PAYLOAD_BYTES, MessageStore, OffsetConflictError, Stored
from services.messages.types import Severity
from tests.db.services.messages.builders import NOW, NOW_NS, batch, message, new_incarnation


@pytest.fixture
def store(database: Database) -> MessageStore:
    return MessageStore(database, lambda: NOW)


@pytest.fixture
def incarnation(database: Database) -> int:
    return new_incarnation(database)


def number_of(database: Database, table: type[Base]) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables of messages, to compare before and after."""
    tables = [table for table in Base.metadata.sorted_tables if table.name.startswith(("message", "topic", "quar"))]
    with database.read() as session:
        return {table.name: sorted(tuple(row) for row in session.execute(select(table))) for table in tables}


def test_rows_counters_and_the_offset_are_stored_together(
    store: MessageStore, database: Database, incarnation: int
) -> None:
    result = store.write(batch(incarnation, [message("a"), "no BroadcastMessage", message("b")], echo=2))
    assert result == Stored(stored=2, quarantined=1, echo=2, duplicates=0, newest_id=2)
    with database.read() as session:
        rows = session.scalars(select(Message).order_by(Message.id)).all()
        assert [(row.id, row.text, row.offset) for row in rows] == [(1, "a", 0), (2, "b", 2)]
        assert session.scalar(select(TopicOffset.next_offset)) == 5
        # Nothing to tell is nothing in the database either, not the JSON word null.
        assert session.scalar(select(func.count()).where(Message.detail.is_(None))) == 2
        counters = {row.name: row.value for row in session.scalars(select(MessageCounter))}
        assert counters == {"stored": 2, "quarantined": 1, "echo": 2}


def test_ids_go_on_from_batch_to_batch_and_names_are_shared(
    store: MessageStore, database: Database, incarnation: int
) -> None:
    store.write(batch(incarnation, [message()] * 3))
    again = MessageStore(database, lambda: NOW)
    result = again.write(batch(incarnation, [message(), message(session="other")], start=3, expected=3))
    assert result.newest_id == 5
    assert number_of(database, MessageSession) == 2


def test_meanwhile_begins_while_a_batch_is_stored(database: Database, incarnation: int) -> None:
    """It begins when the rows are with the database and others do not see them yet."""
    seen: list[int] = []
    store = MessageStore(database, lambda: NOW, lambda: seen.append(number_of(database, Message)))
    store.write(batch(incarnation, [message()] * 3))
    store.write(batch(incarnation, [message()] * 2, start=3, expected=3))
    assert seen == [0, 3]


def test_ids_of_pruned_rows_are_never_given_again(store: MessageStore, database: Database, incarnation: int) -> None:
    store.write(batch(incarnation, [message()] * 3))
    with database.write() as session:
        session.execute(text("DELETE FROM message"))
    assert store.write(batch(incarnation, [message()], start=3, expected=3)).newest_id == 4


@pytest.mark.parametrize("expected", [None, 2, 4])
def test_a_conflict_rolls_everything_back(
    store: MessageStore, database: Database, incarnation: int, expected: int | None
) -> None:
    store.write(batch(incarnation, [message()] * 3))
    before = everything(database)
    late = batch(incarnation, [message(session="new"), "bad"], start=3, expected=expected, echo=1)
    with pytest.raises(OffsetConflictError, match="root-controller"):
        store.write(late)
    assert everything(database) == before
    # What the failed transaction had added is not taken for known.
    assert store.write(replace(late, advances=[replace(late.advances[0], expected=3)])).stored == 1


def test_a_batch_that_comes_twice_is_stored_once(store: MessageStore, database: Database, incarnation: int) -> None:
    first = batch(incarnation, [message()] * 5)
    store.write(first)
    with pytest.raises(OffsetConflictError):
        store.write(first)
    assert number_of(database, Message) == 5


def test_two_writers_of_one_partition_store_each_record_once(database: Database, incarnation: int) -> None:
    """Two collectors read the same records and race; offsets decide."""
    conflicts: Counter[str] = Counter()

    def collect(name: str) -> None:
        own = MessageStore(database, lambda: NOW)
        at = 0
        while at < 40:
            try:
                own.write(batch(incarnation, [message(name)] * 4, start=at, expected=at or None))
                at += 4
            except OffsetConflictError:
                conflicts[name] += 1
                with database.read() as session:
                    at = session.scalar(select(TopicOffset.next_offset)) or 0

    threads = [threading.Thread(target=collect, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        offsets = list(session.scalars(select(Message.offset).order_by(Message.id)))
        assert offsets == list(range(40))
        assert session.scalar(select(func.sum(MessageRollup.n_info)).where(MessageRollup.resolution_s == 1)) == 80


def test_a_rewound_offset_stores_nothing_twice(store: MessageStore, database: Database, incarnation: int) -> None:
    """Somebody set the offset back by hand: the fence holds, and what is new is stored all the same."""
    store.write(batch(incarnation, [message()] * 3 + ["bad"]))
    with database.write() as session:
        session.execute(text("UPDATE topic_offset SET next_offset = 1"))
    result = store.write(batch(incarnation, [message()] * 2 + ["bad", message("new")], start=1, expected=1))
    assert (result.stored, result.duplicates, result.quarantined) == (1, 2, 0)
    assert number_of(database, Message) == 4
    with database.read() as session:
        assert session.scalar(select(func.sum(MessageRollup.n_info)).where(MessageRollup.resolution_s == 60)) == 8


def test_a_row_that_the_database_refuses_is_quarantined_and_the_rest_stored(
    store: MessageStore, database: Database, incarnation: int
) -> None:
    """Decoding lets nothing of the kind through; should it ever, one record must not stop all others."""
    bad = message("bad")._replace(time_ns=2**70)
    result = store.write(batch(incarnation, [message("a"), bad, message("b")]))
    assert (result.stored, result.quarantined) == (2, 1)
    with database.read() as session:
        reason = session.scalar(select(Quarantined.reason))
        assert reason is not None
        assert reason.startswith("the database refused it")
        assert session.scalar(select(TopicOffset.next_offset)) == 3


def test_a_refused_name_sends_the_batch_to_quarantine_and_reading_goes_on(
    store: MessageStore, database: Database, incarnation: int
) -> None:
    result = store.write(batch(incarnation, [message("a"), message(session="\udc80")]))
    assert (result.stored, result.quarantined) == (0, 2)
    assert store.write(batch(incarnation, [message()], start=2, expected=2)).stored == 1


def test_a_quarantined_payload_is_cut_and_its_size_recorded(
    store: MessageStore, database: Database, incarnation: int
) -> None:
    size = 5_000_000
    store.write(batch(incarnation, ["too odd\0"], value=b"\xff" * size))
    with database.read() as session:
        row = session.scalars(select(Quarantined)).one()
        assert (len(row.payload), row.size_bytes, row.offset) == (QUARANTINE_PAYLOAD_BYTES, size, 0)
        assert "\0" not in row.reason


def test_a_tombstone_is_quarantined_without_bytes(store: MessageStore, database: Database, incarnation: int) -> None:
    store.write(batch(incarnation, ["no value"], value=None))
    with database.read() as session:
        row = session.scalars(select(Quarantined)).one()
        assert (row.payload, row.size_bytes) == (b"", 0)


def test_roll_ups_equal_a_recount(store: MessageStore, database: Database, incarnation: int) -> None:
    at = 0
    for size in (1, 7, 30):
        messages = [
            message(
                severity=Severity(number % 6),
                session=f"s{number % 3}",
                time_ns=NOW_NS - (number * 37 % 1500) * 1_000_000_000 - number,
            )
            for number in range(at, at + size)
        ]
        store.write(batch(incarnation, messages, start=at, expected=at or None))
        at += size
    with database.read() as session:
        rows = session.scalars(select(Message)).all()
        stored = {
            (row.resolution_s, row.session_id, row.bucket_s): (
                [getattr(row, column) for column in COLUMNS],
                row.min_id,
                row.max_id,
            )
            for row in session.scalars(select(MessageRollup))
        }
    recount: dict[tuple[int, int, int], tuple[list[int], int, int]] = {}
    for resolution in RESOLUTIONS_S:
        for session_id in {0, *(row.session_id for row in rows)}:
            for bucket in {row.time_ns // 10**9 // resolution * resolution for row in rows}:
                inside = [
                    row
                    for row in rows
                    if row.time_ns // 10**9 // resolution * resolution == bucket and session_id in (0, row.session_id)
                ]
                if inside:
                    severities = Counter(row.severity for row in inside)
                    ids = [row.id for row in inside]
                    counts = [severities[severity] for severity in range(6)]
                    recount[resolution, session_id, bucket] = (counts, min(ids), max(ids))
    assert stored == recount
