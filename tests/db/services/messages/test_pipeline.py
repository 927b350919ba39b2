"""What the pipeline tells of itself, on both engines."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from models.database import Database
from models.messages import Gap, MessageCounter
from services.messages.ledger import OffsetLedger
from services.messages.pipeline import KEEP_S, NEWEST, PARTITIONS, PREVIEW_BYTES, PipelineQueries
from services.messages.pipeline_types import PartitionReading, PipelineCounts
from services.messages.store import QUARANTINE_PAYLOAD_BYTES, MessageStore
from tests.db.services.messages.builders import NOW, TOPIC, batch, message, new_incarnation


@pytest.fixture
def queries(database: Database) -> PipelineQueries:
    return PipelineQueries(database)


def test_before_anything_was_read(queries: PipelineQueries) -> None:
    view = queries.view()
    assert (view.partitions, view.gaps, view.quarantined) == ((), (), ())
    assert view.counts == PipelineCounts()


def test_the_database_names_itself(queries: PipelineQueries, database: Database) -> None:
    found = queries.view().database
    assert found.engine == ("SQLite" if database.is_sqlite else "PostgreSQL")
    assert int(found.version.split(".")[0]) >= 3
    assert found.size_bytes > 0


def test_offsets_and_counts_are_those_that_were_stored(queries: PipelineQueries, database: Database) -> None:
    store = MessageStore(database, lambda: NOW)
    store.write(batch(new_incarnation(database), [message(), message(), "not a BroadcastMessage"], echo=4))
    with database.write() as session:
        session.add(MessageCounter(name="pruned", value=1))
    view = queries.view()
    assert view.partitions == (PartitionReading(TOPIC, 0, 7, NOW),)
    assert view.counts == PipelineCounts(stored=2, pruned=1, quarantined=1, echo=4)
    assert view.counts.kept == 1


def test_a_partition_is_told_once_as_it_is_now(queries: PipelineQueries, database: Database) -> None:
    before, now = new_incarnation(database, "old"), new_incarnation(database, "new")
    MessageStore(database, lambda: NOW - timedelta(hours=1)).write(batch(before, [message()] * 5))
    MessageStore(database, lambda: NOW).write(batch(now, [message()] * 2))
    assert queries.view().partitions == (PartitionReading(TOPIC, 0, 2, NOW),)


def test_of_many_partitions_the_latest_are_told(queries: PipelineQueries, database: Database) -> None:
    incarnation = new_incarnation(database)
    moments = iter(NOW + timedelta(seconds=number) for number in range(PARTITIONS + 1))
    store = MessageStore(database, lambda: next(moments))
    for number in range(PARTITIONS + 1):
        store.write(batch(incarnation, [], partition=number, echo=1))
    view = queries.view()
    assert view.partitions_total == PARTITIONS + 1
    assert [found.partition for found in view.partitions] == [*range(1, PARTITIONS + 1)]


def test_gaps_say_how_many_where_that_is_known(queries: PipelineQueries, database: Database) -> None:
    ledger = OffsetLedger(database, lambda: NOW)
    ledger.open_cluster("one")
    incarnation = ledger.lives("one", {TOPIC: None})[TOPIC].incarnation_id
    MessageStore(database, lambda: NOW).write(batch(incarnation, [message()] * 3))
    ledger.start("one", (TOPIC, 0), ledger.lives("one", {TOPIC: None})[TOPIC], (10, 20))
    ledger.open_cluster("two")
    ended, thrown_away = queries.view().gaps
    assert (thrown_away.topic, thrown_away.partition, thrown_away.first_offset) == (TOPIC, 0, 3)
    assert (thrown_away.missing, thrown_away.at) == (7, NOW)
    assert (ended.missing, ended.first_offset) == (None, 10)
    assert "made anew" in ended.reason
    assert queries.view().counts.gaps == 2


def test_quarantined_records_bring_their_beginning_only(queries: PipelineQueries, database: Database) -> None:
    payload = bytes(range(256)) * 1024
    store = MessageStore(database, lambda: NOW)
    store.write(batch(new_incarnation(database), ["<script>alert(1)</script>"], start=41, partition=2, value=payload))
    (found,) = queries.view().quarantined
    assert (found.topic, found.partition, found.offset, found.received_at) == (TOPIC, 2, 41, NOW)
    assert (found.reason, found.size_bytes) == ("<script>alert(1)</script>", len(payload))
    assert found.size_bytes > QUARANTINE_PAYLOAD_BYTES
    assert found.beginning == payload[:PREVIEW_BYTES]


@pytest.mark.parametrize("value", [None, b""])
@pytest.mark.parametrize("key", [None, b"", b"key"])
def test_quarantined_records_of_which_nothing_is_there(
    queries: PipelineQueries, database: Database, key: bytes | None, value: bytes | None
) -> None:
    MessageStore(database, lambda: NOW).write(batch(new_incarnation(database), ["empty"], key=key, value=value))
    (found,) = queries.view().quarantined
    assert (found.key, found.beginning, found.size_bytes) == (key, b"", 0)


def test_the_newest_come_first_and_no_more_than_can_be_read(queries: PipelineQueries, database: Database) -> None:
    incarnation = new_incarnation(database)
    store = MessageStore(database, lambda: NOW)
    store.write(batch(incarnation, [f"bad {number}" for number in range(NEWEST + 5)]))
    with database.write() as session:
        for number in range(NEWEST + 5):
            gap = Gap(at=NOW, incarnation_id=incarnation, topic_id=1, partition=0, first_offset=number, reason="lost")
            session.add(gap)
            session.flush()
    view = queries.view()
    assert [len(view.quarantined), view.quarantined[0].reason] == [NEWEST, f"bad {NEWEST + 4}"]
    assert [len(view.gaps), view.gaps[0].first_offset] == [NEWEST, NEWEST + 4]


def test_a_crowd_costs_one_look(database: Database) -> None:
    seconds = iter([0.0, KEEP_S - 0.01, KEEP_S])
    queries = PipelineQueries(database, lambda: next(seconds))
    statements: list[str] = []
    event.listen(database._reader, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert queries.view() is queries.view()
    once = len(statements)
    queries.view()
    assert len(statements) == 2 * once
