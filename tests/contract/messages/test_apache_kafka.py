"""What only Apache Kafka does: groups that share partitions, retention, and topics that are made anew."""

import threading
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from models.database import Database
from services.messages import broker as broker_module
from services.messages.batch import PartitionKey
from services.messages.broker import QUESTION_TIMEOUT_S, BrokerClient
from services.messages.consumer import MessageConsumer
from services.workers import WorkerQueries
from tests.apache_kafka.server import ApacheKafka
from tests.contract.messages.conftest import MakeConsumer
from tests.contract.messages.observing import assert_consistent, gaps, number_stored, texts, wait_for_stored
from tests.contract.messages.publishing import CONTROLLER, ERS, broadcast, issue, publish
from tests.contract.messages.reader import running_reader
from tests.crash.programs import CollectorProgram
from tests.waiting import wait_until

PARTITIONS = 4


def flood(kafka: ApacheKafka, name: str, number: int, partitions: int = PARTITIONS) -> Counter[str]:
    """Publish so many records to each partition; return their texts."""
    published: Counter[str] = Counter()
    for partition in range(partitions):
        words = [f"{name}/{partition}/{n}" for n in range(number)]
        publish(kafka, CONTROLLER, map(broadcast, words), partition=partition)
        published.update(words)
    return published


def read_all(consumer: MessageConsumer, database: Database, number: int) -> None:
    """Read until so many are stored, and stop."""
    consumer.start()
    wait_for_stored(database, number)
    consumer.stop(20)


def test_offsets_of_the_group_do_not_matter(
    apache_kafka: ApacheKafka, make_consumer: MakeConsumer, database: Database, group: str
) -> None:
    publish(apache_kafka, CONTROLLER, [broadcast("first")] * 5)
    read_all(make_consumer(apache_kafka.address), database, 5)
    for offset in (0, 8):
        publish(apache_kafka, CONTROLLER, [broadcast("more")] * 3)
        apache_kafka.move_group(group, CONTROLLER, 0, offset)
        read_all(make_consumer(apache_kafka.address), database, number_stored(database) + 3)
    assert texts(database) == {"first": 5, "more": 6}
    assert_consistent(database, 11)
    assert gaps(database) == []


def _restart(kafka: ApacheKafka) -> None:
    kafka.restart()


def _kill(kafka: ApacheKafka) -> None:
    kafka.kill()
    kafka.start()


@pytest.mark.parametrize("end", [_restart, _kill])
def test_a_broker_that_ends_in_the_middle_costs_nothing(
    apache_kafka: ApacheKafka, make_consumer: MakeConsumer, database: Database, end: Callable[[ApacheKafka], None]
) -> None:
    published = flood(apache_kafka, "before", 2000)
    consumer = make_consumer(apache_kafka.address)
    consumer.start()
    wait_for_stored(database, 1)
    end(apache_kafka)
    published += flood(apache_kafka, "after", 100)
    wait_for_stored(database, published.total())
    assert texts(database) == published
    assert_consistent(database, published.total())
    assert gaps(database) == []
    wait_until(lambda: consumer.health().state == "ok", 10, "good health")


def test_a_partition_that_is_added_is_read(
    apache_kafka: ApacheKafka, make_consumer: MakeConsumer, database: Database
) -> None:
    apache_kafka.make_topic(CONTROLLER, 1)
    publish(apache_kafka, CONTROLLER, [broadcast("old")] * 3)
    consumer = make_consumer(apache_kafka.address)
    consumer.start()
    wait_for_stored(database, 3)
    apache_kafka.grow_topic(CONTROLLER, 3)
    publish(apache_kafka, CONTROLLER, [broadcast("new")] * 3, partition=2)
    wait_for_stored(database, 6, 10)
    assert texts(database) == {"old": 3, "new": 3}
    assert consumer.health().details["partitions"] == 3


def test_collectors_that_come_and_go_share_the_partitions(
    apache_kafka: ApacheKafka, make_consumer: MakeConsumer, database: Database, group: str
) -> None:
    """One is killed and one is stopped, both in the middle of a flood; what they left is taken by the others."""
    url = database.url.render_as_string(hide_password=False)
    published = flood(apache_kafka, "first", 1000)
    stays, leaves = make_consumer(apache_kafka.address), make_consumer(apache_kafka.address)
    stays.start()
    with running_reader(url, apache_kafka.address, group):
        wait_until(lambda: 0 < int(stays.health().details.get("partitions") or 0) < PARTITIONS, 20, "shared partitions")
        published += flood(apache_kafka, "second", 1000)
    leaves.start()
    rounds = count()

    def second_stores() -> bool:
        # Until it has joined, the first one reads everything.
        published.update(flood(apache_kafka, f"third-{next(rounds)}", 50))
        return bool(leaves.health().details.get("stored"))

    wait_until(second_stores, 20, "the second one to store")
    leaves.stop(20)
    published += flood(apache_kafka, "fourth", 100)
    wait_for_stored(database, published.total(), 40)
    assert texts(database) == published
    assert_consistent(database, published.total())
    assert gaps(database) == []


def test_a_database_that_is_gone_longer_than_the_group_waits_costs_nothing(
    apache_kafka: ApacheKafka,
    make_consumer: MakeConsumer,
    database: Database,
    group: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Kafka puts a member out that does not fetch for five minutes; it comes back by itself."""
    monkeypatch.setattr(broker_module, "_READING", {**broker_module._READING, "max.poll.interval.ms": 6_000})
    published = flood(apache_kafka, "before", 50)
    consumer = make_consumer(apache_kafka.address)
    consumer.start()
    wait_for_stored(database, published.total())
    with database._migrator.connect() as connection:
        connection.exec_driver_sql("LOCK TABLE topic_offset IN ACCESS EXCLUSIVE MODE")
        published += flood(apache_kafka, "meanwhile", 50)
        wait_until(lambda: apache_kafka.members(group) == 0, 40, "the group to be empty")
        published += flood(apache_kafka, "later", 50)
        connection.rollback()
    wait_for_stored(database, published.total(), 40)
    published += flood(apache_kafka, "after", 50)
    wait_for_stored(database, published.total())
    assert texts(database) == published
    assert_consistent(database, published.total())
    assert gaps(database) == []
    wait_until(lambda: consumer.health().state == "ok", 10, "good health")


def test_what_retention_took_unread_is_a_gap_with_its_number(
    apache_kafka: ApacheKafka, make_consumer: MakeConsumer, database: Database
) -> None:
    published = flood(apache_kafka, "read", 10, partitions=2)
    read_all(make_consumer(apache_kafka.address), database, 20)
    flood(apache_kafka, "lost", 7, partitions=2)
    apache_kafka.forget_records(CONTROLLER, 1, 17)
    published.update(f"lost/0/{n}" for n in range(7))
    published += flood(apache_kafka, "kept", 5, partitions=2)
    read_all(make_consumer(apache_kafka.address), database, published.total())
    assert texts(database) == published
    (gap,) = gaps(database)
    assert (gap.partition, gap.first_offset, gap.next_offset) == (1, 10, 17)
    assert gap.reason == "Kafka threw away 7 records before they were read (offsets 10 to 16)."


@pytest.mark.parametrize("number", [2, 50])
def test_a_topic_made_anew_while_nobody_reads_is_read_from_its_beginning(
    apache_kafka: ApacheKafka, make_consumer: MakeConsumer, database: Database, number: int
) -> None:
    """Also when it has grown past the offset at which reading of the old one ended."""
    apache_kafka.make_topic(CONTROLLER)
    publish(apache_kafka, CONTROLLER, [broadcast("old")] * 10)
    publish(apache_kafka, ERS, [issue("other topic")] * 2)
    read_all(make_consumer(apache_kafka.address), database, 12)
    apache_kafka.delete_topic(CONTROLLER)
    apache_kafka.make_topic(CONTROLLER)
    publish(apache_kafka, CONTROLLER, [broadcast("new")] * number)
    read_all(make_consumer(apache_kafka.address), database, 12 + number)
    read_all(make_consumer(apache_kafka.address), database, 12 + number)
    assert texts(database) == {"old": 10, "other topic": 2, "new": number}
    assert_consistent(database, 12 + number)
    (gap,) = gaps(database)
    assert (gap.first_offset, gap.next_offset) == (10, None)
    assert gap.reason == f"Reading ended at offset 10: topic {CONTROLLER} was made anew."


def test_a_topic_made_anew_while_it_is_read_is_read_from_its_beginning(
    apache_kafka: ApacheKafka, make_consumer: MakeConsumer, database: Database
) -> None:
    consumer = make_consumer(apache_kafka.address)
    consumer.start()
    published: Counter[str] = Counter()
    # More each time, so that the new one soon has the offset that is to be read next.
    for life, number in zip(count(), (5, 40, 300), strict=False):
        apache_kafka.make_topic(CONTROLLER)
        words = [f"{life}/{n}" for n in range(number)]
        publish(apache_kafka, CONTROLLER, map(broadcast, words))
        published.update(words)
        wait_for_stored(database, published.total(), 20)
        apache_kafka.delete_topic(CONTROLLER)
    assert texts(database) == published
    assert_consistent(database, published.total())
    ended = [gap.reason for gap in gaps(database)]
    assert ended == [f"Reading ended at offset {n}: topic {CONTROLLER} was made anew." for n in (5, 40)]


def test_a_topic_made_anew_while_reading_starts_is_not_taken_for_the_old_one(
    apache_kafka: ApacheKafka, make_consumer: MakeConsumer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the question which topic it is and the one which offsets it has."""
    apache_kafka.make_topic(CONTROLLER)
    publish(apache_kafka, CONTROLLER, [broadcast("old")] * 10)
    read_all(make_consumer(apache_kafka.address), database, 10)
    ask = BrokerClient.watermarks
    remade: list[PartitionKey] = []

    def ask_late(client: BrokerClient, key: PartitionKey) -> tuple[int, int]:
        if not remade:
            remade.append(key)
            apache_kafka.delete_topic(CONTROLLER)
            apache_kafka.make_topic(CONTROLLER)
            publish(apache_kafka, CONTROLLER, [broadcast("new")] * 3)
        return ask(client, key)

    monkeypatch.setattr(BrokerClient, "watermarks", ask_late)
    read_all(make_consumer(apache_kafka.address), database, 13)
    assert remade == [(CONTROLLER, 0)]
    assert texts(database) == {"old": 10, "new": 3}
    assert [gap.reason for gap in gaps(database)] == [f"Reading ended at offset 10: topic {CONTROLLER} was made anew."]


def test_a_backlog_of_large_messages_takes_little_memory(
    apache_kafka: ApacheKafka, database: Database, tmp_path: Path
) -> None:
    """400 MB are to be read; a program of its own tells the most that it has taken."""
    number, partitions = 80, 4
    for partition in range(partitions):
        publish(apache_kafka, ERS, [issue("x" * 5_000_000)] * (number // partitions), partition=partition)
    url = database.url.render_as_string(hide_password=False)
    collector = CollectorProgram(url, apache_kafka.address, tmp_path / "collector.log")
    collector.start()
    try:
        wait_for_stored(database, number, 60)
        queries = WorkerQueries(database)
        wait_until(lambda: any(worker.lag_messages == 0 for worker in queries.workers()), 10, "the end of the backlog")
        peaks = [worker.memory_peak_bytes or 0 for worker in queries.workers()]
        assert collector.stop() == 0
    finally:
        collector.discard()
    assert 0 < max(peaks) < 400_000_000


def test_a_reader_whose_commit_is_not_answered_can_be_closed(apache_kafka: ApacheKafka, group: str) -> None:
    publish(apache_kafka, CONTROLLER, [broadcast("x")])
    client = BrokerClient(apache_kafka.address, group)
    assigned: list[frozenset[PartitionKey]] = []
    client.subscribe([CONTROLLER], assigned.append)
    wait_until(lambda: client.fetch(1, 1_000, 0.05).records or assigned, 20, "partitions")
    client.assign(dict.fromkeys(assigned[-1], 0))
    wait_until(lambda: client.fetch(1, 1_000, 0.05).records, 20, "the record")
    apache_kafka.stall()
    client.commit({(CONTROLLER, 0): 1})
    closing = threading.Thread(target=client.close, daemon=True)
    closing.start()
    closing.join(2 * QUESTION_TIMEOUT_S)
    assert not closing.is_alive()
