"""Rates: messages per second by severity over minutes to a week, and below what OpMon reports, each with a table twin.

``/rates``, to view messages. The section OpMon is in `pages._opmon`.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, dcc, html, no_update, register_page
from dash.development.base_component import Component

from components.ages import clock_time, duration_text
from components.attributes import marked
from components.buttons import Look, link_button
from components.figures import STACK_ORDER
from components.frame import page
from components.icons import Icon, icon
from components.panel import facts, panel
from components.rate_plot import (
    SPANS,
    Span,
    bins,
    legend,
    passed_s,
    rate_figure,
    rate_graph,
    rate_table,
    severity_lines,
    span_of,
    summary,
    totals,
    window,
)
from components.words import counted
from pages._access import callback, clientside_callback
from pages._context import services
from pages._opmon import section
from services.accounts.types import Permission
from services.clock import utc_now
from services.messages.types import RateBucket, Severity

register_page(__name__, path="/rates", title="Rates", name="Rates")

SPAN = "rates-span-radio"
SESSION = "rates-session-select"
WANTED = "rates-wanted"
FIGURE = "rates-figure"
ZONE = "rates-zone"
GRAPH = "rates-graph"
GRAPH_NAME = "rates-graph-name"
SCOPE = "rates-scope"
SENTENCE = "rates-sentence"
TOTALS = "rates-totals"
TABLE = "rates-table"
TABLE_BUTTON = "rates-table-button"
CHOSEN = "rates-chosen"
ALL_SESSIONS = "*"


def layout(span: str | None = None, session: str | None = None, series: str | None = None, **_: str) -> html.Div:
    """Return the page for a range, a session and a measured value (its id) from the address."""
    stores = [
        dcc.Store(id=WANTED),
        dcc.Store(id=FIGURE),
        marked(html.Span([dcc.Store(id=ZONE)], hidden=True), data_zone_follows=ZONE),
    ]
    content = html.Div([_plot(), html.Div([_chosen(), _totals()], className="rates-side")], className="rates")
    return page(
        "Rates", [*stores, content, section(series)], sub=_choices(span_of(span), session), actions=_table_button()
    )


def _choices(span: Span, session: str | None) -> Component:
    spans = dbc.RadioItems(
        id=SPAN,
        options=[{"label": choice.text, "value": choice.key} for choice in SPANS],
        value=span.key,
        className="segmented",
        inputClassName="visually-hidden",
        labelCheckedClassName="is-on",
    )
    select = dbc.Select(
        id=SESSION,
        options=_session_options([session] if session else []),
        value=session or ALL_SESSIONS,
        className="rates-session",
    )
    return html.Div(
        [
            marked(html.Div(spans, role="group"), aria_label="Range"),
            html.Label("Session", htmlFor=SESSION, className="label"),
            select,
        ],
        className="rates-choice",
    )


def _session_options(names: list[str]) -> list[dict[str, str]]:
    return [
        {"label": "all sessions", "value": ALL_SESSIONS},
        *({"label": name, "value": name} for name in names if name),
    ]


def _table_button() -> Component:
    button = html.Button([icon(Icon.TABLE), "Table"], id=TABLE_BUTTON, type="button", className="button", n_clicks=0)
    return marked(button, aria_pressed="false")


def _plot() -> Component:
    graph = rate_graph(GRAPH)
    body = [
        html.Div(graph, id=GRAPH_NAME, role="img", className="rates-plot"),
        html.Div(id=TABLE, className="rates-table-frame", hidden=True),
    ]
    foot = html.Span(id=SENTENCE, className="rates-sentence")
    return panel(
        "Messages per second",
        body,
        sub=html.Span(id=SCOPE),
        actions=legend(),
        foot=foot,
        flush=True,
        class_name="rates-main",
    )


def _chosen() -> Component:
    hint = html.P("Choose a bin in the plot to see what it holds, and go to its messages.", className="fg-1")
    return panel("Chosen bin", html.Div(hint, id=CHOSEN))


def _totals() -> Component:
    return panel("In this range", html.Div(id=TOTALS), sub="messages, mean rate")


clientside_callback(
    ClientsideFunction("rates", "wanted"), Output(WANTED, "data"), Input(SPAN, "value"), Input(SESSION, "value")
)
clientside_callback(
    ClientsideFunction("rates", "draw"), Output(GRAPH, "figure"), Input(FIGURE, "data"), Input(ZONE, "data")
)
clientside_callback(
    "(n) => [n % 2 === 1, n % 2 === 0, String(n % 2 === 1)]",
    Output(GRAPH_NAME, "hidden"),
    Output(TABLE, "hidden"),
    Output(TABLE_BUTTON, "aria-pressed"),
    Input(TABLE_BUTTON, "n_clicks"),
)


@callback(
    Output(FIGURE, "data"),
    Output(GRAPH_NAME, "aria-label"),
    Output(SENTENCE, "children"),
    Output(SCOPE, "children"),
    Output(TOTALS, "children"),
    Output(TABLE, "children"),
    Output(SESSION, "options"),
    Input(WANTED, "data"),
    Input("live-messages", "data"),
    Input("theme", "data"),
    Input(TABLE_BUTTON, "n_clicks"),
    permission=Permission.VIEW_MESSAGES,
)
def draw(
    wanted: Mapping[str, Any] | None, _revision: int | None, theme: str | None, pressed: int | None
) -> tuple[Any, ...] | Any:
    """Draw the range that is wanted, as it is now."""
    if wanted is None:
        return (no_update,) * 7
    span, session, now = span_of(wanted.get("span")), wanted.get("session"), utc_now()
    bars = _bars(span, session)
    scope = session or "all sessions"
    sentence = summary(bars, now, scope)
    figure = rate_figure(bars, now, theme or "dark", revision=f"{span.key} {session}")
    table = rate_table(bars) if (pressed or 0) % 2 else no_update
    lines = severity_lines(totals(bars), span.span_s, {})
    names = _session_options([*services().messages.names()[0]])
    return figure, sentence, sentence, f"{scope}, bins of {duration_text(span.bin_s)}", lines, table, names


def _bars(span: Span, session: str | None) -> tuple[RateBucket, ...]:
    start, end = window(utc_now(), span)
    return bins(services().messages.rates(start, end, session=session), start, end, span.bin_s)


@callback(
    Output(CHOSEN, "children"),
    Input(GRAPH, "clickData"),
    State(WANTED, "data"),
    permission=Permission.VIEW_MESSAGES,
    prevent_initial_call=True,
)
def choose(clicked: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None) -> Any:
    """Show what the clicked bin holds, with links to exactly those messages."""
    if not clicked or wanted is None:
        return no_update
    middle_ms = int(clicked["points"][0]["customdata"])
    span, session = span_of(wanted.get("span")), wanted.get("session")
    chosen = next((bar for bar in _bars(span, session) if _holds(bar, middle_ms)), None)
    return _bin_facts(chosen, session) if chosen else html.P("That bin has left the range.", className="fg-1")


def _holds(bar: RateBucket, at_ms: int) -> bool:
    start_ms = bar.start_s * 1000
    return start_ms <= at_ms < start_ms + bar.width_s * 1000


def _bin_facts(bar: RateBucket, session: str | None) -> list[Component]:
    everything = sum(bar.counts)
    told = facts(
        [
            ("from", clock_time(bar.start, milliseconds=False)),
            ("length", duration_text(bar.width_s)),
            ("messages", f"{counted(everything, 'message')}, {everything / passed_s(bar, utc_now()):.3g} /s"),
        ]
    )
    if not everything:
        return [told]
    links = {
        severity: dcc.Link("show", href=_messages_link(bar, session, (severity,)))
        for severity in STACK_ORDER
        if bar.counts[severity]
    }
    count = totals([bar])
    every = link_button("Show messages", _messages_link(bar, session, STACK_ORDER), look=Look.PRIMARY)
    return [told, severity_lines(count, bar.width_s, links), html.Div(every, className="notice-actions")]


def _messages_link(bar: RateBucket, session: str | None, severities: tuple[Severity, ...]) -> str:
    """Return the address of the messages of a bin: its ids bound it from both sides."""
    query = {"severity": ",".join(severity.name for severity in severities)}
    if session:
        query["session"] = session
    return "/messages?" + urlencode(query | {"before": str(bar.max_id + 1), "after": str(bar.min_id - 1)}, safe=",")
