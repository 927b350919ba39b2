"""Write batches: rows, roll-ups, quarantine, counters and offsets in one transaction."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from models.database import Database
from models.messages import (
    Message,
    MessageApplication,
    MessageCounter,
    MessageSession,
    Quarantined,
    Topic,
    TopicOffset,
)
from services.clock import Clock
from services.messages import rollups
from services.messages.batch import Accepted, Advance, Batch, Measured, Rejected
from services.messages.dimensions import Dimensions, is_shared
from services.messages.measurements import MeasurementWriter
from services.messages.texts import storable
from services.messages.types import Decoded
from services.messages.upsert import insert_into, table_of, writers_turn

log = logging.getLogger(__name__)

# So much of a rejected record is kept.
QUARANTINE_PAYLOAD_BYTES = 64 * 1024

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
class _Row:
    accepted: Accepted
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Inserted:
    rows: Sequence[_Row]
    refused: Sequence[Rejected] = ()
    duplicates: int = 0


_Insert = Callable[[Session, Sequence[_Row]], _Inserted]


class MessageStore:
    """Stores each record exactly once (tables ``message``, ``quarantined``, ``topic_offset``, ...)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the collaborators."""
        self._database = database
        self._clock = clock
        self._dimensions = Dimensions()
        self._measurements = MeasurementWriter(self._dimensions)

    def write(self, batch: Batch) -> Stored:
        """Store a batch, all or nothing.

        A row that the database refuses goes to the quarantine; one that is there already is counted as duplicate.
        Neither keeps the rest of the batch from being stored.

        Raises:
            OffsetConflictError: An offset is not what the batch expects. Nothing was stored.
            ReleaseConflictError: The quarantine is not what the batch expects. Nothing was stored.
            sqlalchemy.exc.DBAPIError: The database is locked or gone. Nothing was stored.
        """
        try:
            return self._commit(batch, _insert_all)
        except Exception as error:
            if not _is_about_the_rows(error):
                raise
            log.warning("batch refused, storing it row by row error=%s", _reason(error))
        self._dimensions.forget_all()
        self._measurements.forget_all()
        try:
            return self._commit(batch, _insert_each)
        except Exception as error:
            if not _is_about_the_rows(error):
                raise
            log.warning("batch refused as a whole, quarantined error=%s", _reason(error))
            items: list[Accepted | Measured] = [*batch.accepted, *batch.measured]
            refused = [_refuse(item, error) for item in items]
            rest = replace(batch, accepted=(), measured=(), rejected=[*batch.rejected, *refused])
            return self._commit(rest, _insert_all)

    def _commit(self, batch: Batch, insert_rows: _Insert) -> Stored:
        try:
            with self._database.write() as session:
                writers_turn(session)
                result = self._store(session, batch, insert_rows)
        except BaseException:
            self._dimensions.forget()
            self._measurements.forget()
            raise
        self._dimensions.keep()
        self._measurements.keep()
        return result

    def _store(self, session: Session, batch: Batch, insert_rows: _Insert) -> Stored:
        topics = self._topics(session, batch)
        # First, because a conflict makes all other work vain.
        for advance in batch.advances:
            self._advance(session, advance, topics[advance.topic])
        _release(session, batch.released)
        inserted = insert_rows(session, self._rows(session, batch, topics))
        rollups.add(session, [row.values for row in inserted.rows])
        quarantined = _quarantine(session, [*batch.rejected, *inserted.refused], topics, batch.received_ns)
        measured = self._measurements.add(session, [item.measurement for item in batch.measured])
        counts = {
            "stored": len(inserted.rows),
            "quarantined": quarantined,
            "echo": batch.echo,
            "duplicates": inserted.duplicates,
        }
        shared = sum(map(_has_shared_name, inserted.rows))
        count(session, {**counts, **measured, "names_shared": shared})
        newest_id = max((row.values["id"] for row in inserted.rows), default=0)
        return Stored(**counts, newest_id=newest_id, measurements=len(batch.measured))

    def _topics(self, session: Session, batch: Batch) -> dict[str, int]:
        items: list[Accepted | Measured | Rejected] = [*batch.accepted, *batch.measured, *batch.rejected]
        names = {advance.topic for advance in batch.advances} | {item.record.topic for item in items}
        return self._dimensions.ids(session, Topic, names)

    def _advance(self, session: Session, advance: Advance, topic_id: int) -> None:
        """Move one offset by compare-and-swap.

        Raises:
            OffsetConflictError: The database says something else than the batch expects.
        """
        if not move_offset(session, advance, topic_id, self._clock):
            raise OffsetConflictError(
                f"{advance.topic}[{advance.partition}]: the next offset is not {advance.expected} any more"
            )

    def _rows(self, session: Session, batch: Batch, topics: dict[str, int]) -> list[_Row]:
        if not batch.accepted:
            return []
        messages = [accepted.message for accepted in batch.accepted]
        sessions = self._dimensions.ids(session, MessageSession, [message.session for message in messages])
        applications = self._dimensions.ids(session, MessageApplication, [message.application for message in messages])
        first_id = _allocate_ids(session, len(messages))
        return [
            _Row(
                accepted,
                {
                    "id": id_,
                    "incarnation_id": accepted.incarnation_id,
                    "topic_id": topics[accepted.record.topic],
                    "partition": accepted.record.partition,
                    "offset": accepted.record.offset,
                    "time_ns": accepted.message.time_ns,
                    "received_ns": batch.received_ns,
                    "kind": accepted.message.kind.value,
                    "severity": accepted.message.severity.value,
                    "session_id": sessions[accepted.message.session],
                    "application_id": applications[accepted.message.application],
                    "name": accepted.message.name,
                    "text": accepted.message.text,
                    "detail": _detail(accepted.message, sessions, applications),
                },
            )
            for id_, accepted in enumerate(batch.accepted, start=first_id)
        ]


def _detail(message: Decoded, sessions: Mapping[str, int], applications: Mapping[str, int]) -> Mapping[str, Any] | None:
    """Return the message's detail, with the names that had to give way to the shared one."""
    shared: dict[str, Any] = {}
    if is_shared(sessions, message.session):
        shared[SESSION_GIVEN] = message.session
    if is_shared(applications, message.application):
        shared[APPLICATION_GIVEN] = message.application
    return {**(message.detail or {}), **shared} if shared else message.detail


def _has_shared_name(row: _Row) -> bool:
    detail = row.values["detail"] or {}
    return SESSION_GIVEN in detail or APPLICATION_GIVEN in detail


def move_offset(session: Session, advance: Advance, topic_id: int, clock: Clock) -> bool:
    """Move an offset in the caller's transaction if it is still what is expected; return whether it was."""
    now = clock()
    values = {
        "incarnation_id": advance.incarnation_id,
        "topic_id": topic_id,
        "partition": advance.partition,
        "next_offset": advance.next_offset,
        "updated_at": now,
    }
    if advance.expected is None:
        # The primary key guards the first one.
        first = insert_into(session, TopicOffset).values(values).on_conflict_do_nothing()
        return session.connection().execute(first.returning(TopicOffset.next_offset)).first() is not None
    moved = session.connection().execute(
        update(table_of(TopicOffset))
        .where(
            TopicOffset.incarnation_id == advance.incarnation_id,
            TopicOffset.topic_id == topic_id,
            TopicOffset.partition == advance.partition,
            TopicOffset.next_offset == advance.expected,
        )
        .values(next_offset=advance.next_offset, updated_at=now)
    )
    return moved.rowcount == 1


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
    if session.get_bind().dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence("message", "id")
        last = session.scalar(select(func.setval(sequence, func.nextval(sequence) + number - 1)))
        return int(last or 0) - number + 1
    last = session.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = 'message'"))
    return int(last or 0) + 1


def _insert_all(session: Session, rows: Sequence[_Row]) -> _Inserted:
    if rows:
        session.connection().execute(insert(table_of(Message)), [row.values for row in rows])
    return _Inserted(rows)


def _insert_each(session: Session, rows: Sequence[_Row]) -> _Inserted:
    """Insert row by row, each in a savepoint: what is refused does not take the others with it."""
    good: list[_Row] = []
    refused: list[Rejected] = []
    duplicates = 0
    for row in rows:
        try:
            with session.begin_nested():
                session.connection().execute(insert(table_of(Message)), row.values)
        except Exception as error:
            if not _is_about_the_rows(error):
                raise
            if isinstance(error, IntegrityError):
                duplicates += 1
            else:
                refused.append(_refuse(row.accepted, error))
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


def _refuse(item: Accepted | Measured, error: Exception) -> Rejected:
    return Rejected(item.incarnation_id, item.record, f"the database refused it: {_reason(error)}")


def _reason(error: Exception) -> str:
    """Return the first line of the cause; the rest repeats the values."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0][:500]
