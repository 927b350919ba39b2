"""The quarantine on the status page: records that could not be decoded, with what is kept of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from dash import html
from dash.development.base_component import Component

from components.ages import clock_time, thin
from components.panel import Children, facts
from components.plain_table import Column, Row, plain_table, scrolling
from components.words import size_text
from services.messages.pipeline_types import QuarantinedView

REDECODE = "python manage.py messages redecode"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BYTES_A_LINE = 16
_FIRST_PRINTABLE, _LAST_PRINTABLE = 0x20, 0x7E

_QUARANTINE = (
    Column("When"),
    Column("Topic", "mono"),
    Column("Offset", "number"),
    Column("Size", "number"),
    Column("Reason", "wide"),
    Column("Content", "content"),
)


def quarantine_table(records: Sequence[QuarantinedView]) -> Component:
    """Return the newest records that could not be decoded, newest first, with a look at their first bytes."""
    if not records:
        return html.Div([html.Span("The quarantine is empty"), ": every record was decoded."], className="status-none")
    rows = [_quarantine_row(record) for record in records]
    return scrolling("Quarantine", plain_table("Records that could not be decoded", _QUARANTINE, rows))


def quarantine_foot() -> list[Component | str]:
    """Return what to do about records in quarantine."""
    return ["Once the cause is mended, decode them again: ", html.Code(REDECODE)]


def _quarantine_row(record: QuarantinedView) -> Row:
    cells: list[Children] = [
        clock_time(record.received_at, milliseconds=False),
        f"{record.topic}[{record.partition}]",
        thin(record.offset),
        size_text(record.size_bytes),
        record.reason,
        _content(record),
    ]
    return Row(cells, key=f"quarantined-{record.id}")


def _content(record: QuarantinedView) -> Component:
    told = f"first {len(record.beginning)} of {thin(record.size_bytes)} bytes" if record.beginning else "empty"
    known = facts([("Key", _key(record.key)), ("Kafka's time", _kafka_time(record.kafka_ms))])
    parts: list[Component] = [html.Summary(told), known]
    if record.beginning:
        parts.append(html.Pre(dump(record.beginning), className="byte-lines"))
    return html.Details(parts)


def _key(key: bytes | None) -> Component | str:
    if not key:
        return "none" if key is None else "empty"
    return html.Code(key.decode("utf-8", "backslashreplace"))


def _kafka_time(given_ms: int | None) -> Component | str:
    if given_ms is None:
        return "none"
    try:
        return clock_time(_EPOCH + timedelta(milliseconds=given_ms))
    except OverflowError:
        # A broken clock: no calendar goes so far.
        return f"{thin(given_ms)} ms since 1970"


def dump(data: bytes) -> str:
    """Return bytes as lines of 16: in hexadecimal, and as text with a dot for what cannot be printed."""
    chunks = [data[start : start + _BYTES_A_LINE] for start in range(0, len(data), _BYTES_A_LINE)]
    return "\n".join(f"{chunk.hex(' '):<{3 * _BYTES_A_LINE}} {_printable(chunk)}" for chunk in chunks)


def _printable(chunk: bytes) -> str:
    return "".join(chr(byte) if _FIRST_PRINTABLE <= byte <= _LAST_PRINTABLE else "·" for byte in chunk)
