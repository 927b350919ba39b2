"""Designed states: error, empty, loading, forbidden, stale. None of them leaves a panel blank, none says "refresh"."""

from collections.abc import Sequence
from datetime import datetime

from dash import html
from dash.development.base_component import Component

from components.ages import age
from components.attributes import marked
from components.icons import Glyph, Icon, glyph, icon, ring
from components.panel import Children, facts

# Where callbacks show what went wrong (`pages/_errors.py`); announced by screen readers.
NOTICES_ID = "notices"


def notices_area() -> html.Div:
    """Return the empty area for error notices, above the page's content."""
    return marked(html.Div(id=NOTICES_ID), aria_live="assertive", aria_atomic="true")


def error_notice(
    what: str, *, not_done: str = "", next_step: str = "", request_id: str = "", closable: bool = False
) -> html.Div:
    """Return what went wrong: what happened, what was not done, what to do next, and the id to ask about.

    Only a notice in the area for notices is ``closable`` (keys.js empties it); elsewhere a result stays in its place.
    """
    told = [("Not done", not_done), ("Next", next_step)]
    pairs: list[tuple[str, Children]] = [(name, text) for name, text in told if text]
    if request_id:
        pairs.append(("Request", html.Code(request_id)))
    parts: list[Component] = [html.Div([glyph(Glyph.ERROR), html.Span(what)], className="notice-title"), facts(pairs)]
    if closable:
        close = html.Button(icon(Icon.CLOSE), type="button", className="chip-close")
        parts.append(marked(close, aria_label="Close this notice", data_dismiss="notice"))
    return html.Div(parts, className="notice notice-error", role="alert")


def empty(title: str, text: str, *, sign: Icon = Icon.MESSAGES, actions: Sequence[Component] | None = None) -> html.Div:
    """Return what a list without rows says: what is not there, and what hides it or brings it."""
    return _centre(sign, title, text, actions)


def forbidden(title: str, text: str, *, actions: Sequence[Component] | None = None) -> html.Div:
    """Return why something may not be seen or done, and who can help."""
    return _centre(Icon.LOCK, title, text, actions)


def loading(what: str, *, rows: int = 4) -> html.Div:
    """Return bars where rows will be, with what is awaited. Shown after 0.3 s, so that quick answers do not flash."""
    widths = ("34%", "26%", "38%", "24%")
    bars = [html.Span(style={"width": widths[number % len(widths)]}) for number in range(rows)]
    return html.Div(
        [
            marked(html.Div(bars, className="skeleton"), aria_hidden="true"),
            html.Div([ring(), html.Span(what)], className="notice-line"),
        ],
        className="notice loading-after",
        role="status",
    )


def stale_line(what: str, seen_at: datetime | None, expected: str) -> html.Div:
    """Return the line that says that data is late: what, since when, and how often it should come."""
    return html.Div(
        [
            icon(Icon.CLOCK),
            html.Span([what, " ", age(seen_at)], className="strong"),
            html.Span(f"expected every {expected}", className="fg-1"),
        ],
        className="notice-line notice-stale",
        role="status",
    )


def _centre(sign: Icon, title: str, text: str, actions: Sequence[Component] | None) -> html.Div:
    parts: list[Component] = [icon(sign), html.Div(title, className="notice-title"), html.P(text)]
    if actions:
        parts.append(html.Div(list(actions), className="notice-actions"))
    return html.Div(parts, className="notice notice-centre")
