"""Publish records as drunc and the applications do, straight to a partition."""

from collections.abc import Iterable

from confluent_kafka import Producer

from tests.apache_kafka.server import ApacheKafka
from tests.kafka import KafkaBroker


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
