"""The consumer against a real Kafka protocol: nothing lost, nothing twice, nothing fatal."""

import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from sqlalchemy import select, text

from models.database import Database
from models.messages import Incarnation, Quarantined, TopicOffset
from models.run_control import Backend
from services.clock import utc_now
from services.messages.batch import PartitionKey
from services.messages.broker import BrokerClient, Fetched
from services.messages.consumer import GATHER_LEAST_S, GATHER_S, MessageConsumer
from services.messages.queries import MessageQueries
from services.messages.texts import NUL_SIGN
from services.messages.types import MessageFilter, Record
from services.revisions import LiveTopic, current
from tests.apache_kafka.server import ApacheKafka
from tests.contract.messages.conftest import Broker, MakeConsumer
from tests.contract.messages.observing import assert_consistent, end_of, gaps, number_stored, texts, wait_for_stored
from tests.contract.messages.publishing import CONTROLLER, ERS, MANAGER, broadcast, issue, publish
from tests.contract.messages.reader import running_reader
from tests.kafka import KafkaBroker, running_broker
from tests.waiting import wait_until


def test_what_was_published_while_it_was_down_is_found_exactly_once(
    broker: Broker, make_consumer: MakeConsumer, database: Database
) -> None:
    for partition in range(4):
        publish(broker, CONTROLLER, (broadcast(f"{partition}/{n}") for n in range(1250)), partition=partition)
    consumer = make_consumer(broker.address)
    consumer.start()
    wait_for_stored(database, 5000)
    assert texts(database) == Counter(f"{partition}/{n}" for partition in range(4) for n in range(1250))
    assert_consistent(database, 5000)
    assert gaps(database) == []
    # And while it runs.
    publish(broker, CONTROLLER, [broadcast("live")])
    wait_for_stored(database, 5001, 5)


def test_stopped_and_started_in_the_middle_of_a_flood(
    broker: Broker, make_consumer: MakeConsumer, database: Database
) -> None:
    published = 0
    for life in range(4):
        consumer = make_consumer(broker.address)
        for partition in range(2):
            publish(
                broker, CONTROLLER, (broadcast(f"{life}/{partition}/{n}") for n in range(1000)), partition=partition
            )
        consumer.start()
        wait_for_stored(database, published + 1 + life * 100)
        published += 2000
        consumer.stop(10)
    consumer = make_consumer(broker.address)
    consumer.start()
    wait_for_stored(database, published)
    assert set(texts(database).values()) == {1}
    assert_consistent(database, published)


def test_killed_again_and_again_in_the_middle_of_a_flood(broker: Broker, database: Database, group: str) -> None:
    """``kill -9`` between any two instructions: whatever was committed stays, whatever was not is read again.

    On Apache Kafka once: there the group waits some seconds for the dead member.
    """
    kills = 1 if isinstance(broker, ApacheKafka) else 3
    url = database.url.render_as_string(hide_password=False)
    number = 12_000
    for partition in range(4):
        publish(broker, CONTROLLER, (broadcast(f"{partition}/{n}") for n in range(number // 4)), partition=partition)
    for life in range(kills + 1):
        is_last = life == kills
        before = number_stored(database)
        with running_reader(url, broker.address, group):
            wait_for_stored(database, number if is_last else before + 1)
        assert is_last or number_stored(database) < number
    assert texts(database) == Counter(f"{partition}/{n}" for partition in range(4) for n in range(number // 4))
    assert_consistent(database, number)


def test_two_consumers_store_each_message_once(broker: Broker, make_consumer: MakeConsumer, database: Database) -> None:
    """On the embedded broker both read everything; the offsets in the database decide who stores."""
    consumers = [make_consumer(broker.address) for _ in range(2)]
    for consumer in consumers:
        consumer.start()
    for start in range(0, 2000, 500):
        publish(broker, CONTROLLER, (broadcast(f"{n}") for n in range(start, start + 500)))
    wait_for_stored(database, 2000)
    assert texts(database) == Counter(f"{n}" for n in range(2000))
    assert_consistent(database, 2000)


def test_what_another_collector_stores_while_reading_starts_is_no_end_that_was_lost(
    broker: Broker, make_consumer: MakeConsumer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other is of a group of its own, so that it goes on, as one does that has not heard of a rebalance yet."""
    publish(broker, CONTROLLER, [broadcast("before")] * 10)
    other = make_consumer(broker.address, other_group="others")
    other.start()
    wait_for_stored(database, 10)
    ask = BrokerClient.watermarks
    answers: list[tuple[int, int]] = []

    def answer_late(client: BrokerClient, key: PartitionKey) -> tuple[int, int]:
        found = ask(client, key)
        if key == (CONTROLLER, 0) and not answers:
            answers.append(found)
            publish(broker, CONTROLLER, [broadcast("meanwhile")] * 5)
            wait_for_stored(database, 15)
        return found

    monkeypatch.setattr(BrokerClient, "watermarks", answer_late)
    consumer = make_consumer(broker.address)
    consumer.start()
    wait_until(lambda: consumer.health().details.get("partitions") == 4, 30, "the second to read")
    other.stop(10)
    publish(broker, CONTROLLER, [broadcast("after")])
    wait_for_stored(database, 16)
    assert answers == [(0, 10)]
    assert texts(database) == {"before": 10, "meanwhile": 5, "after": 1}
    assert gaps(database) == []
    assert_consistent(database, 16)


def test_a_broker_made_anew_is_read_from_its_beginning_and_a_gap_stands(
    tmp_path: Path, make_consumer: MakeConsumer, database: Database
) -> None:
    for life in ("old", "new"):
        (tmp_path / life).mkdir()
    with running_broker(tmp_path / "old") as first:
        publish(first, CONTROLLER, [broadcast("old")] * 3)
        consumer = make_consumer(first.address)
        consumer.start()
        wait_for_stored(database, 3)
        consumer.stop(10)
    with running_broker(tmp_path / "new") as second:
        publish(second, CONTROLLER, [broadcast("new")] * 2)
        consumer = make_consumer(second.address)
        consumer.start()
        wait_for_stored(database, 5)
        consumer.stop(10)
    assert texts(database) == {"old": 3, "new": 2}
    (gap,) = gaps(database)
    assert (gap.first_offset, gap.next_offset, gap.partition) == (3, None, 0)
    assert gap.reason == f"Reading ended at offset 3: Kafka was made anew as cluster {second.cluster_id}."
    assert MessageQueries(database, utc_now).statistics().gaps == 1
    with database.read() as session:
        clusters = list(session.scalars(select(Incarnation.cluster_id).order_by(Incarnation.id)))
        assert clusters == [first.cluster_id, second.cluster_id]
        # One Kafka, one row: the old address is gone.
        assert list(session.scalars(select(Backend.address))) == [second.address]


def test_poison_is_kept_and_counted_and_never_stops_reading(
    broker: Broker, make_consumer: MakeConsumer, database: Database
) -> None:
    consumer = make_consumer(broker.address)
    consumer.start()
    big = issue("x" * 5_000_000)
    publish(broker, CONTROLLER, [b"\xff\xfe\x00random", b"", None, broadcast("cut")[:-2], broadcast("y" * 4096)])
    publish(broker, ERS, [b"\x00" * 5_000_000])
    publish(broker, ERS, [big], partition=1)
    publish(broker, ERS, [issue("a\0b"), b"\x80"], partition=2)
    publish(broker, CONTROLLER, [broadcast("after", 42)])
    statistics = MessageQueries(database, utc_now)
    wait_until(lambda: statistics.statistics().quarantined == 6, 20, "six quarantined records")
    wait_for_stored(database, 4)
    found = texts(database)
    assert {"y" * 4096: 1, f"a{NUL_SIGN}b": 1, "after": 1}.items() <= found.items()
    (page,) = statistics.page(MessageFilter(text="xxxxxxxx")).items
    assert len(page.text) == 1024 * 1024
    assert page.detail is not None
    assert page.detail["cut"] == {"text": 5_000_000}
    with database.read() as session:
        rows = {(row.partition, row.offset, row.size_bytes) for row in session.scalars(select(Quarantined))}
    assert {(0, 0, 9), (0, 1, 0), (0, 2, 0), (0, 0, 5_000_000), (2, 1, 1)} <= rows
    health = consumer.health()
    assert health.state == "ok"
    assert (health.details["stored"], health.details["quarantined"]) == (4, 6)


def test_a_topic_that_appears_later_is_read_soon(
    broker: Broker, make_consumer: MakeConsumer, database: Database
) -> None:
    consumer = make_consumer(broker.address)
    consumer.start()
    wait_until(lambda: consumer.health().state == "ok", 5, "the first turn")
    publish(broker, "erscontrol.np04.later", [issue("hello")])
    publish(broker, "unrelated", [b"not for us"])
    wait_for_stored(database, 1, 3)
    assert MessageQueries(database, utc_now).statistics().quarantined == 0


@pytest.mark.parametrize("stores_echo", [False, True])
def test_its_own_echo_is_counted_not_stored(
    broker: Broker, make_consumer: MakeConsumer, database: Database, stores_echo: bool
) -> None:
    stored, echo = (3, 0) if stores_echo else (1, 2)
    words = [("console' attempting to execute", 0), ("console' successfully executed", 6), ("alice' executing", 0)]
    publish(broker, MANAGER, [broadcast(f"User '{middle} 'ps'", number) for middle, number in words])
    consumer = make_consumer(broker.address, store_own_echo=stores_echo)
    consumer.start()
    wait_for_stored(database, stored)
    found = MessageQueries(database, utc_now).statistics()
    assert (found.stored, found.echo_not_stored) == (stored, echo)
    with database.read() as session:
        assert session.scalar(select(TopicOffset.next_offset)) == 3


def test_a_hanging_broker_is_told_and_reading_goes_on_after_it(
    broker: Broker, make_consumer: MakeConsumer, database: Database
) -> None:
    publish(broker, CONTROLLER, [broadcast("before")])
    consumer = make_consumer(broker.address)
    consumer.start()
    wait_for_stored(database, 1)
    broker.stall()
    started = time.monotonic()
    wait_until(lambda: consumer.health().state == "degraded", 10, "the broker's absence in the health")
    assert time.monotonic() - started < 3.5
    health = consumer.health()
    assert health.last_error is not None
    assert broker.address in health.last_error

    def row() -> Backend:
        with database.read() as session:
            return session.scalars(select(Backend)).one()

    wait_until(lambda: not row().reachable, 3, "the row of the absent broker")
    assert broker.address in (row().error or "")
    with database.read() as session:
        revision = current(session)[LiveTopic.BACKENDS]
    assert revision >= 2
    # Long enough that connections time out: what comes back must connect anew.
    pause_until(started + 9)
    broker.resume()
    publish(broker, CONTROLLER, [broadcast("after")])
    # Apache Kafka has given the partitions away meanwhile: the group is joined anew.
    wait_for_stored(database, 2, 20 if isinstance(broker, ApacheKafka) else 5)
    wait_until(lambda: consumer.health().state == "ok", 5, "good health")
    wait_until(lambda: row().reachable, 3, "the row of the present broker")
    with database.read() as session:
        assert current(session)[LiveTopic.BACKENDS] > revision


def pause_until(moment: float) -> None:
    """The length of an absence is what is tested here, so this one wait is on time."""
    wait_until(lambda: time.monotonic() >= moment, 20, "the absence to last")


def test_records_thrown_away_unread_leave_a_gap_with_their_number(
    embedded_broker: KafkaBroker, make_consumer: MakeConsumer, database: Database
) -> None:
    """The embedded broker keeps 5 MB of a partition; the consumer was away while more came."""
    publish(embedded_broker, CONTROLLER, [broadcast("read")] * 10)
    consumer = make_consumer(embedded_broker.address)
    consumer.start()
    wait_for_stored(database, 10)
    consumer.stop(10)
    publish(embedded_broker, CONTROLLER, (broadcast("z" * 100_000) for _ in range(100)))
    consumer = make_consumer(embedded_broker.address)
    consumer.start()
    wait_until(lambda: end_of(database) == 110, 20, "the end of the partition")
    (gap,) = gaps(database)
    assert gap.first_offset == 10
    assert gap.next_offset is not None
    lost = gap.next_offset - gap.first_offset
    assert 0 < lost < 100
    assert gap.reason.startswith(f"Kafka threw away {lost} records")
    assert_consistent(database, 110 - lost)


def test_an_offset_beyond_the_end_begins_a_new_life_of_the_topic(
    broker: Broker, make_consumer: MakeConsumer, database: Database
) -> None:
    """As after a topic was deleted and made anew on the same cluster."""
    publish(broker, CONTROLLER, [broadcast("one")] * 2)
    publish(broker, ERS, [issue("other topic")])
    consumer = make_consumer(broker.address)
    consumer.start()
    wait_for_stored(database, 3)
    consumer.stop(10)
    with database.write() as session:
        session.execute(
            text("UPDATE topic_offset SET next_offset = 70 WHERE topic_id = (SELECT id FROM topic WHERE name = :name)"),
            {"name": CONTROLLER},
        )
    consumer = make_consumer(broker.address)
    consumer.start()
    wait_for_stored(database, 5)
    publish(broker, CONTROLLER, [broadcast("two")])
    wait_for_stored(database, 6)
    assert texts(database) == {"one": 4, "two": 1, "other topic": 1}
    (gap,) = gaps(database)
    assert (gap.first_offset, gap.next_offset) == (70, None)
    # Where topics have ids, it is known that this is still the same one.
    lost = isinstance(broker, ApacheKafka)
    cause = f"Kafka lost the end of topic {CONTROLLER}." if lost else f"topic {CONTROLLER} was made anew."
    assert gap.reason == f"Reading ended at offset 70: {cause}"
    # The new life is found again after a restart.
    consumer.stop(10)
    consumer = make_consumer(broker.address)
    consumer.start()
    publish(broker, CONTROLLER, [broadcast("three")])
    wait_for_stored(database, 7)
    assert texts(database) == {"one": 4, "two": 1, "three": 1, "other topic": 1}
    assert len(gaps(database)) == 1


def test_a_locked_database_stops_reading_and_nothing_is_lost(
    broker: Broker, make_consumer: MakeConsumer, database: Database
) -> None:
    publish(broker, CONTROLLER, [broadcast("first")])
    consumer = make_consumer(broker.address)
    consumer.start()
    wait_for_stored(database, 1)
    with database._migrator.connect() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("LOCK TABLE topic_offset IN ACCESS EXCLUSIVE MODE")
        publish(broker, CONTROLLER, (broadcast(f"{n}") for n in range(700)))
        wait_until(lambda: consumer.health().state == "degraded", 20, "the database's absence in the health")
        error = consumer.health().last_error
        assert error is not None
        assert error.startswith("The database does not take messages")
        connection.rollback()
    wait_for_stored(database, 701)
    assert_consistent(database, 701)
    wait_until(lambda: consumer.health().state == "ok", 5, "good health")


def test_it_can_be_stopped_while_the_broker_hangs(
    broker: Broker, make_consumer: MakeConsumer, database: Database
) -> None:
    publish(broker, CONTROLLER, [broadcast("x")])
    consumer = make_consumer(broker.address)
    consumer.start()
    wait_for_stored(database, 1)
    broker.stall()
    consumer.stop(10)
    assert consumer.health().state == "stopped"


def test_a_broker_that_is_not_there_is_told(make_consumer: MakeConsumer) -> None:
    consumer = make_consumer("127.0.0.1:9")
    consumer.turn()
    health = consumer.health()
    assert health.state == "degraded"
    assert (health.last_error or "").startswith("Kafka at 127.0.0.1:9 does not answer")


def test_turns_can_be_done_by_hand_and_say_how_they_went(
    broker: Broker, make_consumer: MakeConsumer, database: Database
) -> None:
    consumer: MessageConsumer = make_consumer(broker.address)
    assert consumer.health().state == "starting"
    publish(broker, CONTROLLER, [broadcast("x")] * 3)
    wait_until(lambda: consumer.turn() >= 0 and number_stored(database) == 3, 10, "turns that store")
    details = consumer.health().details
    assert details["cluster_id"] == broker.cluster_id
    assert (details["stored"], details["partitions"], details["address"]) == (3, 4, broker.address)


def test_an_answer_that_names_no_cluster_is_not_taken_for_a_new_one(
    embedded_broker: KafkaBroker, make_consumer: MakeConsumer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(embedded_broker, CONTROLLER, [broadcast("x")] * 3)
    consumer = make_consumer(embedded_broker.address)
    wait_until(lambda: consumer.turn() >= 0 and number_stored(database) == 3, 10, "turns that store")
    ask = AdminClient.list_topics

    def ask_nobody(client: AdminClient, *_: object, timeout: float) -> Any:
        found = ask(client, timeout=timeout)
        found.cluster_id = None
        return found

    consumer.stop(10)
    monkeypatch.setattr(AdminClient, "list_topics", ask_nobody)
    consumer.turn()
    assert (consumer.health().last_error or "").endswith("it does not say which cluster it is")
    monkeypatch.undo()
    publish(embedded_broker, CONTROLLER, [broadcast("y")])
    wait_until(lambda: consumer.turn() >= 0 and number_stored(database) == 4, 10, "turns that store again")
    assert texts(database) == {"x": 3, "y": 1}
    assert gaps(database) == []


def test_no_more_is_fetched_at_once_than_memory_is_meant_for(embedded_broker: KafkaBroker, group: str) -> None:
    large = 400_000
    for partition in range(4):
        publish(embedded_broker, CONTROLLER, [broadcast("x" * large)] * 10, partition=partition)
    client = BrokerClient(embedded_broker.address, group)
    try:
        client.assign({(CONTROLLER, partition): 0 for partition in range(4)})
        fetched: list[Record] = []
        while len(fetched) < 40:
            records = client.fetch(1_000, 1_000_000, 5.0).records
            assert records
            assert sum(record.size_bytes for record in records) < 1_000_000 + 10 * (large + 1_000)
            fetched += records
    finally:
        client.close()
    offsets = {(record.partition, record.offset) for record in fetched}
    assert offsets == {(partition, offset) for partition in range(4) for offset in range(10)}


def test_records_gather_while_those_before_are_stored(
    embedded_broker: KafkaBroker, make_consumer: MakeConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Batches begin `GATHER_S` apart, whatever part of it storing took; who is late waits `GATHER_LEAST_S`."""
    fetch = BrokerClient.fetch
    asked: list[tuple[float, float, float]] = []

    def timed(client: BrokerClient, number: int, size_bytes: int, timeout_s: float) -> Fetched:
        begun = time.monotonic()
        fetched = fetch(client, number, size_bytes, timeout_s)
        asked.append((begun, timeout_s, time.monotonic()))
        return fetched

    monkeypatch.setattr(BrokerClient, "fetch", timed)
    consumer = make_consumer(embedded_broker.address)
    for _ in range(4):
        consumer.turn()
    # Nothing was fetched before.
    assert asked[0][1] == GATHER_LEAST_S
    for (_, _, ended), (begun, timeout_s, _) in pairwise(asked):
        assert GATHER_LEAST_S <= timeout_s < GATHER_S
        assert begun + timeout_s >= ended + GATHER_S
