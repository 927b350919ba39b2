"""What the API takes and gives. Field names are those of the contract with drunc (sections 4 and 16.2-16.3)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from services.messages.export import MAX_ROWS
from services.messages.filter_text import MAX_TEXT
from services.messages.filters import Match
from services.messages.types import Severity

MAX_LIMIT = 500
MAX_ID = 2**63 - 1
SeverityWord = Literal["DEBUG", "LOG", "INFO", "WARNING", "ERROR", "FATAL"]
WORDS: Mapping[Severity, SeverityWord] = {
    Severity.DEBUG: "DEBUG",
    Severity.LOG: "LOG",
    Severity.INFO: "INFO",
    Severity.WARNING: "WARNING",
    Severity.ERROR: "ERROR",
    Severity.FATAL: "FATAL",
}


class ExportForm(StrEnum):
    """In what form messages are exported."""

    CSV = "csv"
    JSON_LINES = "jsonl"


def _comma_list(value: object) -> object:
    """Take ``ERROR,FATAL`` as well as a parameter given several times."""
    parts = value if isinstance(value, list) else [value]
    return [word.strip().upper() for part in parts for word in str(part).split(",") if word.strip()]


class _Query(BaseModel):
    """Parameters in the address. Unknown ones are errors: a misspelt filter must not answer with everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(_Query):
    """No parameters."""


class ProcessesQuery(_Query):
    """Which processes."""

    session: str | None = Field(None, max_length=255, description="Only processes of this session.")


class TreeQuery(_Query):
    """Which tree."""

    session: str = Field(min_length=1, max_length=255, description="Session whose application tree is wanted.")


class _MessageFilterQuery(_Query):
    """What messages are filtered by."""

    severity: Annotated[list[SeverityWord], BeforeValidator(_comma_list)] = Field(
        default_factory=list, description="Severities, separated by commas; empty for all."
    )
    session: str | None = Field(None, max_length=255, description="Only messages of this session.")
    application: str | None = Field(None, max_length=255, description="Only messages of this application.")
    q: str = Field("", max_length=200, description="Text to look for.")
    match: Match = Field(
        Match.CONTAINS,
        description="How q is meant: contains it (in any case of the letters A to Z), does not, or is exactly it.",
    )
    where: str = Field("", max_length=MAX_TEXT, description="Expression that must fit too, see docs/api.md.")

    @property
    def severities(self) -> frozenset[Severity]:
        """The severities asked for."""
        return frozenset(Severity[word] for word in self.severity)


class MessagesQuery(_MessageFilterQuery):
    """Which messages."""

    limit: int = Field(200, ge=1, le=MAX_LIMIT, description="How many at most.")
    before: int | None = Field(None, ge=0, le=MAX_ID, description="Only messages with a smaller id: older ones.")
    after: int | None = Field(None, ge=0, le=MAX_ID, description="Only messages with a greater id: newer ones.")

    @model_validator(mode="after")
    def _one_direction(self) -> "MessagesQuery":
        if self.before is not None and self.after is not None:
            raise ValueError("give either before or after, not both")
        return self


class ExportQuery(_MessageFilterQuery):
    """Which messages, and in which form."""

    form: ExportForm = Field(ExportForm.CSV, description="csv, or jsonl: one JSON object a line.")
    limit: int = Field(MAX_ROWS, ge=1, le=MAX_ROWS, description="How many messages at most.")
    before: int | None = Field(None, ge=0, le=MAX_ID, description="Only messages with a smaller id.")
    after: int | None = Field(None, ge=0, le=MAX_ID, description="Only messages with a greater id.")


class RatesQuery(_Query):
    """Which rates; without times the last 15 minutes."""

    session: str | None = Field(None, max_length=255, description="Only messages of this session.")
    start: datetime | None = Field(None, description="Begin, ISO 8601 with a time zone.")
    end: datetime | None = Field(None, description="End, ISO 8601 with a time zone.")

    @model_validator(mode="after")
    def _times_are_right(self) -> "RatesQuery":
        if any(moment is not None and moment.tzinfo is None for moment in (self.start, self.end)):
            raise ValueError("times need a time zone, e.g. 2026-01-31T12:00:00Z")
        if self.start and self.end and self.start >= self.end:
            raise ValueError("start must be before end")
        return self


class _Answer(BaseModel):
    """Base of what is given."""

    model_config = ConfigDict(frozen=True)


class Run(_Answer):
    """The current run; times are UTC."""

    run_number: int | None
    run_type: str | None
    trigger_rate: float | None = Field(description="Hz.")
    disable_data_storage: bool | None
    started_at: datetime | None


class SessionItem(_Answer):
    """One session: the state of its root controller, who is in control, its run."""

    name: str
    state: str | None
    sub_state: str | None
    state_since: datetime | None
    in_error: bool | None
    included: bool | None
    who_is_in_charge: str | None = Field(description="Null while unknown, empty when nobody is in control.")
    in_charge_since: datetime | None
    transitions: list[str] = Field(description="FSM commands that are possible now.")
    root_name: str | None
    root_address: str | None
    generation: str | None
    run: Run
    processes_running: int
    processes_dead: int
    nodes_total: int
    nodes_in_error: int
    nodes_excluded: int
    polled_at: datetime | None
    error: str | None
    error_since: datetime | None


class ProcessItem(_Answer):
    """One process (contract 4.3, ``ProcessInstance``). ``return_code`` is null unless it is dead."""

    uuid: str
    name: str
    session: str
    user: str
    hostname: str
    tree_id: str | None
    status_code: str
    return_code: int | None
    first_seen_at: datetime | None
    ended_at: datetime | None


class NodeItem(_Answer):
    """One node of an application tree (contract 4.2, ``Status``)."""

    path: str
    name: str
    kind: str
    depth: int
    state: str | None
    sub_state: str | None
    in_error: bool | None
    included: bool | None
    endpoint: str | None
    state_since: datetime | None
    seen_at: datetime | None


class MessageItem(_Answer):
    """One message (contract 16.2, 16.3)."""

    id: int
    time: datetime = Field(description="UTC, to the microsecond.")
    time_ns: int = Field(description="Nanoseconds since 1970 UTC.")
    kind: str
    severity: SeverityWord
    session: str
    application: str
    name: str
    text: str
    topic: str
    partition: int
    offset: int
    detail: dict[str, Any] | None


class RateItem(_Answer):
    """Messages in one bucket of time."""

    start: datetime
    width_s: int
    counts: dict[SeverityWord, int]
    min_id: int
    max_id: int


class Sessions(_Answer):
    """All sessions."""

    items: list[SessionItem]
    next: None = None


class Processes(_Answer):
    """All processes, by session and place in the tree."""

    items: list[ProcessItem]
    next: None = None


class Tree(_Answer):
    """A tree, parents before their children."""

    items: list[NodeItem]
    next: None = None


class NotShown(_Answer):
    """What no query can show, counted since the database was made."""

    echo_not_stored: int = Field(description="Broadcasts caused by the console's own polling.")
    quarantined: int = Field(description="Records that could not be decoded.")
    gaps: int = Field(description="Stretches of the stream that were never received.")


class Messages(_Answer):
    """A page of messages, newest first. ``next`` is the value of ``before`` for the next, older page."""

    items: list[MessageItem]
    next: int | None
    scanned_to: int | None = Field(description="Set when a search stopped early: the last id at which it looked.")
    timed_out: bool = Field(description="The search stopped early because its time was up.")
    not_shown: NotShown


class Rates(_Answer):
    """Buckets in order of time; empty ones may be left out."""

    items: list[RateItem]
    next: None = None


class BackendItem(_Answer):
    """One outside address the collector talks to."""

    kind: str
    address: str
    generation: str | None
    reachable: bool
    since: datetime
    answered_at: datetime | None
    tried_at: datetime
    latency_ms: float | None
    error: str | None
    error_at: datetime | None


class MessageCounts(_Answer):
    """What the message feed says about itself."""

    stored: int
    newest_id: int
    quarantined: int
    echo_not_stored: int
    gaps: int
    counters: dict[str, int]


class PartItem(_Answer):
    """Health of one part of the console."""

    name: str
    state: str
    age_s: float | None
    last_error: str | None


class Status(_Answer):
    """The console and what it talks to."""

    ready: bool
    parts: list[PartItem]
    backends: list[BackendItem]
    messages: MessageCounts


class ErrorBody(_Answer):
    """What went wrong."""

    code: str
    message: str
    field: str | None
    request_id: str


class Error(_Answer):
    """An error."""

    error: ErrorBody
