"""Publish records as drunc and the applications do, straight to a partition."""

import time
from collections.abc import Iterable

from confluent_kafka import Producer

from tests.apache_kafka.server import ApacheKafka
from tests.kafka import KafkaBroker
from wire import load_ers, load_g1

CONTROLLER = "control.np04.root-controller"
MANAGER = "control.alice.process_manager"
ERS = "monitoring.ers_stream"

_G1 = load_g1()
_PLAIN_TEXT = _G1.message("dunedaq.druncschema.PlainText")
_BROADCAST = _G1.message("dunedaq.druncschema.BroadcastMessage")


def publish(
    broker: KafkaBroker | ApacheKafka, topic: str, values: Iterable[bytes | None], *, partition: int = 0
) -> None:
    """Publish to one partition, in order, and wait until the broker has everything."""
    failures: list[object] = []
    producer = Producer(
        {"bootstrap.servers": broker.address, "message.max.bytes": 20_000_000, "linger.ms": 5, "log_level": 2}
    )
    for value in values:
        producer.produce(
            topic,
            value,
            partition=partition,
            on_delivery=lambda error, _message: failures.append(error) if error else None,
        )
        producer.poll(0)
    assert producer.flush(30) == 0
    assert failures == []


def broadcast(content: str, number: int = 9) -> bytes:
    emitter = {"process": "root-controller", "session": "np04"}
    message = _BROADCAST(emitter=emitter, type=number, data=_G1.pack(_PLAIN_TEXT(text=content)))
    return bytes(message.SerializeToString())


def issue(content: str) -> bytes:
    final = {"message": content, "severity": "ERROR", "time": time.time_ns()}
    message = load_ers().message("dunedaq.ersschema.IssueChain")(final=final, session="np04", application="df-01")
    return bytes(message.SerializeToString())
