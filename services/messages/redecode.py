"""Decode the quarantine again: an upgrade may understand what an earlier version could not."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Row, func, select

from models.database import Database
from models.messages import Quarantined, Topic
from services.clock import Clock, nanoseconds
from services.messages.batch import Accepted, Batch, Measured
from services.messages.decode import decode
from services.messages.decoding import DecodeError
from services.messages.store import MessageStore, ReleaseConflictError
from services.messages.types import Measurement, Record

# One transaction takes so many, so that the consumer is never kept waiting for long.
CHUNK_RECORDS = 50

_QuarantinedRow = Row[int, int, str, int, int, int, int | None, bytes | None, int, bytes]


@dataclass(frozen=True, slots=True)
class Redecoded:
    """What became of the quarantine.

    Attributes:
        messages: Records that are messages now.
        measurements: Records that are measurements now.
        kept: Records that still cannot be decoded.
        incomplete: How many of those never will be, because only their beginning was kept.
    """

    messages: int = 0
    measurements: int = 0
    kept: int = 0
    incomplete: int = 0

    def plus(self, more: "Redecoded") -> "Redecoded":
        """Return the sum."""
        return Redecoded(
            self.messages + more.messages,
            self.measurements + more.measurements,
            self.kept + more.kept,
            self.incomplete + more.incomplete,
        )


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A stretch of the quarantine, looked at: what to store, what stays, and the last id."""

    batch: Batch
    kept: int
    incomplete: int
    last_id: int


def redecode(database: Database, clock: Clock) -> Redecoded:
    """Decode all quarantined records again; what can be decoded now is stored as if it had arrived now.

    Records that an earlier version put there have neither key nor Kafka's time: a message without a time of its own
    then has the one of its arrival, marked ``time_given: null``. May run beside the collector; a record is never stored
    twice.

    Raises:
        sqlalchemy.exc.DBAPIError: The database is locked or gone. What was stored until then stays.
    """
    store = MessageStore(database, clock)
    total = Redecoded()
    after = 0
    # What is put into quarantine from now on, also by this store, is not for this time.
    with database.read() as session:
        until = session.scalar(select(func.max(Quarantined.id))) or 0
    while (chunk := _next_chunk(database, clock, after, until)) is not None:
        try:
            stored = store.write(chunk.batch)
        except ReleaseConflictError:
            # Retention or another redecoding was faster: look at the same stretch again.
            continue
        total = total.plus(
            Redecoded(stored.stored, stored.measurements, chunk.kept + stored.quarantined, chunk.incomplete)
        )
        after = chunk.last_id
    return total


def _next_chunk(database: Database, clock: Clock, after: int, until: int) -> _Chunk | None:
    """Return the next stretch above an id, decoded; None at the end."""
    with database.read() as session:
        rows = session.execute(
            select(
                Quarantined.id,
                Quarantined.incarnation_id,
                Topic.name,
                Quarantined.partition,
                Quarantined.offset,
                Quarantined.received_ns,
                Quarantined.kafka_ms,
                Quarantined.record_key,
                Quarantined.size_bytes,
                Quarantined.payload,
            )
            .join(Topic, Topic.id == Quarantined.topic_id)
            .where(Quarantined.id > after, Quarantined.id <= until)
            .order_by(Quarantined.id)
            .limit(CHUNK_RECORDS)
        ).all()
    return _decode_rows(rows, nanoseconds(clock())) if rows else None


def _decode_rows(rows: Sequence[_QuarantinedRow], now_ns: int) -> _Chunk:
    accepted: list[Accepted] = []
    measured: list[Measured] = []
    released: list[int] = []
    incomplete = 0
    for id_, incarnation_id, topic, partition, offset, received_ns, kafka_ms, key, size_bytes, payload in rows:
        if size_bytes > len(payload):
            incomplete += 1
            continue
        record = Record(topic, partition, offset, timestamp_ms=kafka_ms, key=key, value=payload)
        try:
            found = decode(record, received_ns)
        except DecodeError:
            continue
        released.append(id_)
        if isinstance(found, Measurement):
            measured.append(Measured(incarnation_id, record, found))
        else:
            accepted.append(Accepted(incarnation_id, record, found))
    batch = Batch(now_ns, accepted=accepted, measured=measured, released=released)
    return _Chunk(batch, kept=len(rows) - len(released), incomplete=incomplete, last_id=rows[-1][0])
