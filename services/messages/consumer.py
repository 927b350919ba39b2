"""The consumer: Kafka to database, exactly once, for ever."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from models.database import Database, cause_of
from services.clock import Clock, nanoseconds
from services.loop import LoopWorker
from services.messages.backend import Answer, BackendReport
from services.messages.backlog import BATCH_BYTES, BATCH_RECORDS, FETCH_RECORDS, Backlog
from services.messages.batch import PartitionKey, make_batch
from services.messages.broker import BrokerClient, BrokerGoneError, ClientBrokenError, ClusterView
from services.messages.echo import own_echo
from services.messages.ledger import OffsetLedger
from services.messages.meter import Meter
from services.messages.partitions import Partitions
from services.messages.store import MessageStore, OffsetConflictError
from services.messages.types import Decoded

log = logging.getLogger(__name__)

# A new topic is read within about a second: this, and what the client needs to find its leader.
LOOK_INTERVAL_S = 0.5
REPORT_INTERVAL_S = 1.0

# How long records are gathered, the price in latency for writing many at once. They gather while those before are
# stored, too; what is left of that time is waited for, and a little in any case, in which other threads get their turn.
GATHER_S = 0.03
GATHER_LEAST_S = 0.005
# After an error: soon enough to be back within seconds, seldom enough to be no load.
RETRY_S = 0.3
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


class MessageConsumer(LoopWorker):
    """Reads all topics that fit and stores what they carry; survives the broker's and the database's absence.

    On the embedded broker it takes all partitions, on a real one those that the group gives it. Either way reading
    starts from the offsets in the database.

    Details of its health: ``address``, ``cluster_id``, ``partitions``, ``lag_messages`` (None while the broker or the
    database is gone), ``lag_s`` (age of the newest stored record while there are more; at least how long one of them
    has been gone), ``stored``, ``quarantined``, ``echo``, ``duplicates``, ``measurements`` (since the start of this
    process) and ``rate_per_s``.
    """

    def __init__(self, config: ConsumerConfig, database: Database, clock: Clock) -> None:
        """Keep the collaborators; nothing is opened before the first turn, which is after the fork."""
        super().__init__("messages", clock)
        self._config = config
        self._is_sqlite = database.is_sqlite
        self._clock = clock
        self._patterns = [re.compile(pattern) for pattern in config.topics]
        self._is_echo = _never if config.store_own_echo else own_echo(config.service_user)
        self._backlog = Backlog()
        self._store = MessageStore(database, clock, self._backlog.decode_next)
        self._ledger = OffsetLedger(database, clock)
        self._partitions = Partitions(self._ledger)
        self._backend = BackendReport(database, clock, config.brokers)
        self._meter = Meter(clock)
        self._client: BrokerClient | None = None
        self._cluster: ClusterView | None = None
        self._ids_of_fetched: Callable[[], Mapping[str, str]] | None = None
        self._answer: Answer | None = None
        self._fetched_at = 0.0
        self._next_look = 0.0
        self._next_report = 0.0

    def stop(self, timeout_s: float) -> None:
        """End the thread after the batch it is at.

        Raises:
            TimeoutError: It did not end in time.
        """
        super().stop(timeout_s)
        self._finish()

    def turn(self) -> float:
        """Do one turn: look at the cluster if it is time, fetch, store. Returns seconds to pause before the next."""
        try:
            pause_s = self._work()
        except ClientBrokenError as error:
            self._finish()
            return self._broker_gone(str(error))
        except BrokerGoneError as error:
            return self._broker_gone(str(error))
        except OffsetConflictError as error:
            # Another collector was faster. Whatever it stored need not be read again.
            log.info("offsets moved by another collector, reading them again error=%s", error)
            self._forget()
            return 0.0
        except SQLAlchemyError as error:
            return self._database_gone(error)
        self._meter.go_on()
        if leaderless := self._partitions.leaderless:
            topic, partition = leaderless
            self._board.erred(f"Kafka has no leader for {topic}[{partition}]; it is tried again.", self._details())
        else:
            self._board.turned("ok", self._details())
        return pause_s

    # The cluster

    def _work(self) -> float:
        client, cluster = self._look_around()
        self._report()
        if not self._partitions.are_started:
            # What is not stored will be fetched again, from the positions.
            self._backlog.clear()
            self._partitions.start(client, cluster.cluster_id)
        if not self._backlog:
            self._fetch(client)
        return self._store_first(client, cluster) if self._backlog else 0.0

    def _look_around(self) -> tuple[BrokerClient, ClusterView]:
        """Return a client, and a view of the cluster that is not older than `LOOK_INTERVAL_S`."""
        client = self._client
        if client is None:
            client = self._client = BrokerClient(self._config.brokers, self._config.group)
        if self._cluster is not None and time.monotonic() < self._next_look:
            return client, self._cluster
        view = client.look()
        self._note_answer(Answer(latency_ms=view.latency_ms))
        if self._cluster is None or self._cluster.cluster_id != view.cluster_id:
            self._enter(view)
        topics = self._fitting(view)
        if view.is_embedded:
            self._partitions.want((topic, number) for topic in topics for number in range(topics[topic]))
        elif topics and topics != self._fitting(self._cluster):
            client.subscribe(topics, self._assigned)
        self._partitions.recognise(client.topic_ids(self._partitions.topics)())
        self._cluster = view
        # Last: when something above fails, nothing may be read before it is done.
        self._next_look = time.monotonic() + LOOK_INTERVAL_S
        return client, view

    def _enter(self, view: ClusterView) -> None:
        log.info("reading from Kafka cluster=%s brokers=%s", view.cluster_id, self._config.brokers)
        self._ledger.open_cluster(view.cluster_id)
        self._forget()

    def _fitting(self, view: ClusterView | None) -> dict[str, int]:
        """Return the topics to read, and how many partitions each has."""
        topics = view.topics if view else {}
        return {name: number for name, number in topics.items() if any(fits.match(name) for fits in self._patterns)}

    def _assigned(self, partitions: frozenset[PartitionKey]) -> None:
        self._partitions.want_anew(partitions)
        self._backlog.clear()

    def _forget(self) -> None:
        self._partitions.forget()
        self._backlog.clear()

    # Records

    def _fetch(self, client: BrokerClient) -> None:
        gathered_s = time.monotonic() - self._fetched_at
        fetched = client.fetch(FETCH_RECORDS, BATCH_BYTES, max(GATHER_S - gathered_s, GATHER_LEAST_S))
        self._fetched_at = time.monotonic()
        self._backlog.fill(fetched.records, nanoseconds(self._clock()))
        # The answer comes while records are decoded.
        self._ids_of_fetched = client.topic_ids({record.topic for record in fetched.records})
        for key in fetched.astray:
            # Thrown away by the broker, or made anew: the next turn finds out and starts it again.
            log.warning("offset not on the broker topic=%s partition=%d", *key)
        self._partitions.drop(fetched.astray)

    def _store_first(self, client: BrokerClient, cluster: ClusterView) -> float:
        arrivals = self._backlog.first()
        batch = make_batch(arrivals, self._partitions.positions, nanoseconds(self._clock()), self._is_echo)
        if not self._is_of_topics_read():
            return 0.0
        started = time.monotonic()
        if batch.advances:
            self._meter.add(self._store.write(batch), batch)
            moved = self._partitions.advance(batch.advances)
            if not cluster.is_embedded:
                client.commit(moved)
        self._backlog.drop_first()
        is_backlog = bool(self._backlog) or len(arrivals) == BATCH_RECORDS
        held_s = time.monotonic() - started
        return min(held_s * YIELD_SHARE, YIELD_MOST_S) if is_backlog and self._is_sqlite else 0.0

    def _is_of_topics_read(self) -> bool:
        """Tell whether the records to store are of the topics that were started.

        A topic that was made anew has records at the same offsets as the old one; only its id, asked after they were
        fetched, tells them apart.
        """
        ask, self._ids_of_fetched = self._ids_of_fetched, None
        if ask is None:
            return True
        try:
            return self._partitions.recognise(ask())
        except BrokerGoneError:
            self._forget()
            raise

    # Health

    def _broker_gone(self, text: str) -> float:
        self._next_look = 0.0
        self._meter.halt()
        try:
            self._note_answer(Answer(error=text))
            self._report()
        except SQLAlchemyError as error:
            return self._database_gone(error)
        self._board.erred(text, self._details())
        return RETRY_S

    def _database_gone(self, error: SQLAlchemyError) -> float:
        text = (
            f"The database does not take messages: {cause_of(error)}. "
            "Reading goes on from the same offset when it does."
        )
        self._meter.halt()
        # Nothing is good before it takes a report.
        self._next_report = 0.0
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
        ends = ((client.end(key), position.following) for key, position in self._partitions.positions.items())
        return sum(max(end - following, 0) for end, following in ends if end is not None)

    def _details(self) -> Mapping[str, int | float | str | None]:
        return {
            "address": self._config.brokers,
            "cluster_id": self._cluster.cluster_id if self._cluster else None,
            "partitions": len(self._partitions.positions),
            **self._meter.details(),
        }

    def _finish(self) -> None:
        client, self._client = self._client, None
        self._cluster = None
        self._next_look = 0.0
        self._partitions.want_anew(())
        self._backlog.clear()
        if client is not None:
            client.close()


def _never(_message: Decoded) -> bool:
    return False
