"""Write batches: rows, roll-ups, quarantine, counters and offsets in one transaction."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from models.database import Database
from models.messages import (
    MessageApplication,
    MessageCounter,
    MessageSession,
    Quarantined,
    Topic,
)
from services.clock import Clock
from services.messages import bulk, dimensions, offsets, rollups, search
from services.messages.batch import Accepted, Advance, Batch, Measured, Rejected
from services.messages.bulk import MessageRow
from services.messages.measurements import MeasurementWriter
from services.messages.texts import storable
from services.messages.types import Decoded
from services.messages.upsert import insert_into, is_postgresql, table_of, writers_turn

log = logging.getLogger(__name__)

# So much of a rejected record is kept.
QUARANTINE_PAYLOAD_BYTES = 64 * 1024
# Keys name a session, or a measurement with its origin.
QUARANTINE_KEY_BYTES = 4 * 1024
# So many partitions are named when offsets are not what was expected.
TOLD = 3

# Keys of a message's detail: the true names of one that is kept under the shared name.
SESSION_GIVEN = "session_given"
APPLICATION_GIVEN = "application_given"


class OffsetConflictError(Exception):
    """Somebody else moved an offset of the batch: nothing was stored; read the offsets again."""


class ReleaseConflictError(Exception):
    """A record that the batch has decoded is not in the quarantine any more: nothing was stored; read it again."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a batch. ``duplicates`` had been stored before; ``newest_id`` is 0 when no row was stored.

    ``measurements`` are OpMon entries, which have no row of their own.
    """

    stored: int
    quarantined: int
    echo: int
    duplicates: int
    newest_id: int
    measurements: int = 0


@dataclass(frozen=True, slots=True)
class _Inserted:
    rows: Sequence[MessageRow]
    refused: Sequence[Rejected] = ()
    duplicates: int = 0


_Insert = Callable[[Session, Sequence[MessageRow], Sequence[Accepted]], _Inserted]


class MessageStore:
    """Stores each record exactly once (tables ``message``, ``quarantined``, ``topic_offset``, ...)."""

    def __init__(self, database: Database, clock: Clock, meanwhile: Callable[[], None] = bulk.nothing) -> None:
        """Keep the collaborators.

        Args:
            database: Where to store.
            clock: For the time at which offsets moved.
            meanwhile: Called when the database has all rows of a batch and works by itself for long: another thread
                may begin something then.
        """
        self._database = database
        self._clock = clock
        self._meanwhile = meanwhile
        self._measurements = MeasurementWriter()

    def write(self, batch: Batch) -> Stored:
        """Store a batch, all or nothing.

        A row that the database refuses goes to the quarantine; one that is there already is counted as duplicate.
        Neither keeps the rest of the batch from being stored.

        Raises:
            OffsetConflictError: An offset is not what the batch expects. Nothing was stored.
            ReleaseConflictError: The quarantine is not what the batch expects. Nothing was stored.
            sqlalchemy.exc.DBAPIError: The database is locked or gone. Nothing was stored.
        """
        refusal: Exception | None = None
        for insert_rows in (self._insert_all, _insert_missing, _insert_each):
            if insert_rows is _insert_missing and not isinstance(refusal, IntegrityError):
                continue
            try:
                return self._commit(batch, insert_rows)
            except Exception as error:
                if not _is_about_the_rows(error):
                    raise
                refusal = error
            log.warning("batch refused tried=%s error=%s", insert_rows.__name__.strip("_"), _reason(refusal))
            self._measurements.forget_all()
        return self._commit(_without_rows(batch, refusal), self._insert_all)

    def _commit(self, batch: Batch, insert_rows: _Insert) -> Stored:
        try:
            with self._database.write() as session:
                writers_turn(session)
                result = self._store(session, batch, insert_rows)
        except BaseException:
            self._measurements.forget()
            raise
        self._measurements.keep()
        return result

    def _store(self, session: Session, batch: Batch, insert_rows: _Insert) -> Stored:
        topics = dimensions.ids(session, Topic, _topics_of(batch))
        # First, because a conflict makes all other work vain.
        self._advance(session, batch.advances, topics)
        _release(session, batch.released)
        rows, shared = _rows(session, batch, topics)
        inserted = insert_rows(session, rows, batch.accepted)
        search.add(session, inserted.rows)
        rollups.add(session, inserted.rows)
        quarantined = _quarantine(session, [*batch.rejected, *inserted.refused], topics, batch.received_ns)
        measured = self._measurements.add(session, [item.measurement for item in batch.measured])
        counts = {
            "stored": len(inserted.rows),
            "quarantined": quarantined,
            "echo": batch.echo,
            "duplicates": inserted.duplicates,
        }
        count(session, {**counts, **measured, "names_shared": sum(row.id in shared for row in inserted.rows)})
        newest_id = inserted.rows[-1].id if inserted.rows else 0
        return Stored(**counts, newest_id=newest_id, measurements=len(batch.measured))

    def _insert_all(self, session: Session, rows: Sequence[MessageRow], _accepted: Sequence[Accepted]) -> _Inserted:
        bulk.insert_all(session, rows, self._meanwhile)
        return _Inserted(rows)

    def _advance(self, session: Session, advances: Sequence[Advance], topics: dict[str, int]) -> None:
        """Move all offsets by compare-and-swap.

        Raises:
            OffsetConflictError: The database says something else than the batch expects.
        """
        if not offsets.move(session, advances, topics, self._clock()):
            told = ", ".join(f"{step.topic}[{step.partition}] from {step.expected}" for step in advances[:TOLD])
            more = f" and {len(advances) - TOLD} more" if len(advances) > TOLD else ""
            raise OffsetConflictError(f"the next offsets are not all what is expected any more: {told}{more}")


def _rows(session: Session, batch: Batch, topics: dict[str, int]) -> tuple[list[MessageRow], set[int]]:
    """Return a row for each accepted record, in their order, with consecutive ids; and which share a name."""
    if not batch.accepted:
        return [], set()
    messages = [accepted.message for accepted in batch.accepted]
    sessions = dimensions.ids(session, MessageSession, [message.session for message in messages])
    applications = dimensions.ids(session, MessageApplication, [message.application for message in messages])
    first_id = _allocate_ids(session, len(messages))
    received_ns = batch.received_ns
    rows: list[MessageRow] = []
    shared: set[int] = set()
    is_any_shared = dimensions.OTHER in sessions or dimensions.OTHER in applications
    for id_, (incarnation_id, record, message) in enumerate(batch.accepted, first_id):
        kind, severity, session_name, application, name, said, time_ns, detail = message
        if is_any_shared and (given := _names_given(message, sessions, applications)):
            detail = {**(detail or {}), **given}
            shared.add(id_)
        rows.append(
            MessageRow(
                id_,
                incarnation_id,
                topics[record.topic],
                record.partition,
                record.offset,
                time_ns,
                received_ns,
                int(kind),
                int(severity),
                sessions[session_name],
                applications[application],
                name,
                said,
                None if detail is None else json.dumps(detail),
            )
        )
    return rows, shared


def _topics_of(batch: Batch) -> set[str]:
    items: list[Accepted | Measured | Rejected] = [*batch.accepted, *batch.measured, *batch.rejected]
    return {advance.topic for advance in batch.advances} | {item.record.topic for item in items}


def _names_given(message: Decoded, sessions: Mapping[str, int], applications: Mapping[str, int]) -> dict[str, Any]:
    """Return the names of a message that had to give way to the shared one, for its detail."""
    given: dict[str, Any] = {}
    if dimensions.is_shared(sessions, message.session):
        given[SESSION_GIVEN] = message.session
    if dimensions.is_shared(applications, message.application):
        given[APPLICATION_GIVEN] = message.application
    return given


def count(session: Session, counts: dict[str, int]) -> None:
    """Raise counters in the caller's transaction; zeros are left out."""
    rows = [{"name": name, "value": value} for name, value in sorted(counts.items()) if value]
    if rows:
        statement = insert_into(session, MessageCounter)
        total = table_of(MessageCounter).c.value + statement.excluded.value
        session.connection().execute(
            statement.on_conflict_do_update(index_elements=["name"], set_={"value": total}), rows
        )


def _allocate_ids(session: Session, number: int) -> int:
    """Return the first of ``number`` consecutive ids above all ever given.

    The caller holds the writers' lock until the commit, so ids grow in the order of commits.
    """
    if is_postgresql(session):
        sequence = func.pg_get_serial_sequence("message", "id")
        last = session.scalar(select(func.setval(sequence, func.nextval(sequence) + number - 1)))
        return int(last or 0) - number + 1
    last = session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = 'message'"))
    return int(last or 0) + 1


def _insert_missing(session: Session, rows: Sequence[MessageRow], _accepted: Sequence[Accepted]) -> _Inserted:
    """Leave out what is stored already."""
    new = bulk.insert_missing(session, rows)
    return _Inserted([row for row in rows if row.id in new], duplicates=len(rows) - len(new))


def _insert_each(session: Session, rows: Sequence[MessageRow], accepted: Sequence[Accepted]) -> _Inserted:
    """Insert row by row, each in a savepoint: what is refused does not take the others with it."""
    good: list[MessageRow] = []
    refused: list[Rejected] = []
    duplicates = 0
    for row, origin in zip(rows, accepted, strict=True):
        try:
            with session.begin_nested():
                bulk.insert_all(session, [row])
        except Exception as error:
            if not _is_about_the_rows(error):
                raise
            if isinstance(error, IntegrityError):
                duplicates += 1
            else:
                refused.append(_refuse(origin, error))
        else:
            good.append(row)
    return _Inserted(good, refused, duplicates)


def _release(session: Session, ids: Sequence[int]) -> None:
    """Take records out of the quarantine.

    Raises:
        ReleaseConflictError: Somebody else took one out, or retention removed it.
    """
    if ids:
        removed = session.connection().execute(delete(table_of(Quarantined)).where(Quarantined.id.in_(ids))).rowcount
        if removed != len(ids):
            raise ReleaseConflictError(f"{len(ids) - removed} of {len(ids)} records left the quarantine meanwhile")
        count(session, {"released": removed})


def _quarantine(session: Session, rejected: Sequence[Rejected], topics: dict[str, int], received_ns: int) -> int:
    """Keep rejected records; return how many were not there yet."""
    added = 0
    for values in _quarantine_values(rejected, topics, received_ns):
        statement = insert_into(session, Quarantined).values(values).on_conflict_do_nothing()
        added += len(session.connection().execute(statement.returning(Quarantined.id)).all())
    return added


def _quarantine_values(
    rejected: Sequence[Rejected], topics: dict[str, int], received_ns: int
) -> Iterator[dict[str, Any]]:
    for item in rejected:
        payload = item.record.value or b""
        yield {
            "incarnation_id": item.incarnation_id,
            "topic_id": topics[item.record.topic],
            "partition": item.record.partition,
            "offset": item.record.offset,
            "received_ns": received_ns,
            "kafka_ms": item.record.timestamp_ms,
            "record_key": None if item.record.key is None else item.record.key[:QUARANTINE_KEY_BYTES],
            "reason": storable(item.reason),
            "size_bytes": len(payload),
            "payload": payload[:QUARANTINE_PAYLOAD_BYTES],
        }


def _is_about_the_rows(error: Exception) -> bool:
    """Tell whether the database refused values, rather than being locked, gone or of another schema."""
    if isinstance(error, DBAPIError):
        return isinstance(error, DataError | IntegrityError)
    # Values that never reached the driver: not JSON, not UTF-8, too large for 64 bits.
    return isinstance(error, StatementError | OverflowError | UnicodeError | json.JSONDecodeError)


def _without_rows(batch: Batch, refusal: Exception | None) -> Batch:
    """Return the batch with all its records in the quarantine."""
    items: list[Accepted | Measured] = [*batch.accepted, *batch.measured]
    refused = [_refuse(item, refusal) for item in items]
    return replace(batch, accepted=(), measured=(), rejected=[*batch.rejected, *refused])


def _refuse(item: Accepted | Measured, error: Exception | None) -> Rejected:
    return Rejected(item.incarnation_id, item.record, f"the database refused it: {_reason(error)}")


def _reason(error: Exception | None) -> str:
    """Return the first line of the cause; the rest repeats the values."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0][:500]
