"""Publishing to Kafka without ever holding up an answer."""

import logging
import threading
from collections import deque
from typing import NamedTuple, Protocol

from confluent_kafka import KafkaException, Producer

log = logging.getLogger(__name__)

CAPACITY = 50_000
MAX_MESSAGE_BYTES = 10_000_000
_TURN_S = 0.1
# Kafka's own sign for "choose by the key".
PARTITION_BY_KEY = -1


class Publisher(Protocol):
    """Takes messages for Kafka; never blocks and never raises."""

    def publish(self, topic: str, value: bytes, key: str | None = None) -> None:
        """Send a record some time soon."""


class SilentPublisher:
    """Publishes nowhere: an installation without Kafka."""

    def publish(self, topic: str, value: bytes, key: str | None = None) -> None:
        """Forget the record."""


class _Record(NamedTuple):
    topic: str
    value: bytes
    key: str | None


def _partition(record: _Record) -> int:
    """Keep the order of records without a key.

    Brokers make topics of one partition unless told otherwise; the embedded one always makes four, and would spread
    one controller's broadcasts over them.
    """
    return 0 if record.key is None else PARTITION_BY_KEY


class KafkaPublisher:
    """A bounded queue in front of a Kafka producer, emptied by a thread of its own.

    When the broker stalls the queue fills and the oldest records are dropped; ``dropped`` counts them.
    """

    def __init__(self, address: str, capacity: int = CAPACITY) -> None:
        """Prepare for the brokers at ``address`` (``host:port``); nothing is opened before ``start``."""
        self._address = address
        self._capacity = capacity
        self._queue: deque[_Record] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._stalled = False
        self._in_flight = 0
        self._thread = threading.Thread(target=self._run, name="simulator-publisher", daemon=True)
        self.dropped = 0

    def start(self) -> None:
        """Start the thread that sends."""
        self._thread.start()

    def publish(self, topic: str, value: bytes, key: str | None = None) -> None:
        """Queue a record; drops the oldest one when the queue is full."""
        with self._changed:
            if len(self._queue) >= self._capacity:
                self._queue.popleft()
                self.dropped += 1
            self._queue.append(_Record(topic, value, key))
            self._changed.notify_all()

    def stall(self, *, stalled: bool) -> None:
        """Keep everything back, as if the brokers took nothing, or go on."""
        with self._changed:
            self._stalled = stalled
            self._changed.notify_all()

    def has_room(self, records: int = 1, timeout_s: float = 0.0) -> bool:
        """Wait until the queue can take ``records`` without dropping any; False when it cannot in time."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._queue) + records <= self._capacity, timeout_s)

    def flush(self, timeout_s: float) -> bool:
        """Wait until the brokers have acknowledged everything; False when they have not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._queue and not self._in_flight, timeout_s)

    def stop(self, timeout_s: float) -> None:
        """Send what is queued, at most ``timeout_s`` long, and end the thread."""
        if not self._thread.is_alive():
            return
        if not self.flush(timeout_s):
            log.warning("messages lost at the end records=%d", len(self._queue) + self._in_flight)
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(2 * _TURN_S + 1.0)

    def _run(self) -> None:
        producer = Producer(
            {
                "bootstrap.servers": self._address,
                "client.id": "run_control",
                "linger.ms": 5,
                "message.max.bytes": MAX_MESSAGE_BYTES,
                "queue.buffering.max.messages": 10_000,
                "log_level": 2,
            }
        )
        while not self._stopping:
            batch = self._next_batch()
            for record in batch:
                self._produce(producer, record)
            self._settle(producer)
        producer.purge()

    def _next_batch(self) -> list[_Record]:
        with self._changed:
            if self._stalled or (not self._queue and not self._in_flight):
                self._changed.wait_for(lambda: (self._queue and not self._stalled) or self._stopping, _TURN_S)
            if self._stalled:
                return []
            batch = [self._queue.popleft() for _ in range(min(len(self._queue), 500))]
            self._in_flight += len(batch)
            return batch

    def _settle(self, producer: Producer) -> None:
        """Let the producer deliver, then tell those who wait how much is still under way."""
        producer.poll(_TURN_S / 10 if len(producer) else 0)
        with self._changed:
            self._in_flight = len(producer)
            self._changed.notify_all()

    def _produce(self, producer: Producer, record: _Record) -> None:
        while not self._stopping:
            try:
                producer.produce(record.topic, record.value, record.key, _partition(record))
            except BufferError:
                producer.poll(_TURN_S)
            except KafkaException as error:
                log.warning("message refused topic=%s error=%s", record.topic, error)
                return
            else:
                return
