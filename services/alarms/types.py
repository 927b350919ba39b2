"""Plain data of alarms."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class Priority(IntEnum):
    """How soon somebody must answer: FATAL is high, ERROR medium, WARNING low."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


class AlarmKind(StrEnum):
    """What raises an alarm. The value is the beginning of its key."""

    PROCESS = "process"
    NODE = "node"
    BACKEND = "backend"
    WORKER = "worker"
    MESSAGE = "message"
    OVERFLOW = "overflow"


class AlarmState(StrEnum):
    """Where an alarm stands. The value is the word people read."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    GONE = "gone, not acknowledged"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that calls for an alarm now.

    Attributes:
        key: What it is about; the same thing always has the same key.
        kind: What raises it.
        priority: How soon somebody must answer.
        session: The session it belongs to; empty for none.
        subject: Name of the process, node, address or application.
        text: What is wrong, in words.
        at: When it happened, or was seen first (UTC).
        happened: How often since the last look, for what only happens; 0 for what lasts.
        before: How often it had come before, where it takes more than one.
        message_id: The newest message that raised it.
        rule: Name of the site's rule that says so; None for a built-in one.
    """

    key: str
    kind: AlarmKind
    priority: Priority
    session: str
    subject: str
    text: str
    at: datetime
    happened: int = 0
    before: int = 0
    message_id: int | None = None
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class Guidance:
    """What an alarm means, what to do, and whom to call; an empty part is not known."""

    meaning: str
    action: str
    contact: str = ""
    changed_by: str = ""


@dataclass(frozen=True, slots=True)
class Burst:
    """So many messages within so many seconds."""

    messages: int
    seconds: int


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule for messages as people read it.

    Attributes:
        name: Its name; empty for a built-in one.
        filter: Which messages it is for, as text (`services.messages.filter_text`).
        priority: Of its alarms; None where such messages raise none.
        burst: How many it takes; None where one is enough.
    """

    name: str
    filter: str
    priority: Priority | None
    burst: Burst | None = None


@dataclass(frozen=True, slots=True)
class Shelf:
    """Put aside by whom, until when (UTC), and why."""

    by: str
    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class AlarmView:
    """One alarm as people see it. All times are UTC; ``shelf`` is None unless it is shelved now.

    ``rule`` is the name of the site's rule that raised it, None for a built-in one.
    """

    id: int
    key: str
    kind: AlarmKind
    priority: Priority
    session: str
    subject: str
    text: str
    occurrences: int
    raised_at: datetime
    last_at: datetime
    message_id: int | None
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    ended_at: datetime | None
    shelf: Shelf | None = None
    rule: str | None = None

    @property
    def state(self) -> AlarmState:
        """Where it stands."""
        if self.ended_at is not None:
            return AlarmState.ENDED
        if self.acknowledged_at is not None:
            return AlarmState.ACKNOWLEDGED
        # What only happens does not stand, but it is not mended by being over either.
        stands = self.cleared_at is None or self.kind is AlarmKind.MESSAGE
        return AlarmState.ACTIVE if stands else AlarmState.GONE

    @property
    def calls(self) -> bool:
        """Whether it waits for somebody: neither acknowledged, nor ended, nor shelved."""
        return self.ended_at is None and self.acknowledged_at is None and self.shelf is None


@dataclass(frozen=True, slots=True)
class AlarmCounts:
    """Alarms that wait for somebody, by priority, those that are shelved, and the newest id of those that wait."""

    waiting: Mapping[Priority, int]
    acknowledged: int = 0
    shelved: int = 0
    newest_id: int = 0

    @property
    def total(self) -> int:
        """All that wait."""
        return sum(self.waiting.values())


@dataclass(frozen=True, slots=True)
class AlarmRate:
    """Alarms raised in one bucket of ten minutes that begins at ``start`` (UTC)."""

    start: datetime
    raised: int
