"""Turn the bytes of a Kafka record into a message. Pure, and the only user of the wire schemas in this area.

Topics (contract 16.1): ``control.<session>.<node>`` and ``control.<user>.process_manager`` carry a
``BroadcastMessage``, the same in all generations; ``monitoring.ers_stream`` and ``erscontrol.<...>`` carry an ERS
``IssueChain``; ``erskafka-reporting`` the older JSON form of an issue; ``monitoring.opmon_stream`` OpMon entries.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, NamedTuple

from services.messages.decoding import (
    KEY_LIMIT_BYTES,
    NAME_LIMIT_BYTES,
    TEXT_LIMIT_BYTES,
    DecodeError,
    ers_severity,
    finish,
    parse,
    session_from_key,
)
from services.messages.json_issues import TOPIC as JSON_ISSUES
from services.messages.json_issues import decode_json_issue
from services.messages.opmon import TOPIC as OPMON
from services.messages.opmon import decode_opmon
from services.messages.texts import Cleaner
from services.messages.types import Decoded, Kind, Measurement, Record, Severity
from wire import TYPE_URL_PREFIX, WireMessage, load_ers, load_g1

# A chain has a handful; more than these are not looked at.
MAX_CAUSES = 1_000

PROCESS_MANAGER = "process_manager"
_CONTROL = "control."
_ERS_STREAM = "monitoring.ers_stream"
_ERS_CONTROL = "erscontrol."

_DRUNC = "dunedaq.druncschema."
_BROADCAST = _DRUNC + "BroadcastMessage"
_PLAIN_TEXT = _DRUNC + "PlainText"
_LINES = frozenset({_DRUNC + "PlainTextVector", _DRUNC + "Stacktrace"})
# More topics than a cluster has; of further ones what their names say is found out again.
_TOPICS_KEPT = 10_000

# Contract 16.2, last paragraph; everything else, and unknown numbers, is INFO.
_BROADCAST_SEVERITY: Mapping[str, Severity] = {
    "ACK": Severity.DEBUG,
    "COMMAND_EXECUTION_SUCCESS": Severity.DEBUG,
    "DEBUG": Severity.DEBUG,
    "DRUNC_EXCEPTION_RAISED": Severity.ERROR,
    "CHILD_COMMAND_EXECUTION_FAILED": Severity.ERROR,
    "UNHANDLED_EXCEPTION_RAISED": Severity.FATAL,
}

# A record and what is in it, or why that cannot be told.
Arrival = tuple[Record, Decoded | Measurement | DecodeError]

_Decoder = Callable[[Record, bytes, int], Decoded | Measurement]


def decode_all(records: Iterable[Record], arrived_ns: int) -> list[Arrival]:
    """Return each record with what `decode` makes of it, its error among that."""
    arrivals: list[Arrival] = []
    for record in records:
        try:
            arrivals.append((record, decode(record, arrived_ns)))
        except DecodeError as error:
            # Without the frames, which would keep what they saw.
            arrivals.append((record, error.with_traceback(None)))
    return arrivals


def decode(record: Record, arrived_ns: int) -> Decoded | Measurement:
    """Return the message or measurement in a record.

    Args:
        record: As Kafka handed it over.
        arrived_ns: When it did, nanoseconds since 1970 UTC: stands in where the record's own time is absurd.

    Raises:
        DecodeError: It cannot be decoded and belongs into quarantine.
    """
    value = record.value
    if not value:
        raise DecodeError("no value (a tombstone)" if value is None else "empty value")
    return _decoder_of(record.topic)(record, value, arrived_ns)


@lru_cache(maxsize=_TOPICS_KEPT)
def _decoder_of(topic: str) -> _Decoder:
    if topic.startswith(_CONTROL):
        return _broadcast
    if topic == _ERS_STREAM or topic.startswith(_ERS_CONTROL):
        return _ers
    if topic == JSON_ISSUES:
        return decode_json_issue
    if topic == OPMON:
        return decode_opmon
    raise DecodeError(f"topic {topic} has no known form")


# Broadcasts, contract 4.4 and 16.2


class _Sender(NamedTuple):
    """Who broadcasts on a topic."""

    kind: Kind
    session: str
    node: str


@lru_cache(maxsize=_TOPICS_KEPT)
def _sender(topic: str) -> _Sender:
    session, _, node = topic.removeprefix(_CONTROL).rpartition(".")
    return _Sender(Kind.PROCESS_MANAGER if node == PROCESS_MANAGER else Kind.CONTROLLER, session, node)


@cache
def _broadcast_types() -> Mapping[int, tuple[str, Severity]]:
    names = load_g1().enum_names(_DRUNC + "BroadcastType")
    return {number: (name, _BROADCAST_SEVERITY.get(name, Severity.INFO)) for number, name in names.items()}


def _broadcast(record: Record, value: bytes, arrived_ns: int) -> Decoded:
    message = parse(load_g1().message(_BROADCAST), "BroadcastMessage", value)
    if not message.HasField("data"):
        # Always there (16.2), even around an empty text: without it these are foreign or truncated bytes.
        raise DecodeError("no BroadcastMessage: it has no data")
    cleaner = Cleaner()
    detail: dict[str, Any] = {}
    text = _broadcast_text(message.data, cleaner, detail)
    sender, emitter, number = _sender(record.topic), message.emitter, message.type
    known = _broadcast_types().get(number)
    if known is None:
        detail["broadcast_type"] = number
        known = f"UNKNOWN_TYPE_{number}", Severity.INFO
    name, severity = known
    text = cleaner.column("text", text, TEXT_LIMIT_BYTES)
    session = cleaner.column("session", emitter.session or sender.session, KEY_LIMIT_BYTES)
    application = cleaner.column("application", emitter.process or sender.node, KEY_LIMIT_BYTES)
    time_ns, marked = finish(record, arrived_ns, None, cleaner, detail)
    return Decoded(sender.kind, severity, session, application, name, text, time_ns, marked)


def _broadcast_text(packed: WireMessage, cleaner: Cleaner, detail: dict[str, Any]) -> str:
    """Return the text inside an ``Any``; of a type that is no text only name and size are kept (contract 21.1)."""
    full_name = packed.type_url.removeprefix(TYPE_URL_PREFIX)
    if full_name == _PLAIN_TEXT:
        return str(parse(load_g1().message(_PLAIN_TEXT), "PlainText", packed.value).text)
    if full_name in _LINES:
        return "\n".join(parse(load_g1().message(full_name), full_name, packed.value).text)
    detail["data_type"] = cleaner.part(full_name)
    detail["data_size_bytes"] = len(packed.value)
    return f"[{full_name or 'data without a type'}, {len(packed.value)} bytes]"


# ERS issues, contract 16.3


def _ers(record: Record, value: bytes, arrived_ns: int) -> Decoded:
    chain = parse(load_ers().message("dunedaq.ersschema.IssueChain"), "IssueChain", value)
    if not chain.HasField("final") and not chain.ListFields():
        raise DecodeError("no IssueChain: nothing in it is known")
    final = chain.final
    cleaner = Cleaner()
    detail: dict[str, Any] = {}
    severity = ers_severity(final.severity, cleaner, detail)
    text = cleaner.column("text", final.message, TEXT_LIMIT_BYTES)
    session = cleaner.column("session", chain.session or session_from_key(record.key), KEY_LIMIT_BYTES)
    application = chain.application or final.context.application_name
    application = cleaner.column("application", application, KEY_LIMIT_BYTES)
    name = cleaner.column("name", final.name, NAME_LIMIT_BYTES)
    if chain.module:
        detail["module"] = cleaner.part(chain.module)
    detail.update(_circumstances(final, cleaner))
    if chain.causes:
        detail["causes"] = _causes(chain.causes, cleaner)
    time_ns, marked = finish(record, arrived_ns, final.time, cleaner, detail)
    return Decoded(Kind.ERS, severity, session, application, name, text, time_ns, marked)


def _causes(issues: Sequence[WireMessage], cleaner: Cleaner) -> list[dict[str, Any]]:
    """Return the causes, as many as fit."""
    causes: list[dict[str, Any]] = []
    for issue in issues[:MAX_CAUSES]:
        if cleaner.is_exhausted:
            break
        causes.append(_cause(issue, cleaner))
    if len(causes) < len(issues):
        cleaner.marks["detail_cut"] = True
    return causes


def _cause(issue: WireMessage, cleaner: Cleaner) -> dict[str, Any]:
    """Return one cause, with the field names of the wire; ``time`` stays in nanoseconds."""
    texts = {"name": issue.name, "severity": issue.severity, "message": issue.message}
    cause: dict[str, Any] = {key: cleaner.part(text) for key, text in texts.items() if text}
    if issue.time:
        cause["time"] = issue.time
    return cause | _circumstances(issue, cleaner)


def _circumstances(issue: WireMessage, cleaner: Cleaner) -> dict[str, Any]:
    """Return context, parameters and inheritance of an issue, without what is not set."""
    found: dict[str, Any] = {}
    context: dict[str, Any] = {}
    for field, value in issue.context.ListFields():
        context[field.name] = cleaner.part(value) if isinstance(value, str) else value
    if context:
        found["context"] = context
    if issue.parameters:
        found["parameters"] = cleaner.mapping(issue.parameters)
    if issue.inheritance:
        found["inheritance"] = cleaner.parts(issue.inheritance)
    return found
