"""The message feed: rows for the grid, the grid itself, and the inspector with every field of one message."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from components.ages import clock_time, thin
from components.attributes import marked
from components.badges import severity_badge, severity_glyph
from components.grid import ROW_COMPACT, grid
from components.icons import glyph
from components.panel import facts
from services.messages.types import Kind, MessageView, Severity

# So many characters of a text go into the list; the inspector shows all of it.
LIST_TEXT = 400

_KIND_WORDS = {Kind.CONTROLLER: "controller", Kind.PROCESS_MANAGER: "process manager", Kind.ERS: "ERS issue"}
_CONTEXT_FIRST = ("host_name", "process_id", "thread_id", "user_name", "package_name", "file_name", "line_number")

Row = Mapping[str, str | int | bool]


def message_row(message: MessageView, *, muted: bool = False) -> Row:
    """Return what the list shows of a message.

    ``id`` is text, as the grid wants it; ``ms`` is the time in milliseconds since 1970 UTC; ``muted`` is there only
    where it is.
    """
    text = message.text if len(message.text) <= LIST_TEXT else message.text[:LIST_TEXT] + "…"
    row: dict[str, str | int | bool] = {
        "id": str(message.id),
        "ms": message.time_ns // 1_000_000,
        "severity": message.severity.name,
        "quiet": message.severity <= Severity.INFO,
        "session": message.session,
        "application": message.application,
        "text": text or message.name,
    }
    return row | {"muted": True} if muted else row


def message_grid(component_id: str) -> Component:
    """Return the list. `assets/feed.js` is its only writer."""
    made: Component = grid(
        component_id,
        [
            {
                "field": "ms",
                "headerValueGetter": {"function": "consoleTimeHeader()"},
                "cellRenderer": "ConsoleTime",
                "width": 116,
                "cellClass": "mono",
            },
            {"field": "severity", "headerName": "Severity", "cellRenderer": "ConsoleSeverity", "width": 112},
            {"field": "session", "headerName": "Session", "width": 150, "cellClass": "quiet"},
            {"field": "application", "headerName": "Application", "width": 140},
            {
                "field": "text",
                "headerName": "Message",
                "valueFormatter": {"function": "params.data.muted ? 'muted: ' + params.value : params.value"},
                "flex": 1,
                "minWidth": 160,
                "cellClass": "message-text",
            },
        ],
        row_id="id",
        rows=[],
        row_height=ROW_COMPACT,
        row_classes={
            "row-fatal": "params.data.severity == 'FATAL'",
            "row-error": "params.data.severity == 'ERROR'",
            "row-quiet": "params.data.quiet",
            "row-muted": "params.data.muted",
        },
        options={
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
            "defaultColDef": {"sortable": False, "resizable": True, "suppressMovable": True},
            "suppressNoRowsOverlay": True,
            "suppressScrollOnNewData": True,
        },
        label="Messages, oldest first",
    )
    return made


def inspector(message: MessageView) -> Component:
    """Return every field of one message. Text from outside stays text."""
    detail = dict(message.detail or {})
    causes = detail.pop("causes", [])
    parameters = detail.pop("parameters", {})
    context = detail.pop("context", {})
    sections = [
        _head(message),
        html.P(message.text or message.name, className="inspector-text"),
        _chain(message, context, causes) if message.kind is Kind.ERS else html.Span(hidden=True),
        facts(_fields(message)),
        _section("parameters", parameters),
        _section("context", _ordered(context)),
        _section("more", detail),
    ]
    return html.Div(sections, className="inspector")


def nanoseconds(time_ns: int) -> Component:
    """Return a moment with its milliseconds, and the microseconds and nanoseconds after them."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).replace(microsecond=time_ns % 1_000_000_000 // 1_000)
    rest = f"{time_ns % 1_000_000:06d}"
    return html.Span(
        [clock_time(moment), html.Span(f" {rest[:3]} {rest[3:]}", className="mono fg-2")], className="nowrap"
    )


def _head(message: MessageView) -> Component:
    loud = message.severity >= Severity.ERROR
    return html.Div(
        [severity_badge(message.severity, filled=loud), nanoseconds(message.time_ns)], className="inspector-head"
    )


def _fields(message: MessageView) -> list[tuple[str, Any]]:
    return [
        ("session", message.session or "–"),
        ("application", message.application or "–"),
        ("name", message.name or "–"),
        ("kind", _KIND_WORDS[message.kind]),
        ("topic", message.topic),
        ("partition, offset", f"{message.partition}, {message.offset}"),
        ("id", thin(message.id)),
    ]


def _chain(message: MessageView, context: Mapping[str, Any], causes: Iterable[Mapping[str, Any]]) -> Component:
    first = _link(message.severity, message.name, "", context)
    rest = [
        _link(
            _severity(cause), str(cause.get("name", "")), str(cause.get("message", "")), cause.get("context", {}), cause
        )
        for cause in causes
    ]
    return html.Ol([first, *rest], className="chain")


def _link(
    severity: Severity, name: str, text: str, context: Mapping[str, Any], cause: Mapping[str, Any] | None = None
) -> html.Li:
    parts: list[Component] = []
    if cause is not None:
        parts.append(html.Div("caused by", className="label"))
    parts.append(html.Div(name or "unnamed issue", className="chain-name"))
    if text:
        parts.append(html.Div(text, className="chain-text"))
    place = _place(context)
    if place:
        parts.append(html.Div(place, className="chain-place"))
    if cause and cause.get("parameters"):
        parts.append(html.Div(_pairs(cause["parameters"]), className="chain-place"))
    return html.Li([glyph(severity_glyph(severity), label=severity.name), html.Div(parts)])


def _severity(cause: Mapping[str, Any]) -> Severity:
    """Severities of causes are free text on the wire (contract 16.3)."""
    return Severity.__members__.get(str(cause.get("severity", "")).strip().upper(), Severity.INFO)


def _place(context: Mapping[str, Any]) -> str:
    file_name = str(context.get("file_name", "")).rpartition("/")[2]
    line = f":{context['line_number']}" if file_name and context.get("line_number") else ""
    function = context.get("function_name", "")
    return ", ".join(str(part) for part in (file_name + line, function) if part)


def _ordered(context: Mapping[str, Any]) -> dict[str, Any]:
    first = {name: context[name] for name in _CONTEXT_FIRST if name in context}
    return first | dict(context)


def _section(title: str, values: Mapping[str, Any]) -> Component:
    if not values:
        return html.Span(hidden=True)
    pairs = [(name, _text(value)) for name, value in values.items()]
    return html.Div([html.H3(title, className="label"), facts(pairs)], className="inspector-section")


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_text(value)}" for name, value in values.items())


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def severity_option(severity: Severity) -> dict[str, Any]:
    """Return the choice of a severity in the filter."""
    return {"label": severity_badge(severity), "value": severity.name}


def count_list(counts: Mapping[Severity, int], order: Iterable[Severity]) -> list[Component]:
    """Return one number per severity, for the column beside the filter."""
    return [marked(html.Span(thin(counts[severity])), data_severity=severity.name) for severity in order]
