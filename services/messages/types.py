"""Plain data of messages: what decoders return and what queries give to pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any


class Severity(IntEnum):
    """Severity, in rising order (contract 16.2, 16.3). The number is what the database stores."""

    DEBUG = 0
    LOG = 1
    INFO = 2
    WARNING = 3
    ERROR = 4
    FATAL = 5


class Kind(IntEnum):
    """Where a message comes from. The number is what the database stores."""

    CONTROLLER = 0
    PROCESS_MANAGER = 1
    ERS = 2


@dataclass(frozen=True, slots=True)
class Record:
    """One record as Kafka hands it over; ``timestamp_ms`` is None where the broker gave none."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int | None
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Decoded:
    """A decoded message, before it is stored.

    Attributes:
        kind: Controller, process manager, or ERS.
        severity: After the mapping of contract 16.2 and 16.3.
        session: Session; for a process manager the OS user it runs as.
        application: Node, application or ``process_manager``.
        name: Broadcast type, or name of the ERS issue.
        text: The message.
        time_ns: The record's own time, nanoseconds since 1970 UTC; Kafka's where it has none.
        detail: Everything else, JSON-ready: causes, context, parameters.
    """

    kind: Kind
    severity: Severity
    session: str
    application: str
    name: str
    text: str
    time_ns: int
    detail: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Measurement:
    """A decoded OpMon entry (contract 16.4), before it is stored.

    Attributes:
        session: Session.
        application: Application, controller or process manager.
        element: The part of the application that measured, ``module.queue``; empty for the application itself.
        name: Full name of the measurement, e.g. ``dunedaq.drunc.opmon.FSMStatus``.
        origin: What else tells entries apart, ``Command=conf``; empty where nothing does.
        time_ns: The entry's own time, nanoseconds since 1970 UTC; Kafka's or the arrival's where that is absurd.
        numbers: Values by field; true is 1. Integers above 2**53 are rounded.
        texts: Values that are words.
        left_out: How many values could not be kept: not finite, or more than fit.
        is_time_absurd: Whether the entry's own time was none.
    """

    session: str
    application: str
    element: str
    name: str
    origin: str
    time_ns: int
    numbers: Mapping[str, float]
    texts: Mapping[str, str]
    left_out: int = 0
    is_time_absurd: bool = False


@dataclass(frozen=True, slots=True)
class MessageView:
    """A stored message, for pages and the API."""

    id: int
    kind: Kind
    severity: Severity
    session: str
    application: str
    name: str
    text: str
    time_ns: int
    topic: str
    partition: int
    offset: int
    detail: Mapping[str, Any] | None = None

    @property
    def at(self) -> datetime:
        """The message's time, UTC, to the microsecond."""
        return datetime.fromtimestamp(self.time_ns // 1_000_000_000, UTC).replace(
            microsecond=self.time_ns % 1_000_000_000 // 1_000
        )


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """What to show; an empty set means no restriction. ``text`` is a case-insensitive part of the message."""

    severities: frozenset[Severity] = frozenset()
    sessions: frozenset[str] = frozenset()
    applications: frozenset[str] = frozenset()
    text: str = ""


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One page of messages, newest first.

    ``next_before`` is the cursor to older messages, None at the end. ``scanned_to`` is set when a search stopped at
    its limit before the page was full: the last id that was looked at, on the way down or (with ``after``) up.
    """

    items: tuple[MessageView, ...]
    next_before: int | None
    scanned_to: int | None = None


@dataclass(frozen=True, slots=True)
class RateBucket:
    """Messages by severity in one bucket: ``counts[severity]`` messages from ``start`` on, for ``width_s`` seconds."""

    start: datetime
    width_s: int
    counts: tuple[int, int, int, int, int, int]
    min_id: int
    max_id: int


@dataclass(frozen=True, slots=True)
class MessageStatistics:
    """What the feed must always say about itself.

    ``stored`` messages are kept now, what was pruned is not among them; ``quarantined``, ``echo_not_stored`` and
    ``gaps`` count since the database was made. ``counters`` are all counters as `models.messages.MessageCounter`
    names them.
    """

    stored: int
    newest_id: int
    quarantined: int
    echo_not_stored: int
    gaps: int
    counters: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MeasurementView:
    """One series of measured values; names as in `Measurement`, ``field`` is the value's own.

    A series of words has its newest one in ``last_text``, measured at ``last_ns`` (nanoseconds since 1970 UTC); both
    are None for numbers.
    """

    id: int
    session: str
    application: str
    element: str
    name: str
    origin: str
    field: str
    last_text: str | None
    last_ns: int | None


@dataclass(frozen=True, slots=True)
class MeasurementPoint:
    """The values of one series in one bucket: ``n`` of them from ``start`` on, for ``width_s`` seconds."""

    start: datetime
    width_s: int
    n: int
    total: float
    least: float
    greatest: float
    last: float

    @property
    def mean(self) -> float:
        """The arithmetic mean."""
        return self.total / self.n
