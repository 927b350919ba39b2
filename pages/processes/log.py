"""Log of one process (``/processes/<uuid>/log``): read from the process manager when somebody looks, never stored.

Needs ``process.logs``, which the service checks. ``lines`` in the address says how many last lines are read; ``line``
and ``mark`` lead to one of them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from components.ages import age, clock_time
from components.attributes import marked
from components.badges import process_badge
from components.buttons import Look, button, icon_button, link_button
from components.frame import live_store_id, page
from components.icons import Icon, icon
from components.log_table import (
    KNOWN_LINES,
    Delta,
    Wanted,
    all_lines,
    known,
    line_address,
    log_columns,
    log_grid,
    more_lines,
    plain,
    reach,
    width,
)
from components.notice import empty, error_notice, forbidden, loading
from components.outlet import CONTENT, drawing, outlet
from components.strip import with_session
from pages._access import callback, clientside_callback
from pages._context import identity, services
from services.accounts.types import Permission
from services.errors import ConsoleError, NotFoundError, NotPermittedError
from services.revisions import LiveTopic
from services.run_control.exit_codes import exit_code_meaning
from services.run_control.process_logs import new_lines
from services.run_control.process_types import Process, ProcessStatus

dash.register_page(__name__, path_template="/processes/<uuid>/log", title="Log · drunc-console", name="Process log")

VIEW = Permission.VIEW_RUN_CONTROL
GRID = "log-grid"
UUID, WANTED, SESSION = "log-uuid", "log-wanted", "log-session"
HEAD, STATE, PROBLEM, LINK = "log-head", "log-state", "log-problem", "log-link"
SHOWN, LINES, FOLLOW, WRAP, ONLY = "log-count", "log-lines", "log-follow", "log-wrap", "log-only"
SEARCH, FOUND, NEXT, PREVIOUS = "log-search", "log-found", "log-next-button", "log-previous-button"
ASK, DELTA, KNOWN, WIDTH, TICK = "log-ask", "log-delta", "log-known", "log-width", "log-tick"
AGAIN, END, SAVE, DOWNLOAD = "log-again-button", "log-end-button", "log-download-button", "log-download"
COUNTS = (100, 1_000, 10_000, 100_000)
USUAL = 1_000
FOLLOW_MS = 2_000


def layout(uuid: str = "", lines: str = "", line: str = "", mark: str = "", **query: str) -> html.Div:
    """Return the page of the process, for as many lines as the address says, at the line it says."""
    session = query.get("session") or ""
    wanted = {"number": int(line), "checksum": mark} if line.isascii() and line.isdigit() and mark else None
    stores = [
        dcc.Store(id=UUID, data=uuid),
        dcc.Store(id=SESSION, data=session),
        dcc.Store(id=WANTED, data=wanted),
        dcc.Store(id=ASK),
        dcc.Store(id=DELTA),
        dcc.Store(id=KNOWN),
        dcc.Store(id=WIDTH),
        dcc.Interval(id=TICK, interval=FOLLOW_MS),
        dcc.Download(id=DOWNLOAD),
    ]
    back = link_button("Processes", with_session("/processes", session or None), sign=Icon.LEFT)
    shown = html.Section(
        [
            html.Div(_controls(_count(lines)), className="log-controls"),
            outlet(PROBLEM, None, class_name="log-problem"),
            html.Div(log_grid(GRID), className="panel-body flush"),
            html.Div(
                [
                    html.Span(id=SHOWN),
                    outlet(STATE, loading("Reading the log", rows=1), class_name="row-line"),
                    outlet(LINK, None, class_name="push"),
                    button("To the end", END, sign=Icon.DOWN, small=True),
                ],
                className="panel-foot log-foot",
            ),
        ],
        className="panel log-panel",
    )
    sub = outlet(HEAD, None, class_name="row-line")
    return page("Log", [*stores, shown], sub=sub, actions=[_search(), back], fill=True)


def _count(given: str) -> int:
    """Return the number of lines an address asks for, one of those offered."""
    return int(given) if given in map(str, COUNTS) else USUAL


def _search() -> Component:
    field = dcc.Input(id=SEARCH, value="", placeholder="Find in the log", type="text", debounce=False)
    box = html.Div(
        [icon(Icon.SEARCH), marked(field), html.Kbd("/")], className="searchbox process-search", role="search"
    )
    return marked(box, data_search="1")


def _controls(lines: int) -> list[Component]:
    many = [{"label": f"last {count:,} lines".replace(",", "\u2009"), "value": str(count)} for count in COUNTS]
    return [
        html.Label("How many lines are read", htmlFor=LINES, className="visually-hidden"),
        dbc.Select(id=LINES, options=many, value=str(lines)),
        dbc.Switch(id=FOLLOW, label="Follow", value=True),
        dbc.Switch(id=WRAP, label="Wrap", value=False),
        dbc.Switch(id=ONLY, label="Only lines found", value=False),
        html.Span(id=FOUND, className="fg-1 log-found", role="status"),
        icon_button(Icon.UP, "Previous line found", PREVIOUS, small=True),
        icon_button(Icon.DOWN, "Next line found", NEXT, small=True),
        button("Read again", AGAIN, sign=Icon.RESTART, small=True, look=Look.PLAIN),
        button("Download", SAVE, sign=Icon.DOWNLOAD, small=True),
    ]


@callback(
    Output(HEAD, CONTENT),
    Input(live_store_id(LiveTopic.PROCESSES), "data"),
    Input(UUID, "data"),
    permission=VIEW,
)
def show_head(_processes: int | None, uuid: str) -> str:
    """Show which process it is, and how it is."""
    process = next((found for found in services().run_control.processes() if found.uuid == uuid), None)
    return drawing(_head(process) if process else html.Span("not listed any more", className="fg-2"))


def _head(process: Process) -> list[Component | str]:
    code = process.return_code
    parts: list[Component | str] = [
        html.B(process.name),
        process_badge(process.status, code),
        html.Span(f"{process.session}, {process.user} on {process.hostname}", className="fg-1"),
        html.Span(process.uuid, className="mono fg-2 log-uuid"),
    ]
    if process.status is ProcessStatus.DEAD:
        said = "exit code unknown" if code is None else f"exit code {code}, {exit_code_meaning(code)}"
        ended: list[Component | str] = [said, ", ", age(process.ended_at), " ago"]
        parts.append(html.Span(ended, className="text-error" if code else "fg-1"))
    return parts


@callback(
    Output(DELTA, "data"),
    Output(KNOWN, "data"),
    Output(STATE, CONTENT),
    Output(PROBLEM, CONTENT),
    Output(WIDTH, "data"),
    Input(ASK, "data"),
    State(UUID, "data"),
    State(KNOWN, "data"),
    State(WANTED, "data"),
    State(WIDTH, "data"),
    permission=VIEW,
    prevent_initial_call=True,
)
def read(
    ask: Mapping[str, Any] | None,
    uuid: str,
    before: list[str] | None,
    wanted: Mapping[str, Any] | None,
    width_px: int | None,
) -> tuple[Any, ...]:
    """Read what the browser asks for: all lines, or those that came since."""
    if not ask:
        return (no_update,) * 5
    asked, line = _count(str(ask["lines"])), Wanted(**wanted) if wanted else None
    try:
        if ask["all"] or before is None:
            return _everything(uuid, asked, line)
        return _since(uuid, asked, before, width_px or 0)
    except ConsoleError as error:
        # Lines that were read before stay.
        nothing = all_lines(()) if before is None else more_lines(())
        return nothing, no_update, drawing(None) if before is None else no_update, drawing(_problem(error)), no_update


def _everything(uuid: str, asked: int, wanted: Wanted | None = None) -> tuple[Any, ...]:
    lines = plain(services().process_logs.last_lines(identity(), uuid, asked))
    delta = all_lines(lines, wanted)
    missing = wanted is not None and delta["goto"] is None
    said = [html.Span(reach(len(lines), asked)), _read_at()]
    if missing:
        said.append(html.Span("the line of the link is not among them", className="text-error"))
    return delta, known(lines), drawing(said), drawing(None), width(lines)


def _since(uuid: str, asked: int, before: Sequence[str], width_px: int) -> tuple[Any, ...]:
    """Read the last lines and find out which of them are new. If some were missed, or it began anew: all again."""
    lines = plain(services().process_logs.last_lines(identity(), uuid, min(asked, KNOWN_LINES)))
    marks = known(lines)
    new = new_lines(before, marks)
    if new.gap:
        return _everything(uuid, asked)
    count = len(new.lines)
    delta: Delta = more_lines(lines[len(lines) - count :])
    wider = max(width(lines), width_px)
    return delta, marks if count else no_update, no_update, drawing(None), no_update if wider == width_px else wider


def _read_at() -> Component:
    return html.Span(["read ", clock_time(datetime.now(UTC), milliseconds=False)], className="fg-2")


def _problem(error: ConsoleError) -> Component:
    """Return what stands above the lines when they cannot be read; lines read before stay."""
    if isinstance(error, NotPermittedError):
        return forbidden("You may not read logs", f"{error.message} {error.next_step}")
    if isinstance(error, NotFoundError):
        return empty(
            "This log cannot be read any more",
            f"{error.message} The process manager forgets a process, and where its log is, when it is killed or "
            "flushed; the file itself may still lie on its host.",
            sign=Icon.LOG,
        )
    return error_notice(error.message, not_done="The log was not read.", next_step=error.next_step or "Read again.")


@callback(
    Output(GRID, "columnDefs"),
    Input(WRAP, "value"),
    Input(WIDTH, "data"),
    permission=VIEW,
    prevent_initial_call=True,
)
def show_columns(wrapped: bool | None, width_px: int | None) -> Any:  # noqa: FBT001 - a switch of the page
    """Let long lines wrap, or run out of sight."""
    return log_columns(wrapped=bool(wrapped), width_px=width_px or 0)


@callback(
    Output(LINK, CONTENT),
    Input(GRID, "selectedRows"),
    State(UUID, "data"),
    State(LINES, "value"),
    State(SESSION, "data"),
    permission=VIEW,
    prevent_initial_call=True,
)
def show_link(rows: list[Mapping[str, Any]] | None, uuid: str, lines: str, session: str) -> str:
    """Offer the address of the selected line."""
    if not rows:
        return drawing(None)
    number, text = int(rows[0]["n"]), str(rows[0]["text"])
    address = line_address(f"/processes/{uuid}/log", _count(lines), number, text, session)
    return drawing(dcc.Link([icon(Icon.LINK), f"Link to line {number}"], href=address, className="row-line"))


# What follows acts in the browser alone (assets/log.js).
clientside_callback(
    ClientsideFunction(namespace="log", function_name="ask"),
    Output(ASK, "data"),
    Input(TICK, "n_intervals"),
    Input(LINES, "value"),
    Input(AGAIN, "n_clicks"),
    State(FOLLOW, "value"),
)
clientside_callback(
    ClientsideFunction(namespace="log", function_name="apply"),
    Output(SHOWN, "children"),
    Input(DELTA, "data"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction(namespace="log", function_name="end"),
    Output(GRID, "selectedRows"),
    Output(GRID, "scrollTo"),
    Input(END, "n_clicks"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction(namespace="log", function_name="find"),
    Output(FOUND, "children"),
    Input(SEARCH, "value"),
    Input(ONLY, "value"),
    Input(NEXT, "n_clicks"),
    Input(PREVIOUS, "n_clicks"),
    Input(SEARCH, "n_submit"),
    Input(SHOWN, "children"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction(namespace="log", function_name="save"),
    Output(DOWNLOAD, "data"),
    Input(SAVE, "n_clicks"),
    State(UUID, "data"),
    prevent_initial_call=True,
)
