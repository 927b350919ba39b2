"""What the API gives. Field names are those of the contract with drunc (sections 4 and 16.2-16.3)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.messages.types import Severity

SeverityWord = Literal["DEBUG", "LOG", "INFO", "WARNING", "ERROR", "FATAL"]
WORDS: Mapping[Severity, SeverityWord] = {
    Severity.DEBUG: "DEBUG",
    Severity.LOG: "LOG",
    Severity.INFO: "INFO",
    Severity.WARNING: "WARNING",
    Severity.ERROR: "ERROR",
    Severity.FATAL: "FATAL",
}


class AnswerModel(BaseModel):
    """Base of what is given."""

    model_config = ConfigDict(frozen=True)


class Run(AnswerModel):
    """The current run; times are UTC."""

    run_number: int | None
    run_type: str | None
    trigger_rate: float | None = Field(description="Hz.")
    disable_data_storage: bool | None
    started_at: datetime | None


class SessionItem(AnswerModel):
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
    owner: str | None = Field(description="Who booted it; null where nobody tells.")
    configuration_file: str | None = Field(description="From the session manager, as is the id; null without one.")
    configuration_id: str | None
    known_by: list[str] = Field(description="Who knows of it, e.g. process_manager; empty once it has vanished.")
    first_seen_at: datetime | None
    vanished_at: datetime | None = Field(description="Null while anybody knows of it.")
    run: Run
    processes_running: int
    processes_dead: int
    nodes_total: int
    nodes_in_error: int
    nodes_excluded: int
    polled_at: datetime | None
    error: str | None
    error_since: datetime | None


class ProcessItem(AnswerModel):
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


class NodeItem(AnswerModel):
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


class MessageItem(AnswerModel):
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


class RateItem(AnswerModel):
    """Messages in one bucket of time."""

    start: datetime
    width_s: int
    counts: dict[SeverityWord, int]
    min_id: int
    max_id: int


class Sessions(AnswerModel):
    """All sessions."""

    items: list[SessionItem]
    next: None = None


class Processes(AnswerModel):
    """All processes, by session and place in the tree."""

    items: list[ProcessItem]
    next: None = None


class Tree(AnswerModel):
    """A tree, parents before their children."""

    items: list[NodeItem]
    next: None = None


class NotShown(AnswerModel):
    """What no query can show, counted since the database was made."""

    echo_not_stored: int = Field(description="Broadcasts caused by the console's own polling.")
    quarantined: int = Field(description="Records that could not be decoded.")
    gaps: int = Field(description="Stretches of the stream that were never received.")


class Hidden(AnswerModel):
    """What fits but is left out, in the stretch of messages that the answer covers."""

    muted: int


class Messages(AnswerModel):
    """A page of messages, newest first. ``next`` is the value of ``before`` for the next, older page."""

    items: list[MessageItem]
    next: int | None
    scanned_to: int | None = Field(description="Set when a search stopped early: the last id at which it looked.")
    timed_out: bool = Field(description="The search stopped early because its time was up.")
    not_shown: NotShown
    hidden: Hidden


class AlarmItem(AnswerModel):
    """One alarm that has not ended. ``cleared_at`` is null while its cause lasts, ``shelved_until`` unless shelved.

    ``rule`` is the site's rule for messages that raised it, null for all others.
    """

    id: int
    kind: str
    priority: str
    state: str
    session: str
    subject: str
    text: str
    rule: str | None
    occurrences: int
    raised_at: datetime
    last_at: datetime
    cleared_at: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    shelved_until: datetime | None


class Alarms(AnswerModel):
    """All alarms that have not ended: those that wait first, by priority, the newest first."""

    items: list[AlarmItem]
    next: None = None


class Rates(AnswerModel):
    """Buckets in order of time; empty ones may be left out."""

    items: list[RateItem]
    next: None = None


class MeasurementItem(AnswerModel):
    """One series of measured values (contract 16.4)."""

    id: int
    session: str
    application: str
    element: str = Field(description="The part of the application that measured; empty for all of it.")
    name: str = Field(description="Full name of the measurement.")
    origin: str = Field(description="What else tells series apart; may be empty.")
    field: str = Field(description="Which value of the measurement.")
    last_text: str | None = Field(description="The newest value of a series of words; null for numbers, see points.")
    last_time: datetime | None = Field(description="When that was measured.")


class PointItem(AnswerModel):
    """The values of one series in one bucket of time."""

    start: datetime
    width_s: int
    n: int
    mean: float
    least: float
    greatest: float
    last: float


class Measurements(AnswerModel):
    """All series, by their names."""

    items: list[MeasurementItem]
    next: None = None


class Points(AnswerModel):
    """Points in order of time; buckets without a value are left out."""

    items: list[PointItem]
    next: None = None


class BackendItem(AnswerModel):
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


class MessageCounts(AnswerModel):
    """What the message feed says about itself."""

    stored: int
    newest_id: int
    quarantined: int
    echo_not_stored: int
    gaps: int
    counters: dict[str, int]


class PartItem(AnswerModel):
    """Health of one part of the console."""

    name: str
    state: str
    age_s: float | None
    last_error: str | None


class Status(AnswerModel):
    """The console and what it talks to."""

    ready: bool
    parts: list[PartItem]
    backends: list[BackendItem]
    messages: MessageCounts


class ErrorBody(AnswerModel):
    """What went wrong."""

    code: str
    message: str
    field: str | None
    request_id: str


class Error(AnswerModel):
    """An error."""

    error: ErrorBody
