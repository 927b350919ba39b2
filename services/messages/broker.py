"""The Kafka client: the only module here that knows confluent-kafka."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import (
    TIMESTAMP_NOT_AVAILABLE,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from services.messages.batch import PartitionKey
from services.messages.types import Record

log = logging.getLogger(__name__)

# Librdkafka's built-in broker, whose consumer groups stall: partitions are assigned without a group there.
EMBEDDED_CLUSTER = "mockCluster"

# What brokers without topic ids (before Kafka 2.8) say: sixteen zero bytes.
_NO_TOPIC_ID = "A" * 22

# Longest wait for an answer to a small question. The broker counts as gone after it, so people know within 3 s.
QUESTION_TIMEOUT_S = 2.0

_COMMON: Mapping[str, str | int | bool] = {
    # A broker that hangs (stopped, not dead) keeps its sockets open: give up on them soon, and come back soon.
    "socket.timeout.ms": 4_000,
    "socket.connection.setup.timeout.ms": 2_000,
    "api.version.request.timeout.ms": 2_000,
    "reconnect.backoff.ms": 50,
    "reconnect.backoff.max.ms": 500,
    "socket.keepalive.enable": True,
    # What goes wrong is reported by the worker's health, in words.
    "log_level": 2,
}

_READING: Mapping[str, str | int | bool] = {
    "enable.auto.commit": False,
    # Where reading starts is decided from the database; if that offset is not there any more we want to be told.
    "auto.offset.reset": "error",
    "allow.auto.create.topics": False,
    # A collector that was killed gives its partitions to the others after this time; brokers allow no less by default.
    "session.timeout.ms": 6_000,
    "heartbeat.interval.ms": 1_500,
    # The embedded broker's long poll does not wake on new data.
    "fetch.wait.max.ms": 20,
    "fetch.queue.backoff.ms": 20,
    "fetch.error.backoff.ms": 100,
    # Messages of 5 MB and more exist. What is read ahead takes this much memory, and one answer of each broker.
    "queued.max.messages.kbytes": 32 * 1024,
    "fetch.max.bytes": 16 * 1024 * 1024,
    "fetch.message.max.bytes": 16 * 1024 * 1024,
    # A message that is larger comes as an answer of its own.
    "receive.message.max.bytes": 128 * 1024 * 1024,
}
# So many are taken out of what is read ahead before their size is looked at.
_TAKEN_AT_ONCE = 10


# Answers about one topic that say nothing about the brokers: it is gone, or not ours to know.
_NOT_TOLD = frozenset({KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError.TOPIC_AUTHORIZATION_FAILED})


class BrokerGoneError(Exception):
    """Kafka does not answer; ``str()`` says at which address, and why, for people."""


class ClientBrokenError(BrokerGoneError):
    """The client cannot go on; only a new one can."""


@dataclass(frozen=True, slots=True)
class ClusterView:
    """What the brokers say of themselves: identity, partitions of each topic, and how long the answer took."""

    cluster_id: str
    topics: Mapping[str, int]
    latency_ms: float

    @property
    def is_embedded(self) -> bool:
        """Whether this is librdkafka's built-in broker."""
        return self.cluster_id.startswith(EMBEDDED_CLUSTER)


@dataclass(frozen=True, slots=True)
class Fetched:
    """Records in the order of their partitions, and partitions whose offset the broker does not have."""

    records: list[Record]
    astray: frozenset[PartitionKey] = frozenset()


class BrokerClient:
    """One reader of a Kafka cluster: a consumer, and a second handle that asks which topics there are."""

    def __init__(self, brokers: str, group: str) -> None:
        """Open both handles (``brokers``: ``host:port``, several with commas); nothing is asked yet."""
        self._brokers = brokers
        self._complaint = ""
        self._is_embedded = False
        common = {**_COMMON, "bootstrap.servers": brokers, "client.id": group}
        asking: dict[str, Any] = {**common, "error_cb": self._complain}
        reading: dict[str, Any] = {**common, **_READING, "group.id": group}
        self._admin = AdminClient(asking)
        self._consumer = Consumer(reading)

    def look(self) -> ClusterView:
        """Ask the cluster for its identity and topics.

        Raises:
            BrokerGoneError: No answer within `QUESTION_TIMEOUT_S`.
            ClientBrokenError: It does not say which cluster it is. That is no new one, which would end what is read.
        """
        started = time.monotonic()
        try:
            metadata = self._admin.list_topics(timeout=QUESTION_TIMEOUT_S)
        except KafkaException as error:
            raise self._gone(error) from error
        if not metadata.cluster_id:
            raise ClientBrokenError(str(self._gone("it does not say which cluster it is")))
        topics = {name: len(topic.partitions) for name, topic in metadata.topics.items() if topic.error is None}
        view = ClusterView(str(metadata.cluster_id), topics, (time.monotonic() - started) * 1_000)
        self._is_embedded = view.is_embedded
        return view

    def topic_ids(self, topics: Iterable[str]) -> Callable[[], dict[str, str]]:
        """Ask for the ids of topics: made anew, a topic has another id.

        Returns at once what waits for the answer, and gives the ids of those topics that are there and have one. It
        raises `BrokerGoneError` when there is no answer within `QUESTION_TIMEOUT_S`. The embedded broker, which has no
        ids, is not asked.
        """
        asked = [] if self._is_embedded else sorted(topics)
        if not asked:
            return dict
        answers: dict[str, Future[Any]] = self._admin.describe_topics(
            TopicCollection(asked), request_timeout=QUESTION_TIMEOUT_S
        )

        def wait() -> dict[str, str]:
            found = {topic: self._topic_id(answer) for topic, answer in answers.items()}
            return {topic: id_ for topic, id_ in found.items() if id_ is not None and id_ != _NO_TOPIC_ID}

        return wait

    def _topic_id(self, answer: Future[Any]) -> str | None:
        try:
            return str(answer.result().topic_id)
        except KafkaException as error:
            if error.args[0].code() in _NOT_TOLD:
                return None
            raise self._gone(error) from error

    def watermarks(self, key: PartitionKey) -> tuple[int, int]:
        """Return the oldest offset of a partition that is still there, and the one after its newest.

        Raises:
            BrokerGoneError: No answer within `QUESTION_TIMEOUT_S`.
        """
        try:
            found: tuple[int, int] | None = self._consumer.get_watermark_offsets(
                TopicPartition(*key), timeout=QUESTION_TIMEOUT_S
            )
        except KafkaException as error:
            raise self._gone(error) from error
        if found is None:
            raise self._gone(f"no watermarks of {key[0]}[{key[1]}]")
        return int(found[0]), int(found[1])

    def end(self, key: PartitionKey) -> int | None:
        """Return the offset after the newest record, as the last fetch said it; None before the first one."""
        found: tuple[int, int] | None = self._consumer.get_watermark_offsets(TopicPartition(*key), cached=True)
        return int(found[1]) if found and found[1] >= 0 else None

    def assign(self, offsets: Mapping[PartitionKey, int]) -> None:
        """Read these partitions from these offsets on, and no others."""
        self._consumer.assign([TopicPartition(*key, offset) for key, offset in sorted(offsets.items())])

    def subscribe(self, topics: Iterable[str], on_change: Callable[[frozenset[PartitionKey]], None]) -> None:
        """Join the group. ``on_change`` gets the partitions that are ours from then on; nothing is read until `assign`.

        It is called while `fetch` runs, in its thread.
        """

        def assigned(consumer: Consumer, partitions: list[TopicPartition]) -> None:
            # Otherwise the library would start from Kafka's own committed offsets.
            consumer.assign([])
            on_change(frozenset((partition.topic, partition.partition) for partition in partitions))

        def revoked(_consumer: Consumer, _partitions: list[TopicPartition]) -> None:
            on_change(frozenset())

        self._consumer.subscribe(sorted(topics), on_assign=assigned, on_revoke=revoked, on_lost=revoked)

    def fetch(self, number: int, size_bytes: int, timeout_s: float) -> Fetched:
        """Return up to ``number`` records that arrive within ``timeout_s``, and a few at most after ``size_bytes``.

        Raises:
            ClientBrokenError: The client cannot go on and must be made anew.
        """
        deadline = time.monotonic() + timeout_s
        records: list[Record] = []
        astray: set[PartitionKey] = set()
        size = 0
        while (left := number - len(records)) > 0 and size < size_bytes:
            messages = self._consume(min(left, _TAKEN_AT_ONCE), max(deadline - time.monotonic(), 0))
            if not messages:
                break
            for message in messages:
                if self._is_good(message, astray):
                    record = _record(message)
                    records.append(record)
                    size += record.size_bytes
        return Fetched(records, frozenset(astray))

    def _consume(self, number: int, timeout_s: float) -> list[Message]:
        try:
            return self._consumer.consume(number, timeout_s)
        except KafkaException as error:
            raise ClientBrokenError(str(self._gone(error))) from error

    def _is_good(self, message: Message, astray: set[PartitionKey]) -> bool:
        """Tell whether it is a record; a partition whose offset the broker does not have is noted.

        Raises:
            ClientBrokenError: It says that the client cannot go on.
        """
        fault = message.error()
        if fault is None:
            return True
        if fault.fatal():
            raise ClientBrokenError(str(self._gone(fault.str())))
        if fault.code() == KafkaError._AUTO_OFFSET_RESET:  # noqa: SLF001 - the library's public name for it
            astray.add(_key(message))
        return False

    def commit(self, offsets: Mapping[PartitionKey, int]) -> None:
        """Tell the group's offsets to Kafka, for lag monitors only; reading never starts from them."""
        if offsets:
            partitions = [TopicPartition(*key, offset) for key, offset in offsets.items()]
            self._consumer.commit(offsets=partitions, asynchronous=True)

    def close(self) -> None:
        """Leave the group and close the connections, as far as the broker answers within `QUESTION_TIMEOUT_S`."""
        # The library waits without limit for the answer to a commit that is on its way.
        closing = threading.Thread(target=self._consumer.close, name="kafka-close", daemon=True)
        closing.start()
        closing.join(QUESTION_TIMEOUT_S)
        if closing.is_alive():
            log.warning("left without the answer of the broker brokers=%s", self._brokers)

    def _complain(self, error: KafkaError) -> None:
        self._complaint = error.str()

    def _gone(self, cause: object) -> BrokerGoneError:
        self._admin.poll(0)
        reason = cause.args[0].str() if isinstance(cause, KafkaException) else str(cause)
        complaint = f" ({self._complaint})" if self._complaint else ""
        self._complaint = ""
        return BrokerGoneError(f"Kafka at {self._brokers} does not answer: {reason}{complaint}")


def _key(message: Message) -> PartitionKey:
    return str(message.topic()), int(message.partition() or 0)


def _record(message: Message) -> Record:
    kind, timestamp_ms = message.timestamp()
    topic, partition = _key(message)
    return Record(
        topic=topic,
        partition=partition,
        offset=int(message.offset() or 0),
        timestamp_ms=None if kind == TIMESTAMP_NOT_AVAILABLE else timestamp_ms,
        key=message.key(),
        value=message.value(),
    )
