"""Messages: one live feed of everything Kafka carried, with filters, search and every field (``/messages``, to view).

The browser keeps the list (`assets/feed.js`); the callbacks here fetch what it asks for: the newest page for a filter,
what came after it, and what was before it.
"""

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Input, Output, State, ctx, dcc, html, no_update, register_page
from dash.development.base_component import Component

from components.ages import thin
from components.attributes import marked
from components.buttons import Look, button, chip, icon_button
from components.figures import STACK_ORDER
from components.frame import page
from components.icons import Icon, icon
from components.message_expression import expression_field, problem_line
from components.message_list import count_list, inspector, message_grid, severity_option
from components.notice import empty
from components.panel import panel, panel_head
from components.rate_plot import SPANS, bins, rate_figure, rate_graph, summary, totals, window
from pages._access import callback, clientside_callback
from pages._context import services
from pages._feed import Delta, feed_delta, footer, older_delta, parse_filter, problem_of
from services.accounts.types import Permission
from services.clock import utc_now
from services.messages.export import MAX_ROWS
from services.messages.filters import Match
from services.messages.types import MessageView, Severity

register_page(__name__, path="/messages", title="Messages", name="Messages")

GRID = "messages-grid"
FILTER = "messages-filter"
CURSOR = "messages-cursor"
ASK = "messages-ask"
DELTA = "messages-delta"
OLDER_ASK = "messages-older-ask"
OLDER = "messages-older-delta"
POSITION = "messages-position"
APPLICATION = "messages-application"
CHIP = "messages-application-chip"
SEVERITIES = "messages-severity-checklist"
FROM_WARNING = "messages-from-warning-button"
COUNTS = "messages-severity-counts"
SESSION = "messages-session-radio"
SEARCH = "messages-search-input"
MATCH = "messages-match-select"
WHERE = "messages-where"
EXPRESSION = "messages-expression-input"
PROBLEM = "messages-expression-problem"
EXPORT_CSV = "messages-export-csv"
EXPORT_LINES = "messages-export-lines"
INSPECTOR = "messages-inspector"
INSPECTED = "messages-inspector-content"
FIGURE = "messages-figure"
ZONE = "messages-zone"
GRAPH = "messages-graph"
GRAPH_NAME = "messages-graph-name"
FOOTER = "messages-footer"

FROM_INFO = (Severity.FATAL, Severity.ERROR, Severity.WARNING, Severity.INFO)
EVERYTHING = ""
_SPAN = SPANS[0]
_MATCHES = {
    Match.WORDS: "words begin with",
    Match.CONTAINS: "contains",
    Match.NOT: "does not contain",
    Match.EXACT: "is exactly",
}


def layout(
    *,
    severity: str | None = None,
    session: str | None = None,
    application: str | None = None,
    q: str | None = None,
    match: str | None = None,
    where: str | None = None,
    before: str | None = None,
    after: str | None = None,
    around: str | None = None,
    **_: str,
) -> html.Div:
    """Return the page for a filter from the address.

    It holds severities as a comma list, session, application, the text ``q`` and how it is meant, an expression
    (`services.messages.filters`) and ids: a stretch, or the message that others are shown around.
    """
    stores = [
        dcc.Store(id=FILTER),
        dcc.Store(id=CURSOR),
        dcc.Store(id=ASK, data=0),
        dcc.Store(id=DELTA),
        dcc.Store(id=OLDER_ASK),
        dcc.Store(id=OLDER),
        dcc.Store(id=POSITION, data=_position(before, after, around)),
        dcc.Store(id=WHERE, data=where),
        dcc.Store(id=APPLICATION, data=application),
        dcc.Store(id=FIGURE),
        marked(html.Span([dcc.Store(id=ZONE)], hidden=True), data_zone_follows=ZONE),
    ]
    body = html.Div([_sidebar(_severities(severity), session), _list(where), _inspector()], className="feed")
    return page("Messages", [*stores, _histogram(), body], actions=_search(q, match), fill=True)


def _position(before: str | None, after: str | None, around: str | None) -> dict[str, str | None] | None:
    if around and around.isdigit():
        return {"around": around}
    return {"before": before, "after": after} if before and before.isdigit() else None


def _severities(given: str | None) -> list[str]:
    if given is None:
        return [severity.name for severity in FROM_INFO]
    return [name for name in given.upper().split(",") if name in Severity.__members__]


def _search(text: str | None, match: str | None) -> list[Component]:
    how = dbc.Select(
        id=MATCH,
        options=[{"label": label, "value": value.value} for value, label in _MATCHES.items()],
        value=match if match in [*Match] else Match.WORDS.value,
        className="feed-match",
    )
    how_label = html.Label("How the text is meant", htmlFor=MATCH, className="visually-hidden")
    field = dbc.Input(
        id=SEARCH, type="text", value=text or "", debounce=250, placeholder="Text of messages", autocomplete="off"
    )
    label = html.Label("Search in the text of messages", htmlFor=SEARCH, className="visually-hidden")
    box = html.Div([icon(Icon.SEARCH), how_label, how, label, field, html.Kbd("/")], className="searchbox feed-search")
    marked(box, data_search="1")
    return [box]


def _histogram() -> Component:
    graph = rate_graph(GRAPH)
    named = html.Div(graph, id=GRAPH_NAME, role="img", className="feed-plot")
    return panel(
        "Messages per second",
        named,
        sub="all severities, last 15 min, bins of 10 s",
        flush=True,
        class_name="feed-histogram",
    )


def _sidebar(severities: list[str], session: str | None) -> Component:
    checklist = dbc.Checklist(
        id=SEVERITIES,
        options=[severity_option(severity) for severity in STACK_ORDER],
        value=severities,
        className="feed-severities",
    )
    counts = marked(html.Div(id=COUNTS, className="feed-counts", title="in the last 15 min"), aria_hidden="true")
    sessions = dbc.RadioItems(
        id=SESSION,
        options=_session_options([session] if session else []),
        value=session or EVERYTHING,
        className="feed-sessions",
    )
    shortcut = button("from WARNING", FROM_WARNING, look=Look.PLAIN, small=True)
    return html.Section(
        [
            panel_head("Severity", actions=shortcut),
            marked(
                html.Div([checklist, counts], className="feed-severity", role="group"), aria_label="Severities shown"
            ),
            panel_head("Session"),
            marked(html.Div(sessions, className="feed-session", role="group"), aria_label="Session shown"),
            panel_head("Export"),
            html.Div(
                [
                    _export("CSV", EXPORT_CSV),
                    _export("JSON lines", EXPORT_LINES),
                    html.P(
                        f"All that the filter finds, newest first; {thin(MAX_ROWS)} at most, the last line says if so."
                    ),
                ],
                className="feed-export",
            ),
        ],
        className="panel feed-filters",
    )


def _session_options(names: list[str]) -> list[dict[str, Any]]:
    named = [{"label": name or "without a session", "value": name} for name in names if name]
    return [{"label": "all", "value": EVERYTHING}, *named]


def _list(where: str | None) -> Component:
    following = html.Span("…", id="messages-following", className="fg-1")
    resume = html.Button(
        [icon(Icon.PLAY), html.Span("resume", id="messages-resume-text")],
        id="messages-resume",
        type="button",
        hidden=True,
        className="button button-primary button-small",
    )
    pause = button("Pause", "messages-pause", sign=Icon.PAUSE, small=True)
    older = button("Older", "messages-older", sign=Icon.UP, small=True)
    nothing = empty(
        "No messages match",
        "Severity, session, search and expression hide all there are. New ones that match appear here.",
    )
    unfinished = empty(
        "None found so far",
        "The search has not looked at all messages yet: the line below says how far it got, Older looks further.",
    )
    return html.Section(
        [
            expression_field(EXPRESSION, PROBLEM, where),
            html.Div(
                [
                    older,
                    html.Span(id=CHIP, className="feed-chips"),
                    marked(following, role="status"),
                    pause,
                    resume,
                    html.Kbd("space"),
                ],
                className="feed-bar",
            ),
            html.Div(
                [
                    message_grid(GRID),
                    html.Div(nothing, id="messages-empty", hidden=True),
                    html.Div(unfinished, id="messages-unfinished", hidden=True),
                ],
                className="feed-grid",
            ),
            html.Div(
                [
                    html.Span(id="messages-shown", className="strong fg-0"),
                    html.Span(id=FOOTER, className="row-line feed-counted"),
                    html.Span("j, k next; ← → error", className="push fg-2 feed-keys"),
                ],
                className="panel-foot",
            ),
        ],
        className="panel feed-list",
    )


def _export(form: str, link_id: str) -> Component:
    link = html.A(
        [icon(Icon.DOWNLOAD), form],
        id=link_id,
        download="",
        className="button button-outline button-small",
    )
    return marked(link, aria_label=f"Export as {form}: all messages that the filter finds")


def _inspector() -> Component:
    close = icon_button(Icon.CLOSE, "Close the inspector", "messages-close", small=True)
    return html.Aside(
        [panel_head("Message", actions=close), html.Div(id=INSPECTED, className="panel-body")],
        id=INSPECTOR,
        className="panel feed-inspector",
        hidden=True,
    )


clientside_callback(
    ClientsideFunction("feed", "wanted"),
    Output(FILTER, "data"),
    Input(SEVERITIES, "value"),
    Input(SESSION, "value"),
    Input(APPLICATION, "data"),
    Input(SEARCH, "value"),
    Input(MATCH, "value"),
    Input(WHERE, "data"),
    Input(POSITION, "data"),
)
clientside_callback(
    ClientsideFunction("feed", "exports"),
    Output(EXPORT_CSV, "href"),
    Output(EXPORT_LINES, "href"),
    Input(FILTER, "data"),
)
clientside_callback(ClientsideFunction("feed", "apply"), Input(DELTA, "data"))
clientside_callback(ClientsideFunction("feed", "apply"), Input(OLDER, "data"))
clientside_callback(
    ClientsideFunction("rates", "draw"), Output(GRAPH, "figure"), Input(FIGURE, "data"), Input(ZONE, "data")
)
clientside_callback(
    "(n) => n ? ['FATAL', 'ERROR', 'WARNING'] : window.dash_clientside.no_update",
    Output(SEVERITIES, "value"),
    Input(FROM_WARNING, "n_clicks"),
)


@callback(
    Output(DELTA, "data"),
    Input("live-messages", "data"),
    Input(FILTER, "data"),
    Input(ASK, "data"),
    State(CURSOR, "data"),
    permission=Permission.VIEW_MESSAGES,
)
def fetch(
    _revision: int | None, wanted: Mapping[str, Any] | None, _ask: int, cursor: Mapping[str, Any] | None
) -> Delta | Any:
    """Fetch what the list lacks: its first page for a new filter, else what came after the cursor."""
    if wanted is None:
        return no_update
    return feed_delta(services().messages, wanted, cursor) or no_update


@callback(Output(OLDER, "data"), Input(OLDER_ASK, "data"), State(FILTER, "data"), permission=Permission.VIEW_MESSAGES)
def fetch_older(asked: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None) -> Delta | Any:
    """Fetch the page before the oldest row of the list."""
    if not asked or wanted is None:
        return no_update
    return older_delta(services().messages, wanted, int(asked["before"]))


@callback(
    Output(INSPECTED, "children"),
    Output(INSPECTOR, "hidden"),
    Input(GRID, "selectedRows"),
    permission=Permission.VIEW_MESSAGES,
)
def inspect(rows: list[Mapping[str, Any]] | None) -> tuple[Any, bool]:
    """Show every field of the selected message."""
    if not rows:
        return no_update, True
    message = services().messages.message(int(rows[0]["id"]))
    return [inspector(message), _next_steps(message)], False


def _next_steps(message: MessageView) -> Component:
    around = {"component": "messages", "element": "around", "key": str(message.id)}
    steps = [button("Around this message", around, small=True)]
    if message.application:
        only = {"component": "messages", "element": "only", "key": message.application}
        steps.append(button(f"Only {message.application}", only, small=True))
    return html.Div(steps, className="notice-actions")


@callback(Output(CHIP, "children"), Input(APPLICATION, "data"), permission=Permission.VIEW_MESSAGES)
def show_chip(application: str | None) -> Any:
    """Say that only one application is shown, with a way to drop that."""
    if not application:
        return []
    return chip("application", application, {"component": "messages", "element": "drop-application", "key": "it"})


@callback(
    Output(WHERE, "data"),
    Output(PROBLEM, "children"),
    Output(EXPRESSION, "invalid"),
    Input(EXPRESSION, "value"),
    State(WHERE, "data"),
    permission=Permission.VIEW_MESSAGES,
)
def check(expression: str | None, applied: str | None) -> tuple[Any, list[Component], bool]:
    """Apply the expression, or say what is wrong with it; the list then stays as it is."""
    text = (expression or "").strip()
    problem = problem_of(text)
    line = problem_line(problem, is_applied=problem_of(applied or "") != "")
    return no_update if problem else text or None, line, bool(problem)


@callback(
    Output(SEVERITIES, "value", allow_duplicate=True),
    Output(SESSION, "value"),
    Output(APPLICATION, "data", allow_duplicate=True),
    Output(SEARCH, "value"),
    Output(WHERE, "data", allow_duplicate=True),
    Output(EXPRESSION, "value"),
    Output(POSITION, "data"),
    Input({"component": "messages", "element": "around", "key": ALL}, "n_clicks"),
    permission=Permission.VIEW_MESSAGES,
    prevent_initial_call=True,
)
def look_around(clicks: list[int | None]) -> tuple[Any, ...]:
    """Show what came before and after one message, whatever it is: no filter stays."""
    if not any(clicks):
        return (no_update,) * 7
    everything = [severity.name for severity in STACK_ORDER]
    return everything, EVERYTHING, None, "", None, "", {"around": ctx.triggered_id["key"]}


@callback(
    Output(APPLICATION, "data"),
    Input({"component": "messages", "element": "only", "key": ALL}, "n_clicks"),
    Input({"component": "messages", "element": "drop-application", "key": ALL}, "n_clicks"),
    permission=Permission.VIEW_MESSAGES,
    prevent_initial_call=True,
)
def narrow(_only: list[int | None], _drop: list[int | None]) -> Any:
    """Show one application only, or all of them again."""
    if not ctx.triggered or not ctx.triggered[0]["value"]:
        return no_update
    pressed = ctx.triggered_id
    return pressed["key"] if pressed["element"] == "only" else None


@callback(
    Output(FIGURE, "data"),
    Output(GRAPH_NAME, "aria-label"),
    Output(COUNTS, "children"),
    Output(FOOTER, "children"),
    Output(SESSION, "options"),
    Input("live-messages", "data"),
    Input(FILTER, "data"),
    Input("theme", "data"),
    permission=Permission.VIEW_MESSAGES,
)
def surroundings(_revision: int | None, wanted: Mapping[str, Any] | None, theme: str | None) -> tuple[Any, ...]:
    """Show what surrounds the list: rates of the last minutes, counts by severity, what is hidden, known sessions."""
    session = (wanted or {}).get("session")
    now = utc_now()
    start, end = window(now, _SPAN)
    messages = services().messages
    bars = bins(messages.rates(start, end, session=session), start, end, _SPAN.bin_s)
    counts = totals(bars)
    figure = rate_figure(bars, now, theme or "dark", revision="messages", small=True)
    return (
        figure,
        summary(bars, now, session or "all sessions"),
        count_list(counts, STACK_ORDER),
        footer(messages.statistics(), counts, parse_filter(wanted or {})),
        _session_options([*messages.names()[0]]),
    )
