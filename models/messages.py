"""Messages from Kafka, where reading stands, and what was counted on the way."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, BigId

# On SQLite rows lie in the order of the primary key, in one tree: those of one series of buckets are neighbours.
_IN_KEY_ORDER = {"sqlite_with_rowid": False}


class Incarnation(Base):
    """One life of a Kafka cluster, or of one topic in it: made anew, it starts at offset 0 again.

    Offsets mean something only within an incarnation. ``cluster_id`` is what the broker says; a topic that was made
    anew on the same cluster gets one of its own, ``<cluster id>#<topic id>.<n>``.
    """

    __tablename__ = "incarnation"

    id: Mapped[int] = mapped_column(primary_key=True)
    cluster_id: Mapped[str] = mapped_column(String(255), unique=True)
    first_seen_at: Mapped[datetime]


class Topic(Base):
    """Name of a Kafka topic."""

    __tablename__ = "topic"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)


class MessageSession(Base):
    """Name of a session as messages give it."""

    __tablename__ = "message_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)


class MessageApplication(Base):
    """Name of an application, controller or process manager as messages give it."""

    __tablename__ = "message_application"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255), unique=True)


class Message(Base):
    """One decoded message. Ids grow in the order of commits, so a reader that follows ``after`` never misses a row.

    ``time_ns`` is the record's own time (nanoseconds since 1970, UTC) where it has one, else Kafka's. The ids of names
    and of the incarnation are no foreign keys, which would be looked up for each row: the writer has them from their
    tables in the same transaction (`services.messages.dimensions`).
    """

    __tablename__ = "message"
    __table_args__ = (
        # The fence: a message is stored once, whatever happens to offsets.
        UniqueConstraint("incarnation_id", "topic_id", "partition", "offset"),
        # Newest of one kind and severity; a query has a branch for each pair.
        Index(None, "kind", "severity", "id"),
        # The same of one session.
        Index(None, "session_id", "kind", "severity", "id"),
        # Newest of one application and severity.
        Index(None, "application_id", "severity", "id"),
        # Without it SQLite would give the id of a pruned row again.
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    incarnation_id: Mapped[int]
    topic_id: Mapped[int]
    partition: Mapped[int]
    offset: Mapped[int] = mapped_column(BigInteger)
    time_ns: Mapped[int] = mapped_column(BigInteger)
    received_ns: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[int] = mapped_column(SmallInteger)
    severity: Mapped[int] = mapped_column(SmallInteger)
    session_id: Mapped[int]
    application_id: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    detail: Mapped[dict[str, Any] | None]


class MessageMute(Base):
    """Known noise that the feed leaves out until a moment: what fits ``expression``, up to the severity ``up_to``.

    ``expression`` is text as `services.messages.filter_text` writes it. ``ended_at`` is null while it lasts;
    ``ended_by`` stays null where nobody ended it but its time was up.
    """

    __tablename__ = "message_mute"
    __table_args__ = (
        # FATAL cannot be muted.
        CheckConstraint("up_to between 0 and 4", name="up_to"),
        # Those that last.
        Index(None, "ended_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    expression: Mapped[str] = mapped_column(Text)
    up_to: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str] = mapped_column(Text)
    muted_at: Mapped[datetime]
    muted_by: Mapped[str] = mapped_column(String(64))
    until: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(64))


class MessageRollup(Base):
    """Counts of messages by severity in one bucket of time, for all sessions (``session_id`` 0) or one.

    On PostgreSQL there is a partition for each width: ``message_rollup_1``, ``_60`` and ``_600``.
    """

    __tablename__ = "message_rollup"
    __table_args__ = _IN_KEY_ORDER | {"postgresql_partition_by": "LIST (resolution_s)"}

    resolution_s: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    session_id: Mapped[int] = mapped_column(primary_key=True)
    bucket_s: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    n_debug: Mapped[int]
    n_log: Mapped[int]
    n_info: Mapped[int]
    n_warning: Mapped[int]
    n_error: Mapped[int]
    n_fatal: Mapped[int]
    min_id: Mapped[int] = mapped_column(BigInteger)
    max_id: Mapped[int] = mapped_column(BigInteger)


class TopicOffset(Base):
    """The next offset to read of one partition, written in the same transaction as the rows before it."""

    __tablename__ = "topic_offset"

    incarnation_id: Mapped[int] = mapped_column(ForeignKey("incarnation.id"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topic.id"), primary_key=True)
    partition: Mapped[int] = mapped_column(primary_key=True)
    next_offset: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[datetime]


class TopicLife(Base):
    """The id that Kafka gave a topic in an incarnation: made anew, a topic gets another. Not all brokers have them."""

    __tablename__ = "topic_life"

    incarnation_id: Mapped[int] = mapped_column(ForeignKey("incarnation.id"), primary_key=True)
    topic_id: Mapped[int] = mapped_column(ForeignKey("topic.id"), primary_key=True)
    kafka_id: Mapped[str] = mapped_column(String(64))


class Quarantined(Base):
    """A record that could not be decoded: kept, counted, shown.

    ``kafka_ms`` is Kafka's time (milliseconds since 1970 UTC), ``record_key`` the beginning of the record's key; null
    where there was none, or where an earlier version kept neither.
    """

    __tablename__ = "quarantined"
    __table_args__ = (UniqueConstraint("incarnation_id", "topic_id", "partition", "offset"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    incarnation_id: Mapped[int] = mapped_column(ForeignKey("incarnation.id"))
    topic_id: Mapped[int] = mapped_column(ForeignKey("topic.id"))
    partition: Mapped[int]
    offset: Mapped[int] = mapped_column(BigInteger)
    received_ns: Mapped[int] = mapped_column(BigInteger)
    kafka_ms: Mapped[int | None] = mapped_column(BigInteger)
    record_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    reason: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class Gap(Base):
    """Offsets that were never read: gone from the broker, or left behind in an earlier incarnation."""

    __tablename__ = "gap"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime]
    incarnation_id: Mapped[int] = mapped_column(ForeignKey("incarnation.id"))
    topic_id: Mapped[int] = mapped_column(ForeignKey("topic.id"))
    partition: Mapped[int]
    first_offset: Mapped[int] = mapped_column(BigInteger)
    next_offset: Mapped[int | None] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)


class MeasurementSeries(Base):
    """One value that somebody measures again and again: field ``field`` of OpMon measurement ``name``.

    ``element`` is the part of the application, ``origin`` what else tells entries apart; both may be empty. A value
    that is a word has no roll-up: the newest one is in ``last_text``, its time (nanoseconds since 1970) in ``last_ns``.
    """

    __tablename__ = "measurement_series"
    # A name of its own: one made of all columns is longer than PostgreSQL's names.
    __table_args__ = (
        UniqueConstraint(
            "session_id", "application_id", "element", "name", "origin", "field", name="uq_measurement_series_key"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("message_session.id"))
    application_id: Mapped[int] = mapped_column(ForeignKey("message_application.id"))
    element: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255))
    origin: Mapped[str] = mapped_column(String(255))
    field: Mapped[str] = mapped_column(String(255))
    last_text: Mapped[str | None] = mapped_column(Text)
    last_ns: Mapped[int | None] = mapped_column(BigInteger)


class MeasurementRollup(Base):
    """The values of one series in one bucket of time: how many, their sum, least and greatest, and the newest."""

    __tablename__ = "measurement_rollup"
    # What is too old is removed by age, all series together.
    __table_args__ = (Index(None, "resolution_s", "bucket_s"), _IN_KEY_ORDER)

    resolution_s: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("measurement_series.id"), primary_key=True)
    bucket_s: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    n: Mapped[int]
    total: Mapped[float] = mapped_column(Double)
    least: Mapped[float] = mapped_column(Double)
    greatest: Mapped[float] = mapped_column(Double)
    last: Mapped[float] = mapped_column(Double)
    last_ns: Mapped[int] = mapped_column(BigInteger)


class MessageCounter(Base):
    """Counts since the database was made, by name, so that nothing must be counted when somebody asks.

    ``stored``, ``pruned`` (removed again when too old), ``quarantined``, ``released`` (from quarantine, decoded later),
    ``echo`` (broadcasts caused by the console's own polling, not stored), ``duplicates`` (had been stored before),
    ``gaps``, ``names_shared`` (messages whose session or application is beyond the most that are kept); of OpMon:
    ``measurements`` (entries), ``measurements_of_absurd_time``, ``values_left_out`` (not finite, or more than an entry
    may have) and ``values_over_cap`` (of series or names beyond the most that are kept).
    """

    __tablename__ = "message_counter"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
