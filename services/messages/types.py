"""Plain data of messages: what decoders return and what queries give to pages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple, TypeAlias


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


# What there are thousands of a second is a tuple: that costs a third of what a dataclass does.


class Record(NamedTuple):
    """One record as Kafka hands it over; ``timestamp_ms`` is None where the broker gave none."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int | None
    key: bytes | None
    value: bytes | None

    @property
    def size_bytes(self) -> int:
        """Of key and value together."""
        return len(self.key or b"") + len(self.value or b"")


class Decoded(NamedTuple):
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


class MessageView(NamedTuple):
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
        return _moment(self.time_ns)


class Name(StrEnum):
    """What of a message has names that filters can list. The value is the word in texts."""

    SESSION = "session"
    APPLICATION = "application"
    TOPIC = "topic"
    # Its own: the type of a broadcast, the name of an ERS issue.
    MESSAGE = "name"


@dataclass(frozen=True, slots=True)
class SeverityIn:
    """The severity is one of these."""

    severities: frozenset[Severity]


@dataclass(frozen=True, slots=True)
class KindIn:
    """The kind is one of these."""

    kinds: frozenset[Kind]


@dataclass(frozen=True, slots=True)
class NameIn:
    """The session, application, topic or the message's own name is one of these."""

    of: Name
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Words:
    """For each word of ``given`` the text has a word that begins so, on every engine; without words all texts fit.

    A word is a run of digits, letters A to Z (in any case) and characters beyond ASCII: ``root-controller`` is two.
    """

    given: str


@dataclass(frozen=True, slots=True)
class Contains:
    """The text contains a part; only the letters A to Z match in any case, on every engine."""

    part: str


@dataclass(frozen=True, slots=True)
class Exactly:
    """The text is exactly this."""

    text: str


@dataclass(frozen=True, slots=True)
class Since:
    """The message's time is at or after this, nanoseconds since 1970 UTC."""

    time_ns: int


@dataclass(frozen=True, slots=True)
class Until:
    """The message's time is before this, nanoseconds since 1970 UTC."""

    time_ns: int


@dataclass(frozen=True, slots=True)
class And:
    """All parts fit; without parts everything does. Make it with `services.messages.filters.all_of`."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One part fits; without parts nothing does. Make it with `services.messages.filters.any_of`."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not fit."""

    part: "Expression"


Term: TypeAlias = SeverityIn | KindIn | NameIn | Words | Contains | Exactly | Since | Until
Expression: TypeAlias = Term | And | Or | Not

EVERYTHING = And(())
NOTHING = Or(())


@dataclass(frozen=True, slots=True)
class MessageFilter:
    """What to show: everything given must fit, an empty set means no restriction.

    ``text`` is a part of the message, in any case of the letters A to Z; ``where`` is whatever else. What fits
    ``muted`` is left out of pages all the same, and counted (`services.messages.mutes`).
    """

    severities: frozenset[Severity] = frozenset()
    sessions: frozenset[str] = frozenset()
    applications: frozenset[str] = frozenset()
    text: str = ""
    where: Expression = EVERYTHING
    muted: Expression = NOTHING

    def as_expression(self) -> Expression:
        """Return all of it but what is muted as one expression."""
        parts = list(self.where.parts) if isinstance(self.where, And) else [self.where]
        if self.severities:
            parts.append(SeverityIn(self.severities))
        if self.sessions:
            parts.append(NameIn(Name.SESSION, self.sessions))
        if self.applications:
            parts.append(NameIn(Name.APPLICATION, self.applications))
        if self.text:
            parts.append(Contains(self.text))
        return And(tuple(parts))


@dataclass(frozen=True, slots=True)
class NotShown:
    """What no query can show, counted since the database was made.

    ``echo_not_stored`` are broadcasts caused by the console's own polling, ``quarantined`` records could not be
    decoded, ``gaps`` are stretches of the stream that were never received.
    """

    echo_not_stored: int = 0
    quarantined: int = 0
    gaps: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """What has come after an id, newest first.

    ``reached`` is the id up to which everything is known now; ``has_more``: there is more to ask for at once;
    ``muted``: so many up to there fit the filter but are left out because they are muted.
    """

    items: tuple[MessageView, ...]
    reached: int
    has_more: bool
    muted: int = 0


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One page of messages, newest first.

    Attributes:
        items: The messages.
        next_before: Cursor to older messages, None where there are none.
        scanned_to: Set when a search stopped before the page was full: the last id that was looked at, on the way down
            or (with ``after``) up.
        next_after: Cursor to newer messages; None where there are none now, and for a page that was asked downwards.
        timed_out: The search stopped because its time was up, not because it had looked at enough.
        not_shown: What no query can show.
        muted: How many messages of the stretch that the page covers fit the filter but are left out because they are
            muted. Pages that go on from each other count each once.
    """

    items: tuple[MessageView, ...]
    next_before: int | None
    scanned_to: int | None = None
    next_after: int | None = None
    timed_out: bool = False
    not_shown: NotShown = NotShown()
    muted: int = 0


class RateBucket(NamedTuple):
    """Messages by severity in one bucket: ``counts[severity]`` messages from ``start_s`` on, for ``width_s`` seconds.

    ``start_s`` is in seconds since 1970 UTC. A tuple of numbers, because a plot of two weeks has thousands.
    """

    start_s: int
    width_s: int
    counts: tuple[int, int, int, int, int, int]
    min_id: int
    max_id: int

    @property
    def start(self) -> datetime:
        """When it begins, UTC."""
        return datetime.fromtimestamp(self.start_s, UTC)


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

    @property
    def last_at(self) -> datetime | None:
        """When the newest word was measured, UTC, to the microsecond."""
        return None if self.last_ns is None else _moment(self.last_ns)


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


def _moment(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).replace(microsecond=time_ns % 1_000_000_000 // 1_000)
