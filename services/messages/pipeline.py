"""How the message pipeline is: everything from the database, so that the collector may be another process."""

import time
from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.database import Database
from models.messages import Gap, MessageCounter, Quarantined, Topic, TopicOffset
from services.messages.pipeline_types import (
    DatabaseSize,
    GapView,
    PartitionReading,
    PipelineCounts,
    PipelineView,
    QuarantinedView,
)
from services.timed import Timed

# Hundreds of open pages then cost a handful of queries a second.
KEEP_S = 1.0
NEWEST = 100
PARTITIONS = 200
PREVIEW_BYTES = 96

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PipelineQueries:
    """Reads where each partition stands, what was counted, what is missing and what could not be decoded."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Keep the collaborators."""
        self._database = database
        self._is_sqlite = database.is_sqlite
        self._view = Timed(self._read, KEEP_S, monotonic)

    def view(self) -> PipelineView:
        """Return the pipeline, at most 1 s old: the newest 100 gaps and quarantined records, 200 partitions."""
        return self._view.get()

    def _read(self) -> PipelineView:
        with self._database.read() as session:
            partitions = _partitions(session)
            counters = {row.name: row.value for row in session.scalars(select(MessageCounter))}
            return PipelineView(
                partitions=tuple(sorted(partitions[:PARTITIONS], key=lambda found: (found.topic, found.partition))),
                partitions_total=len(partitions),
                counts=PipelineCounts(**{field.name: counters.get(field.name, 0) for field in fields(PipelineCounts)}),
                gaps=_gaps(session),
                quarantined=_quarantined(session),
                database=_sqlite_size(session) if self._is_sqlite else _postgresql_size(session),
            )


def _partitions(session: Session) -> tuple[PartitionReading, ...]:
    """Return each partition's present life, which is the one that was read last; the most recently read first."""
    rows = session.execute(
        select(Topic.name, TopicOffset.partition, TopicOffset.next_offset, TopicOffset.updated_at)
        .join(Topic, Topic.id == TopicOffset.topic_id)
        .order_by(TopicOffset.updated_at.desc(), TopicOffset.incarnation_id.desc(), Topic.name, TopicOffset.partition)
    )
    present: dict[tuple[str, int], PartitionReading] = {}
    for row in rows:
        reading = PartitionReading(*row)
        present.setdefault((reading.topic, reading.partition), reading)
    return tuple(present.values())


def _gaps(session: Session) -> tuple[GapView, ...]:
    rows = session.execute(
        select(Gap, Topic.name).join(Topic, Topic.id == Gap.topic_id).order_by(Gap.id.desc()).limit(NEWEST)
    )
    return tuple(
        GapView(
            id=gap.id,
            at=gap.at,
            topic=topic,
            partition=gap.partition,
            first_offset=gap.first_offset,
            missing=None if gap.next_offset is None else gap.next_offset - gap.first_offset,
            reason=gap.reason,
        )
        for gap, topic in rows
    )


def _quarantined(session: Session) -> tuple[QuarantinedView, ...]:
    beginning = _beginning(Quarantined.payload).label("beginning")
    key = _beginning(Quarantined.record_key).label("key")
    rows = session.execute(
        select(
            Quarantined.id,
            Quarantined.received_ns,
            Topic.name,
            Quarantined.partition,
            Quarantined.offset,
            Quarantined.reason,
            Quarantined.size_bytes,
            beginning,
            Quarantined.kafka_ms,
            key,
        )
        .join(Topic, Topic.id == Quarantined.topic_id)
        .order_by(Quarantined.id.desc())
        .limit(NEWEST)
    )
    return tuple(
        QuarantinedView(
            row.id,
            _moment(row.received_ns),
            row.name,
            row.partition,
            row.offset,
            row.reason,
            row.size_bytes,
            bytes(row.beginning),
            row.kafka_ms,
            None if row.key is None else bytes(row.key),
        )
        for row in rows
    )


def _beginning(stored: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """Return the first bytes of a column, as payloads have up to 64 KiB; null where it is null."""
    # Of an empty value SQLite's substr makes null.
    return func.coalesce(func.substr(stored, 1, PREVIEW_BYTES, type_=LargeBinary()), stored)


def _moment(time_ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=time_ns // 1_000)


def _sqlite_size(session: Session) -> DatabaseSize:
    statement = "SELECT sqlite_version(), page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    version, size_bytes = session.execute(text(statement)).one()
    return DatabaseSize("SQLite", str(version), int(size_bytes))


def _postgresql_size(session: Session) -> DatabaseSize:
    statement = "SELECT current_setting('server_version'), pg_database_size(current_database())"
    version, size_bytes = session.execute(text(statement)).one()
    return DatabaseSize("PostgreSQL", str(version).split(maxsplit=1)[0], int(size_bytes))
