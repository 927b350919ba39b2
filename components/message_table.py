"""A short, plain table of messages, for pages where the feed itself would be too much."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from components.ages import clock_time
from components.badges import severity_badge
from components.icons import Icon
from components.notice import empty
from services.messages.types import MessageView, Severity

_ROW_CLASSES = {Severity.ERROR: "row-error", Severity.FATAL: "row-fatal"}


def message_table(messages: Sequence[MessageView], nothing: str) -> Component:
    """Return messages as they come, newest first; ``nothing`` says what an empty table means."""
    if not messages:
        return empty(nothing, "The Messages page shows what there is below WARNING.", sign=Icon.MESSAGES)
    head = html.Thead(
        html.Tr([html.Th(word, scope="col") for word in ("Time", "Severity", "Session", "Application", "Message")]),
        className="visually-hidden",
    )
    columns = html.Colgroup(
        [html.Col(className=f"col-{name}") for name in ("time", "severity", "session", "app", "text")]
    )
    return html.Table([columns, head, html.Tbody([_row(message) for message in messages])], className="message-table")


def _row(message: MessageView) -> html.Tr:
    cells: list[Component] = [
        html.Td(clock_time(message.at), className="message-time"),
        html.Td(severity_badge(message.severity)),
        html.Td(message.session, className="fg-1 clip"),
        html.Td(message.application, className="clip"),
        html.Td(message.text, className="message-said clip", title=message.text[:1000]),
    ]
    return html.Tr(cells, className=_ROW_CLASSES.get(message.severity, ""))
