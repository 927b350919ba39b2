"""The consumer: Kafka to database, exactly once, for ever."""

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy.exc import SQLAlchemyError

from models.database import Database
from services.clock import Clock, nanoseconds
from services.health import WorkerHealth
from services.loop import Board, Loop
from services.messages.backend import Answer, BackendReport
from services.messages.batch import Batch, PartitionKey, Position, make_batch
from services.messages.broker import BrokerClient, BrokerGoneError, ClientBrokenError, ClusterView
from services.messages.echo import own_echo
from services.messages.ledger import OffsetLedger
from services.messages.meter import Meter
from services.messages.store import MessageStore, OffsetConflictError
from services.messages.types import Decoded, Record

log = logging.getLogger(__name__)

# A new topic is read within about a second: this, and what the client needs to find its leader.
LOOK_INTERVAL_S = 0.5
REPORT_INTERVAL_S = 1.0

BATCH_RECORDS = 500
# Keeps the transaction short when messages are large; a single larger one is a batch of its own.
BATCH_BYTES = 4 * 1024 * 1024
# How long records are gathered: the price in latency for writing many at once.
GATHER_S = 0.03
# After an error: soon enough to be back within seconds, seldom enough to be no load.
RETRY_S = 0.3
# A partition without a leader must not hold up the others: asked again soon, as a new one is led after a moment, then
# ever more seldom.
UNREADY_RETRY_S = 0.5
UNREADY_RETRY_MOST_S = 10.0
# SQLite has one writer: between two batches of a backlog others get their turn, half as long as the batch took.
YIELD_SHARE = 0.5
YIELD_MOST_S = 0.02


@dataclass(frozen=True, slots=True)
class ConsumerConfig:
    """What the consumer must know.

    Attributes:
        brokers: ``host:port``, several with commas.
        topics: Regular expressions, matched from the beginning of a topic's name.
        group: Consumer group on a real broker.
        service_user: Name under which the console polls drunc, to know its own echo.
        store_own_echo: Store the echo all the same.
    """

    brokers: str
    topics: tuple[str, ...]
    group: str = "drunc-console"
    service_user: str = "console"
    store_own_echo: bool = False


@dataclass(frozen=True, slots=True)
class _Unready:
    """A partition without a leader: when it is asked again (monotonic), and how long that pause was, seconds."""

    until: float
    pause_s: float


class MessageConsumer:
    """Reads all topics that fit and stores what they carry; survives the broker's and the database's absence.

    On the embedded broker it takes all partitions, on a real one those that the group gives it. Either way reading
    starts from the offsets in the database.
    """

    def __init__(self, config: ConsumerConfig, database: Database, clock: Clock) -> None:
        """Keep the collaborators; nothing is opened before the first turn, which is after the fork."""
        self._config = config
        self._is_sqlite = database.is_sqlite
        self._clock = clock
        self._patterns = [re.compile(pattern) for pattern in config.topics]
        self._is_echo = _never if config.store_own_echo else own_echo(config.service_user)
        self._store = MessageStore(database, clock)
        self._ledger = OffsetLedger(database, clock)
        self._backend = BackendReport(database, clock, config.brokers)
        self._board = Board("messages", clock)
        self._meter = Meter(clock)
        self._loop = Loop("message-consumer", self.turn, self._close, self._board)
        self._client: BrokerClient | None = None
        self._cluster: ClusterView | None = None
        self._wanted: frozenset[PartitionKey] = frozenset()
        self._positions: dict[PartitionKey, Position] = {}
        self._pending: list[Record] = []
        self._unready: dict[PartitionKey, _Unready] = {}
        self._answer: Answer | None = None
        self._next_look = 0.0
        self._next_report = 0.0

    def start(self) -> None:
        """Start the thread.

        Raises:
            AlreadyStartedError: It runs already.
        """
        self._loop.start()

    def stop(self, timeout_s: float) -> None:
        """End the thread after the batch it is at.

        Raises:
            TimeoutError: It did not end in time.
        """
        self._loop.stop(timeout_s)
        self._close()

    def health(self) -> WorkerHealth:
        """Return how reading goes.

        Details: ``address``, ``cluster_id``, ``partitions``, ``lag_messages``, ``lag_s`` (age of the newest stored
        record while there are more), ``stored``, ``quarantined``, ``echo``, ``duplicates``, ``measurements`` (since the
        start of this process) and ``rate_per_s``.
        """
        return self._board.read()

    def turn(self) -> float:
        """Do one turn: look at the cluster if it is time, fetch, store. Returns seconds to pause before the next."""
        try:
            pause_s = self._work()
        except ClientBrokenError as error:
            self._close()
            return self._broker_gone(str(error))
        except BrokerGoneError as error:
            return self._broker_gone(str(error))
        except OffsetConflictError as error:
            # Another collector was faster. Whatever it stored need not be read again.
            log.info("offsets moved by another collector, reading them again error=%s", error)
            self._forget_positions()
            return 0.0
        except SQLAlchemyError as error:
            return self._database_gone(error)
        if self._unready:
            topic, partition = min(self._unready)
            self._board.erred(f"Kafka has no leader for {topic}[{partition}]; it is tried again.", self._details())
        else:
            self._board.turned("ok", self._details())
        return pause_s

    # The cluster

    def _work(self) -> float:
        client = self._look_around()
        self._report()
        if self._positions.keys() != self._wanted - self._unready_yet():
            self._start_partitions(client)
        if not self._pending:
            self._fetch(client)
        return self._store_pending(client) if self._pending else 0.0

    def _look_around(self) -> BrokerClient:
        """Return a client whose wanted partitions are not older than `LOOK_INTERVAL_S`."""
        client = self._client
        if client is None:
            client = self._client = BrokerClient(self._config.brokers, self._config.group)
        if time.monotonic() < self._next_look:
            return client
        view = client.look()
        self._note_answer(Answer(latency_ms=view.latency_ms))
        if self._cluster is None or self._cluster.cluster_id != view.cluster_id:
            self._enter(view)
        topics = {name: number for name, number in view.topics.items() if self._fits(name)}
        if view.is_embedded:
            self._wanted = frozenset((topic, number) for topic in topics for number in range(topics[topic]))
        elif topics and topics.keys() != self._subscribed(self._cluster):
            client.subscribe(topics, self._assigned)
        self._cluster = view
        # Last: when something above fails, nothing may be read before it is done.
        self._next_look = time.monotonic() + LOOK_INTERVAL_S
        return client

    def _enter(self, view: ClusterView) -> None:
        log.info("reading from Kafka cluster=%s brokers=%s", view.cluster_id, self._config.brokers)
        self._ledger.open_cluster(view.cluster_id)
        self._forget_positions()

    def _subscribed(self, view: ClusterView | None) -> set[str]:
        return {name for name in view.topics if self._fits(name)} if view else set()

    def _fits(self, topic: str) -> bool:
        return any(pattern.match(topic) for pattern in self._patterns)

    def _assigned(self, partitions: frozenset[PartitionKey]) -> None:
        self._wanted = partitions
        self._unready.clear()
        self._forget_positions()

    def _start_partitions(self, client: BrokerClient) -> None:
        """Start what is wanted and not read yet from the database's offsets; drop what is not wanted any more."""
        if self._cluster is None:
            return
        new = self._wanted - self._unready_yet() - self._positions.keys()
        positions = {key: position for key, position in self._positions.items() if key in self._wanted}
        lives = self._ledger.lives(self._cluster.cluster_id, {topic for topic, _ in new})
        for key in sorted(new):
            watermarks = self._watermarks(client, key)
            if watermarks is not None:
                positions[key] = self._ledger.start(self._cluster.cluster_id, key, lives[key[0]], watermarks)
        client.assign({key: position.following for key, position in positions.items()})
        self._positions = positions
        # It will be fetched again, from the positions.
        self._pending = []

    def _watermarks(self, client: BrokerClient, key: PartitionKey) -> tuple[int, int] | None:
        """Return what the broker has of a partition; None when only this partition has no leader.

        Raises:
            BrokerGoneError: The brokers do not answer at all.
        """
        before = self._unready.pop(key, None)
        try:
            return client.watermarks(key)
        except BrokerGoneError:
            client.look()
            pause_s = UNREADY_RETRY_S if before is None else min(2 * before.pause_s, UNREADY_RETRY_MOST_S)
            self._unready[key] = _Unready(time.monotonic() + pause_s, pause_s)
            return None

    def _unready_yet(self) -> frozenset[PartitionKey]:
        now = time.monotonic()
        return frozenset(key for key, wait in self._unready.items() if now < wait.until)

    def _forget_positions(self) -> None:
        self._positions = {}
        self._pending = []

    # Records

    def _fetch(self, client: BrokerClient) -> None:
        fetched = client.fetch(BATCH_RECORDS, GATHER_S)
        self._pending = fetched.records
        for key in fetched.astray:
            # Thrown away by the broker, or made anew: the next turn finds out and starts it again.
            log.warning("offset not on the broker topic=%s partition=%d", *key)
            self._positions.pop(key, None)

    def _store_pending(self, client: BrokerClient) -> float:
        taken = _beginning(self._pending)
        batch = make_batch(self._pending[:taken], self._positions, nanoseconds(self._clock()), self._is_echo)
        started = time.monotonic()
        if batch.advances:
            self._meter.add(self._store.write(batch), batch)
            self._advance(client, batch)
        self._pending = self._pending[taken:]
        is_backlog = bool(self._pending) or taken == BATCH_RECORDS
        held_s = time.monotonic() - started
        return min(held_s * YIELD_SHARE, YIELD_MOST_S) if is_backlog and self._is_sqlite else 0.0

    def _advance(self, client: BrokerClient, batch: Batch) -> None:
        moved: dict[PartitionKey, int] = {}
        for step in batch.advances:
            key = (step.topic, step.partition)
            moved[key] = step.next_offset
            self._positions[key] = replace(self._positions[key], stored=step.next_offset, following=step.next_offset)
        if self._cluster is not None and not self._cluster.is_embedded:
            client.commit(moved)

    # Health

    def _broker_gone(self, text: str) -> float:
        self._next_look = 0.0
        try:
            self._note_answer(Answer(error=text))
            self._report()
        except SQLAlchemyError as error:
            return self._database_gone(error)
        self._board.erred(text, self._details())
        return RETRY_S

    def _database_gone(self, error: SQLAlchemyError) -> float:
        cause = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        text = f"The database does not take messages: {cause}. Reading goes on from the same offset when it does."
        self._board.erred(text, self._details())
        return RETRY_S

    def _note_answer(self, answer: Answer) -> None:
        """Remember the newest answer; when it changed for good or bad, it is written at once."""
        if self._answer is None or self._answer.error != answer.error:
            self._next_report = 0.0
        self._answer = answer

    def _report(self) -> None:
        if self._answer is not None and time.monotonic() >= self._next_report:
            self._next_report = time.monotonic() + REPORT_INTERVAL_S
            self._backend.write(self._answer)
            self._meter.measure(self._lag())

    def _lag(self) -> int:
        client = self._client
        if client is None:
            return 0
        ends = ((client.end(key), position.following) for key, position in self._positions.items())
        return sum(max(end - following, 0) for end, following in ends if end is not None)

    def _details(self) -> Mapping[str, int | float | str | None]:
        return {
            "address": self._config.brokers,
            "cluster_id": self._cluster.cluster_id if self._cluster else None,
            "partitions": len(self._positions),
            **self._meter.details(),
        }

    def _close(self) -> None:
        client, self._client = self._client, None
        self._cluster = None
        self._wanted = frozenset()
        self._next_look = 0.0
        self._unready.clear()
        self._forget_positions()
        if client is not None:
            client.close()


def _never(_message: Decoded) -> bool:
    return False


def _beginning(records: list[Record]) -> int:
    """Return how many records from the first on make one batch."""
    size = 0
    for number, record in enumerate(records):
        size += len(record.value or b"")
        if number and size > BATCH_BYTES:
            return number
    return len(records)
