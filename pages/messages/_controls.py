"""What the messages page is filtered by: text, severities, session, application, expression; and exports."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from components.ages import thin
from components.attributes import marked
from components.buttons import Look, button, chip
from components.figures import STACK_ORDER
from components.icons import Icon, icon
from components.message_expression import problem_line
from components.message_list import severity_option
from components.panel import panel_head
from pages._access import callback, clientside_callback
from pages._feed import SHOW, problem_of
from pages.messages import _ids as ids
from services.accounts.types import Permission
from services.messages.export import MAX_ROWS
from services.messages.filters import Match
from services.messages.types import Severity

FROM_INFO = (Severity.FATAL, Severity.ERROR, Severity.WARNING, Severity.INFO)
EVERYTHING = ""
_MATCHES = {
    Match.WORDS: "words begin with",
    Match.CONTAINS: "contains",
    Match.NOT: "does not contain",
    Match.EXACT: "is exactly",
}


def chosen_severities(given: str | None) -> list[str]:
    """Return the severities of the address, those from INFO up where it has none."""
    if given is None:
        return [severity.name for severity in FROM_INFO]
    return [name for name in given.upper().split(",") if name in Severity.__members__]


def search_box(text: str | None, match: str | None) -> Component:
    """Return the field for a text, with how it is meant."""
    how = dbc.Select(
        id=ids.MATCH,
        options=[{"label": label, "value": value.value} for value, label in _MATCHES.items()],
        value=match if match in [*Match] else Match.WORDS.value,
        className="feed-match",
    )
    how_label = html.Label("How the text is meant", htmlFor=ids.MATCH, className="visually-hidden")
    field = dbc.Input(
        id=ids.SEARCH, type="text", value=text or "", debounce=250, placeholder="Text of messages", autocomplete="off"
    )
    label = html.Label("Search in the text of messages", htmlFor=ids.SEARCH, className="visually-hidden")
    box = html.Div([icon(Icon.SEARCH), how_label, how, label, field, html.Kbd("/")], className="searchbox feed-search")
    return marked(box, data_search="1")


def sidebar(severities: list[str], session: str | None, muted: Sequence[Component]) -> Component:
    """Return the choices beside the list: severities with their counts, session, what is ``muted``, exports.

    On a narrow page they stand above the list, folded into one line, so that the list begins on the first screen.
    """
    checklist = dbc.Checklist(
        id=ids.SEVERITIES,
        options=[severity_option(severity) for severity in STACK_ORDER],
        value=severities,
        className="feed-severities",
    )
    counts = marked(html.Div(id=ids.COUNTS, className="feed-counts", title="in the last 15 min"), aria_hidden="true")
    sessions = dbc.RadioItems(
        id=ids.SESSION,
        options=session_options([session] if session else []),
        value=session or EVERYTHING,
        className="feed-sessions",
    )
    shortcut = button("from WARNING", ids.FROM_WARNING, look=Look.PLAIN, small=True)
    choices = dbc.Collapse(
        [
            panel_head("Severity", actions=shortcut),
            marked(
                html.Div([checklist, counts], className="feed-severity", role="group"), aria_label="Severities shown"
            ),
            panel_head("Session"),
            marked(html.Div(sessions, className="feed-session", role="group"), aria_label="Session shown"),
            *muted,
            panel_head("Export"),
            html.Div(
                [
                    _export("CSV", ids.EXPORT_CSV),
                    _export("JSON lines", ids.EXPORT_LINES),
                    html.P(
                        f"All that the filter finds, newest first; {thin(MAX_ROWS)} at most, the last line says if so."
                    ),
                ],
                className="feed-export",
            ),
        ],
        id=ids.FILTERS,
        is_open=False,
    )
    return html.Section([_fold(), choices], className="panel feed-filters")


def _fold() -> Component:
    """Return the button that a narrow page folds the choices with; it says which of them are set."""
    parts = [icon(Icon.DOWN), html.B("Filters"), html.Span(id=ids.FILTERS_SET, className="feed-set clip")]
    made = html.Button(parts, id=ids.FILTERS_BUTTON, type="button", className="feed-fold")
    return marked(made, aria_expanded="false", aria_controls=ids.FILTERS)


def filters_set(wanted: Mapping[str, Any]) -> str:
    """Return how many of the choices beside the list differ from those of a page without an address, and which."""
    severities = set(filter(None, str(wanted.get("severity") or "").split(",")))
    differs = {
        "severity": severities != {severity.name for severity in FROM_INFO},
        "session": bool(wanted.get("session")),
        "show muted": wanted.get("muted") == SHOW,
    }
    names = [name for name, is_set in differs.items() if is_set]
    return f"{len(names)} set: {', '.join(names)}" if names else "none set"


def session_options(names: list[str]) -> list[dict[str, Any]]:
    """Return the choices of a session, all of them first."""
    named = [{"label": name or "without a session", "value": name} for name in names if name]
    return [{"label": "all", "value": EVERYTHING}, *named]


def _export(form: str, link_id: str) -> Component:
    link = html.A(
        [icon(Icon.DOWNLOAD), form],
        id=link_id,
        download="",
        className="button button-outline button-small",
    )
    return marked(link, aria_label=f"Export as {form}: all messages that the filter finds")


clientside_callback(
    ClientsideFunction("feed", "wanted"),
    Output(ids.FILTER, "data"),
    Input(ids.SEVERITIES, "value"),
    Input(ids.SESSION, "value"),
    Input(ids.APPLICATION, "data"),
    Input(ids.SEARCH, "value"),
    Input(ids.MATCH, "value"),
    Input(ids.WHERE, "data"),
    Input(ids.POSITION, "data"),
    Input(ids.SHOW_MUTED, "value"),
    Input(ids.MUTES_SEEN, "data"),
)
clientside_callback(
    ClientsideFunction("feed", "exports"),
    Output(ids.EXPORT_CSV, "href"),
    Output(ids.EXPORT_LINES, "href"),
    Input(ids.FILTER, "data"),
)
clientside_callback(
    "(n) => n ? ['FATAL', 'ERROR', 'WARNING'] : window.dash_clientside.no_update",
    Output(ids.SEVERITIES, "value"),
    Input(ids.FROM_WARNING, "n_clicks"),
)


clientside_callback(
    "(n, open) => (n ? [!open, String(!open)] : [open, String(open)])",
    Output(ids.FILTERS, "is_open"),
    Output(ids.FILTERS_BUTTON, "aria-expanded"),
    Input(ids.FILTERS_BUTTON, "n_clicks"),
    State(ids.FILTERS, "is_open"),
)


@callback(Output(ids.FILTERS_SET, "children"), Input(ids.FILTER, "data"), permission=Permission.VIEW_MESSAGES)
def show_filters_set(wanted: Mapping[str, Any] | None) -> str:
    """Say what is set while the choices are folded away."""
    return filters_set(wanted) if wanted else ""


@callback(Output(ids.CHIP, "children"), Input(ids.APPLICATION, "data"), permission=Permission.VIEW_MESSAGES)
def show_chip(application: str | None) -> Any:
    """Say that only one application is shown, with a way to drop that."""
    if not application:
        return []
    return chip("application", application, ids.drop_application_id("it"))


@callback(
    Output(ids.WHERE, "data"),
    Output(ids.PROBLEM, "children"),
    Output(ids.EXPRESSION, "invalid"),
    Input(ids.EXPRESSION, "value"),
    State(ids.WHERE, "data"),
    permission=Permission.VIEW_MESSAGES,
)
def check(expression: str | None, applied: str | None) -> tuple[Any, list[Component], bool]:
    """Apply the expression, or say what is wrong with it; the list then stays as it is."""
    text = (expression or "").strip()
    problem = problem_of(text)
    line = problem_line(problem, is_applied=problem_of(applied or "") != "")
    return no_update if problem else text or None, line, bool(problem)


@callback(
    Output(ids.APPLICATION, "data"),
    Input(ids.only_id(ALL), "n_clicks"),
    Input(ids.drop_application_id(ALL), "n_clicks"),
    permission=Permission.VIEW_MESSAGES,
    prevent_initial_call=True,
)
def narrow(_only: list[int | None], _drop: list[int | None]) -> Any:
    """Show one application only, or all of them again."""
    if not ctx.triggered or not ctx.triggered[0]["value"]:
        return no_update
    pressed = ctx.triggered_id
    return pressed["key"] if pressed["element"] == "only" else None
