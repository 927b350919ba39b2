"""A load whose every record is known by its number: what is published, and what must become of it. Pure."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from services.messages.types import Severity
from wire import WireMessage, load_ers, load_g1, load_opmon

PARTITIONS = 4
SESSIONS = ("np02-night", "np04-day", "np04-test")
SERVICE_USER = "console"
MANAGER = "control.alice.process_manager"
ERS = "monitoring.ers_stream"
ERS_CONTROL = "erscontrol.np04.df-01"
JSON_ISSUES = "erskafka-reporting"
OPMON = "monitoring.opmon_stream"
TOPICS = (
    *(f"control.{session}.root-controller" for session in SESSIONS),
    MANAGER,
    ERS,
    ERS_CONTROL,
    JSON_ISSUES,
    OPMON,
)
MEASURED = "daq.Counted"
FIELD = "number"
WORD = "word"

# So far apart are the times of two records that have a time of their own.
STEP_NS = 1_000_000
_NUMBER = re.compile(rb"#(\d{10})\.")
_DRUNC = "dunedaq.druncschema."
_PLAIN_TEXT = _DRUNC + "PlainText"
# Broadcasts by severity; they know no others.
_BROADCASTS = {
    Severity.DEBUG: "ACK",
    Severity.INFO: "STATUS_UPDATE",
    Severity.ERROR: "DRUNC_EXCEPTION_RAISED",
    Severity.FATAL: "UNHANDLED_EXCEPTION_RAISED",
}


class Fate(Enum):
    """What must become of a record."""

    MESSAGE = "message"
    MEASUREMENT = "measurement"
    QUARANTINE = "quarantine"
    ECHO = "echo"


@dataclass(frozen=True, slots=True)
class Planned:
    """One record of the load.

    ``session``, ``application`` and ``severity`` are what a message (or measurement) of it must say; empty and INFO
    for others. ``time_ns`` is the record's own time, None where its kind has none.
    """

    number: int
    topic: str
    partition: int
    value: bytes
    fate: Fate
    session: str = ""
    application: str = ""
    severity: Severity = Severity.INFO
    time_ns: int | None = None


def mark(number: int) -> str:
    """Return how a record says its number, whatever else is in it."""
    return f"#{number:010}."


def number_in(content: bytes | str) -> int | None:
    """Return the number that a text or payload says, None if it says none."""
    found = _NUMBER.search(content.encode() if isinstance(content, str) else content)
    return int(found[1]) if found else None


class Load:
    """Makes the record of any number; the same number is always the same record."""

    def __init__(self, base_ns: int) -> None:
        """Begin at a time, nanoseconds since 1970 UTC, with number 0."""
        # JSON issues know microseconds only.
        self._base_ns = base_ns // 1_000 * 1_000
        # Of twenty records in a row; the order mixes kinds in every batch.
        self._turns: tuple[Callable[[int], Planned], ...] = (
            *(self._controller, self._issue, self._controller, self._measurement, self._controller, self._manager) * 2,
            *(self._json_issue, self._controller, self._poison, self._erscontrol, self._controller, self._echo),
            *(self._issue, self._measurement),
        )

    def planned(self, number: int) -> Planned:
        """Return record ``number``."""
        return self._turns[number % len(self._turns)](number)

    def _controller(self, number: int) -> Planned:
        session = SESSIONS[number % len(SESSIONS)]
        topic = f"control.{session}.root-controller"
        return self._broadcast(number, topic, session, "root-controller")

    def _manager(self, number: int) -> Planned:
        return self._broadcast(number, MANAGER, "alice", "process_manager")

    def _broadcast(self, number: int, topic: str, session: str, application: str) -> Planned:
        severity = tuple(_BROADCASTS)[number // 7 % len(_BROADCASTS)]
        value = broadcast(_BROADCASTS[severity], session, application, f"taken to {mark(number)}")
        return Planned(number, topic, _partition(number), value, Fate.MESSAGE, session, application, severity)

    def _issue(self, number: int) -> Planned:
        return self._chain(number, ERS)

    def _erscontrol(self, number: int) -> Planned:
        return self._chain(number, ERS_CONTROL)

    def _chain(self, number: int, topic: str) -> Planned:
        session, application, severity, time_ns = self._circumstances(number)
        chain = load_ers().message("dunedaq.ersschema.IssueChain")(session=session, application=application)
        chain.final.severity, chain.final.time = severity.name, time_ns
        chain.final.message = f"no data since {mark(number)}"
        value = bytes(chain.SerializeToString())
        return Planned(number, topic, _partition(number), value, Fate.MESSAGE, session, application, severity, time_ns)

    def _json_issue(self, number: int) -> Planned:
        session, application, severity, time_ns = self._circumstances(number)
        issue = {"partition": session, "application_name": application, "severity": severity.name}
        value = json.dumps(
            {**issue, "message": f"late by {mark(number)}", "usecs_since_epoch": time_ns // 1_000}
        ).encode()
        return Planned(
            number, JSON_ISSUES, _partition(number), value, Fate.MESSAGE, session, application, severity, time_ns
        )

    def _measurement(self, number: int) -> Planned:
        session, application, _, time_ns = self._circumstances(number)
        entry = load_opmon().message("dunedaq.opmon.OpMonEntry")(
            opmon_id=f"{session}.{application}", measurement=MEASURED
        )
        entry.time.FromNanoseconds(time_ns)
        entry.data[FIELD].int8_value = number
        entry.data[WORD].string_value = mark(number)
        value = bytes(entry.SerializeToString())
        return Planned(
            number, OPMON, _partition(number), value, Fate.MEASUREMENT, session, application, time_ns=time_ns
        )

    def _poison(self, number: int) -> Planned:
        turn = number // len(self._turns)
        topic = TOPICS[turn % len(TOPICS)]
        forms = (b"\xff\xfe" + mark(number).encode(), mark(number).encode()[:-1] + b".\x80" * 9)
        return Planned(number, topic, _partition(number), forms[turn // len(TOPICS) % 2], Fate.QUARANTINE)

    def _echo(self, number: int) -> Planned:
        said = f"User '{SERVICE_USER}' successfully executed 'ps'"
        value = broadcast("COMMAND_EXECUTION_SUCCESS", "alice", "process_manager", said)
        return Planned(number, MANAGER, _partition(number), value, Fate.ECHO)

    def _circumstances(self, number: int) -> tuple[str, str, Severity, int]:
        severity = Severity(number // 3 % len(Severity))
        session = SESSIONS[number // 5 % len(SESSIONS)]
        return session, f"df-{number // 11 % 5:02}", severity, self._base_ns + number * STEP_NS


def _partition(number: int) -> int:
    # Not in step with the kinds, so that each topic has records in each partition.
    return number // 7 % PARTITIONS


def broadcast(kind: str, session: str, application: str, text: str) -> bytes:
    """Return a broadcast of a plain text, of a type given by name, as all generations of drunc write it."""
    schema = load_g1()
    message: WireMessage = schema.message(_DRUNC + "BroadcastMessage")()
    message.type = next(number for number, name in schema.enum_names(_DRUNC + "BroadcastType").items() if name == kind)
    message.emitter.process, message.emitter.session = application, session
    message.data.CopyFrom(schema.pack(schema.message(_PLAIN_TEXT)(text=text)))
    return bytes(message.SerializeToString())
