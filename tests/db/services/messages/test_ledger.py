"""Incarnations, offsets and gaps on both engines."""

import pytest
from sqlalchemy import select

from models.database import Database
from models.messages import Gap, Incarnation, TopicOffset
from services.messages.batch import Position
from services.messages.ledger import Life, OffsetLedger
from services.messages.queries import MessageQueries
from services.messages.store import MessageStore, OffsetConflictError
from tests.db.services.messages.builders import NOW, TOPIC, batch, message

KEY = (TOPIC, 0)


@pytest.fixture
def ledger(database: Database) -> OffsetLedger:
    return OffsetLedger(database, lambda: NOW)


def read_some(
    database: Database,
    ledger: OffsetLedger,
    cluster: str,
    number: int = 3,
    *,
    topic: str = TOPIC,
    kafka_id: str | None = None,
) -> None:
    ledger.open_cluster(cluster)
    life = ledger.lives(cluster, {topic: kafka_id})[topic]
    stored = life.offsets.get(0)
    step = batch(life.incarnation_id, [message()] * number, start=stored or 0, expected=stored, topic=topic)
    MessageStore(database, lambda: NOW).write(step)


def gaps(database: Database) -> list[tuple[int, int | None, str]]:
    with database.read() as session:
        return [
            (gap.first_offset, gap.next_offset, gap.reason) for gap in session.scalars(select(Gap).order_by(Gap.id))
        ]


def test_an_unknown_partition_starts_at_the_oldest_record(ledger: OffsetLedger) -> None:
    ledger.open_cluster("a")
    life = ledger.lives("a", {TOPIC: None})[TOPIC]
    assert life.offsets == {}
    assert ledger.start("a", KEY, life, (40, 90)) == Position(life.incarnation_id, None, 40)


def test_a_known_partition_goes_on_where_it_was(ledger: OffsetLedger, database: Database) -> None:
    read_some(database, ledger, "a")
    life = ledger.lives("a", {TOPIC: None})[TOPIC]
    for watermarks in ((0, 3), (3, 3), (1, 900)):
        assert ledger.start("a", KEY, life, watermarks) == Position(life.incarnation_id, 3, 3)
    assert gaps(database) == []


def test_what_was_thrown_away_is_a_gap_and_counted(ledger: OffsetLedger, database: Database) -> None:
    read_some(database, ledger, "a")
    life = ledger.lives("a", {TOPIC: None})[TOPIC]
    assert ledger.start("a", KEY, life, (10, 20)) == Position(life.incarnation_id, 10, 10)
    assert gaps(database) == [(3, 10, "Kafka threw away 7 records before they were read (offsets 3 to 9).")]
    assert MessageQueries(database, lambda: NOW).statistics().gaps == 1
    assert ledger.lives("a", {TOPIC: None})[TOPIC].offsets == {0: 10}


def test_a_gap_is_written_by_one_of_two_collectors(ledger: OffsetLedger, database: Database) -> None:
    read_some(database, ledger, "a")
    life = ledger.lives("a", {TOPIC: None})[TOPIC]
    ledger.start("a", KEY, life, (10, 20))
    with pytest.raises(OffsetConflictError):
        ledger.start("a", KEY, life, (10, 20))
    assert len(gaps(database)) == 1


def test_a_new_cluster_ends_the_partitions_of_the_old_one_once(ledger: OffsetLedger, database: Database) -> None:
    read_some(database, ledger, "a")
    read_some(database, ledger, "a", topic="erscontrol.x")
    for _ in range(2):
        ledger.open_cluster("b")
    assert [gap[:2] for gap in gaps(database)] == [(3, None), (3, None)]
    assert ledger.lives("b", {TOPIC: None})[TOPIC].offsets == {}
    read_some(database, ledger, "b")
    ledger.open_cluster("c")
    # The partitions of the first cluster had been ended before.
    assert [gap[2] for gap in gaps(database)][2:] == [
        "Reading ended at offset 3: Kafka was made anew as cluster c.",
    ]
    # Back at the first one, reading goes on where it was, and ends anew.
    read_some(database, ledger, "a")
    ledger.open_cluster("d")
    assert [gap[0] for gap in gaps(database)] == [3, 3, 3, 6]


def test_a_topic_made_anew_begins_a_life_of_its_own(ledger: OffsetLedger, database: Database) -> None:
    read_some(database, ledger, "a")
    read_some(database, ledger, "a", topic="erscontrol.x")
    first = ledger.lives("a", {TOPIC: None})[TOPIC]
    for number in (2, 3):
        life = ledger.lives("a", {TOPIC: None})[TOPIC]
        position = ledger.start("a", KEY, life, (0, 1))
        assert position == Position(position.incarnation_id, None, 0)
        # A second collector that saw the same finds the new life instead of making another.
        assert ledger.start("a", KEY, life, (0, 1)) == position
        read_some(database, ledger, "a")
        assert ledger.lives("a", {TOPIC: None})[TOPIC] == Life(position.incarnation_id, {0: 3})
        with database.read() as session:
            topic_id = session.scalars(
                select(TopicOffset.topic_id).where(TopicOffset.incarnation_id == position.incarnation_id)
            ).one()
            name = session.scalars(
                select(Incarnation.cluster_id).where(Incarnation.id == position.incarnation_id)
            ).one()
        assert name == f"a#{topic_id}.{number}"
    other = ledger.lives("a", {"erscontrol.x": None})["erscontrol.x"]
    assert other == Life(first.incarnation_id, {0: 3})
    assert [gap[:2] for gap in gaps(database)] == [(3, None), (3, None)]


def test_names_of_clusters_that_begin_alike_are_kept_apart(ledger: OffsetLedger, database: Database) -> None:
    read_some(database, ledger, "mock_1")
    read_some(database, ledger, "mockX1", number=5)
    assert ledger.lives("mock_1", {TOPIC: None})[TOPIC].offsets == {0: 3}
    assert ledger.lives("mockX1", {TOPIC: None})[TOPIC].offsets == {0: 5}


def present(ledger: OffsetLedger, kafka_id: str | None) -> Life:
    return ledger.lives("a", {TOPIC: kafka_id})[TOPIC]


def test_a_topic_of_another_id_begins_a_new_life_however_far_it_has_grown(
    ledger: OffsetLedger, database: Database
) -> None:
    read_some(database, ledger, "a", kafka_id="id-1")
    old = present(ledger, "id-1")
    assert old.offsets == {0: 3}
    anew = present(ledger, "id-2")
    assert anew == Life(anew.incarnation_id, {}, "id-2")
    assert anew.incarnation_id != old.incarnation_id
    # A second collector finds the new life instead of making another.
    assert present(OffsetLedger(database, lambda: NOW), "id-2") == anew
    assert ledger.start("a", KEY, anew, (0, 900)) == Position(anew.incarnation_id, None, 0)
    assert gaps(database) == [(3, None, f"Reading ended at offset 3: topic {TOPIC} was made anew.")]


def test_a_life_without_an_id_takes_the_one_it_is_told(ledger: OffsetLedger, database: Database) -> None:
    """As after an upgrade: what was read before goes on."""
    read_some(database, ledger, "a")
    life = present(ledger, "id-1")
    assert (life.offsets, life.kafka_id) == ({0: 3}, "id-1")
    # Where the broker once does not say, what is known stays.
    assert present(ledger, None) == life
    assert gaps(database) == []


def test_a_topic_of_the_same_id_that_ends_too_early_has_lost_its_end(ledger: OffsetLedger, database: Database) -> None:
    read_some(database, ledger, "a", kafka_id="id-1")
    life = present(ledger, "id-1")
    position = ledger.start("a", KEY, life, (0, 1))
    assert ledger.start("a", KEY, life, (0, 1)) == position
    assert present(ledger, "id-1") == Life(position.incarnation_id, {}, "id-1")
    assert [gap[2] for gap in gaps(database)] == [f"Reading ended at offset 3: Kafka lost the end of topic {TOPIC}."]


def test_lives_of_topics_that_share_a_cluster_are_kept_apart(ledger: OffsetLedger, database: Database) -> None:
    read_some(database, ledger, "a", kafka_id="id-1")
    read_some(database, ledger, "a", topic="erscontrol.x", kafka_id="id-x")
    anew = ledger.lives("a", {TOPIC: "id-2", "erscontrol.x": "id-x"})
    assert anew[TOPIC].offsets == {}
    assert anew["erscontrol.x"].offsets == {0: 3}
