"""What the simulator publishes arrives in another process, through a real Kafka client."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from simulator.installation import Installation
from tests.kafka import REPOSITORY, KafkaBroker, running_broker
from tests.simulated import connected
from tests.waiting import wait_until
from wire import WireMessage, load_ers, load_g1

SESSION = "local-1x1-config"
ERS_TOPIC = "monitoring.ers_stream"

# Reads a topic from its beginning until it has seen so many records, and prints keys and values.
CONSUMER = """
import json, sys
from confluent_kafka import Consumer, TopicPartition
address, topic, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
consumer = Consumer({"bootstrap.servers": address, "group.id": "test", "log_level": 3,
                     "fetch.message.max.bytes": 10_000_000})
partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
seen = []
while len(seen) < wanted:
    message = consumer.poll(10)
    if message is None:
        break
    if message.error() is None:
        key = message.key()
        seen.append([None if key is None else key.decode(), message.value().hex()])
consumer.close()
print(json.dumps(seen))
"""


def consume(broker: KafkaBroker, topic: str, wanted: int) -> list[tuple[str | None, bytes]]:
    """Return key and value of the first records of a topic, read by another process."""
    done = subprocess.run(
        [sys.executable, "-c", CONSUMER, broker.address, topic, str(wanted)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return [(key, bytes.fromhex(value)) for key, value in json.loads(done.stdout)]


def broadcast(value: bytes) -> tuple[str, int, str]:
    message = load_g1().message("dunedaq.druncschema.BroadcastMessage").FromString(value)
    return message.emitter.process, message.type, load_g1().unpack(message.data).text


def issue(value: bytes) -> WireMessage:
    return load_ers().message("dunedaq.ersschema.IssueChain").FromString(value)


def simulated(broker: KafkaBroker, chatter_hz: float = 0.0) -> Installation:
    return Installation([SESSION], broker.address, chatter_hz=chatter_hz, seed=1)


def test_shared_broker_answers(kafka_broker: KafkaBroker) -> None:
    assert kafka_broker.address.startswith("127.0.0.1:")
    assert kafka_broker.cluster_id.startswith("mockCluster")


def test_broadcasts_of_a_command_are_read_by_another_process(tmp_path: Path) -> None:
    with running_broker(tmp_path) as broker:
        installation = simulated(broker)
        try:
            installation.start()
            with connected(installation.controller_address(SESSION), "Controller") as root:
                root.call("take_control")
                root.execute("conf")
            assert installation.flush()
        finally:
            installation.stop()
        # Taking the children, getting ready, alice's two commands, the end.
        records = consume(broker, f"control.{SESSION}.root-controller", 18 + 1 + 11 + 20 + 1)
    assert {key for key, _ in records} == {None}
    texts = [broadcast(value) for _, value in records]
    # Its own children are taken before it is ready, then alice comes.
    assert texts[0] == ("root-controller", 5, "Propagating describe to children")
    assert ("root-controller", 3, "ready") in texts
    assert ("root-controller", 17, "Changing operational_state from finalising-conf to configured") in texts
    assert texts[-1] == ("root-controller", 4, "over_and_out")


def test_flood_arrives_complete(tmp_path: Path) -> None:
    with running_broker(tmp_path) as broker:
        installation = simulated(broker)
        try:
            installation.start()
            assert installation.flood(5_000, severity="WARNING") == 5_000
            assert installation.flush(20)
        finally:
            installation.stop()
        records = consume(broker, ERS_TOPIC, 5_000)
    chains = [issue(value) for _, value in records]
    assert Counter(chain.final.parameters["number"] for chain in chains) == Counter(map(str, range(1, 5_001)))
    assert {key for key, _ in records} == {SESSION}
    assert {chain.final.severity for chain in chains} == {"WARNING"}
    # All eight but the one whose issues are JSON on another topic.
    assert len({chain.application for chain in chains}) == 7


def test_trickle_has_nanoseconds_and_context(tmp_path: Path) -> None:
    before_ns = time.time_ns()
    with running_broker(tmp_path) as broker:
        installation = simulated(broker, chatter_hz=200.0)
        try:
            installation.start()
            records = consume(broker, ERS_TOPIC, 20)
        finally:
            installation.stop()
    chains = [issue(value) for _, value in records]
    assert len(chains) == 20
    assert all(before_ns < chain.final.time < time.time_ns() for chain in chains)
    assert all(chain.final.context.application_name == chain.application for chain in chains)
    assert len({chain.final.name for chain in chains}) > 3


@pytest.mark.parametrize("value", [b"", os.urandom(100), b"x" * 5_000_000], ids=["empty", "random", "5 MB"])
def test_any_bytes_can_be_published(tmp_path: Path, value: bytes) -> None:
    with running_broker(tmp_path) as broker:
        installation = simulated(broker)
        try:
            installation.start()
            installation.publish_raw("erscontrol.test", value)
            assert installation.flush(20)
        finally:
            installation.stop()
        assert consume(broker, "erscontrol.test", 1) == [(None, value)]


def test_stalled_broker_does_not_hold_up_answers(tmp_path: Path) -> None:
    with running_broker(tmp_path) as broker:
        installation = simulated(broker)
        try:
            installation.start()
            assert installation.flush()
            broker.stall()
            with connected(installation.controller_address(SESSION), "Controller") as root:
                started = time.monotonic()
                root.call("take_control")
                root.execute("conf")
                assert time.monotonic() - started < 2
            assert not installation.flush(0.0)
            broker.resume()
            assert installation.flush(20)
        finally:
            installation.stop()


def test_publisher_told_to_stall_keeps_everything_for_later(tmp_path: Path) -> None:
    with running_broker(tmp_path) as broker:
        installation = simulated(broker)
        try:
            installation.start()
            assert installation.flush()
            installation.stall_kafka(stalled=True)
            installation.publish_raw("erscontrol.test", b"later")
            assert not installation.flush(0.0)
            installation.stall_kafka(stalled=False)
            assert installation.flush(20)
            assert consume(broker, "erscontrol.test", 1) == [(None, b"later")]
        finally:
            installation.stop()


def test_broker_ends_with_its_parent(tmp_path: Path) -> None:
    """A launcher that is killed leaves no broker behind."""
    program = """
import subprocess, sys, time
from pathlib import Path
directory = Path(sys.argv[1])
subprocess.Popen([sys.executable, "-m", "simulator.broker", "--directory", directory])
while not (directory / "broker.json").exists():
    time.sleep(0.05)
"""
    subprocess.run([sys.executable, "-c", program, tmp_path], cwd=REPOSITORY, check=True, timeout=30)
    wait_until(lambda: not (tmp_path / "broker.json").exists(), 5, "the broker's end")
