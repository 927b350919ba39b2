"""What the message pipeline tells about itself, as plain data."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PartitionReading:
    """Where reading of one partition stands: ``next_offset`` is the first that was not read, as of ``updated_at``."""

    topic: str
    partition: int
    next_offset: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class GapView:
    """Records that were never read; ``missing`` is how many, None where nobody can know (a topic was made anew)."""

    id: int
    at: datetime
    topic: str
    partition: int
    first_offset: int
    missing: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class QuarantinedView:
    """A record that could not be decoded: where it stands in Kafka, why, its size, and its first bytes.

    ``kafka_ms`` is Kafka's time as it was given, milliseconds since 1970 UTC, whether it makes sense or not; ``key``
    are the first bytes of the record's key. Both are None where there was none, or an earlier version kept none.
    """

    id: int
    received_at: datetime
    topic: str
    partition: int
    offset: int
    reason: str
    size_bytes: int
    beginning: bytes
    kafka_ms: int | None = None
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class PipelineCounts:
    """Counts since the database was made.

    Attributes:
        stored: Messages that were stored, also those removed again since.
        pruned: Messages that were removed because they were too old.
        quarantined: Records that could not be decoded.
        echo: Broadcasts that the console's own polling caused, not stored.
        duplicates: Records that had been stored before.
        gaps: Stretches of offsets that were never read.
    """

    stored: int = 0
    pruned: int = 0
    quarantined: int = 0
    echo: int = 0
    duplicates: int = 0
    gaps: int = 0

    @property
    def kept(self) -> int:
        """Messages that are there now."""
        return self.stored - self.pruned


@dataclass(frozen=True, slots=True)
class DatabaseSize:
    """Which engine (``SQLite`` or ``PostgreSQL``) of which version, and how much room the database takes, bytes."""

    engine: str
    version: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PipelineView:
    """The message pipeline at one moment.

    ``partitions_total`` counts all that were ever read, of which ``partitions`` are the most recent, by name.
    """

    partitions: tuple[PartitionReading, ...]
    partitions_total: int
    counts: PipelineCounts
    gaps: tuple[GapView, ...]
    quarantined: tuple[QuarantinedView, ...]
    database: DatabaseSize
