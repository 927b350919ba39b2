"""The transition board, and what is behind a cell of it: the node's answer, its log, its messages of then."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from dash import Input, Output, html
from dash.development.base_component import Component

from components.buttons import icon_button
from components.icons import Icon
from components.notice import loading
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel, panel_head
from components.strip import log_of, log_path, with_session
from components.transition_board import transition_board
from components.transition_details import CellLink, details_title, transition_details
from pages._access import callback
from pages._context import services
from pages.controller import _ids as ids
from pages.controller._selection import selected_session
from services.accounts.types import Permission
from services.clock import nanoseconds
from services.errors import NotFoundError
from services.history.board import usual_durations
from services.history.queries import MAX_CHANGES
from services.history.types import HistoryFilter, Subject, TransitionRun
from services.messages.filter_text import to_text
from services.messages.filters import all_of
from services.messages.types import Severity, Since, Until
from services.revisions import LiveTopic
from services.run_control.command_types import NodeResult
from services.run_control.process_then import LIVES, process_then

COLUMNS = 8
VIEW = Permission.VIEW_RUN_CONTROL
_SHOWS = (LiveTopic.COMMANDS, LiveTopic.SESSIONS, LiveTopic.TREE)
# What led to a failure was said shortly before it; clocks of drunc's hosts may differ a little from ours.
BEFORE = timedelta(seconds=5)
AFTER = timedelta(seconds=2)
GONE = "The process of then is gone since: the process manager may not know where its log is any more."
UNKNOWN = "Which process it was then is not known: this is the log of {name} as it is now."
_PROCESSES = frozenset({Subject.PROCESS})


def board_panel() -> Component:
    """Return the panel of the board, and below the board the place for what is behind a cell."""
    close = icon_button(Icon.CLOSE, "Close the answer", ids.CELL_CLOSE, small=True)
    cell = html.Section(
        [
            panel_head(outlet(ids.CELL_TITLE, None), actions=close),
            outlet(ids.CELL_DETAILS, None, class_name="panel-body"),
        ],
        id=ids.CELL_PANEL,
        className="board-cell",
        hidden=True,
    )
    return panel(
        "Last transitions",
        [outlet(ids.BOARD, loading("Reading the last transitions"), class_name="board-scroll"), cell],
        sub="how long each node took; a cell leads to its answer, log and messages",
        flush=True,
        class_name="board-panel",
    )


@callback(
    Output(ids.BOARD, CONTENT),
    Input("live-commands", "data"),
    Input("live-sessions", "data"),
    Input("live-tree", "data"),
    Input(ids.WANTED, "data"),
    permission=VIEW,
)
def show_board(_commands: int, _sessions: int, _tree: int, wanted: str) -> str:
    """Show how long each node took in the last transitions, and which failed."""
    session = selected_session(wanted)
    if session is None:
        return _nothing()
    return services().drawings.get(("board", session.name), _SHOWS, lambda: _board(session.name))


def _board(name: str) -> str:
    # Read again: what is drawn must be no older than its revisions.
    session = selected_session(name)
    found = services().history.board(name, COLUMNS, session.run.number if session else None)
    if not found.runs:
        return _nothing()
    return drawing(transition_board(services().run_control.tree(name), found))


def _nothing() -> str:
    return drawing(html.P("No transitions were seen yet.", className="tree-nothing fg-1"))


@callback(
    Output(ids.CELL_PANEL, "hidden"),
    Output(ids.CELL_TITLE, CONTENT),
    Output(ids.CELL_DETAILS, CONTENT),
    Input(ids.CELL, "data"),
    Input("live-commands", "data"),
    Input("live-sessions", "data"),
    Input(ids.WANTED, "data"),
    permission=VIEW,
)
def show_cell(chosen: Mapping[str, Any] | None, _commands: int, _sessions: int, wanted: str) -> tuple[bool, str, str]:
    """Show what is behind the chosen cell; a transition that is known no more takes it along."""
    # Mostly nothing is chosen: then nothing is read.
    runs = _runs(chosen)
    session = selected_session(wanted) if runs else None
    if session is None or chosen is None or runs[0].session != session.name:
        return True, drawing(None), drawing(None)
    run, path = runs[0], str(chosen["path"])
    usual = usual_durations(runs).get((run.transition or "", path))
    details = transition_details(runs, path, usual, _result(run, path), _links(run, path))
    return False, drawing(details_title(run, path)), drawing(details)


def _runs(chosen: Mapping[str, Any] | None) -> tuple[TransitionRun, ...]:
    if chosen is None:
        return ()
    try:
        return services().history.of_node(int(chosen["run"]), str(chosen["path"]))
    except NotFoundError:
        return ()


def _result(run: TransitionRun, path: str) -> NodeResult | None:
    """Return what the node answered, with drunc's flags, where a command of this console asked it.

    Of a sequence only the answers to its last step are known.
    """
    if run.command_id is None:
        return None
    try:
        command = services().run_control.command(run.command_id)
    except NotFoundError:
        return None
    last = next((step.transition for step in reversed(command.steps) if step.started_at), command.transition)
    return next((node for node in command.nodes if node.path == path), None) if last == run.transition else None


def _links(run: TransitionRun, path: str) -> list[CellLink]:
    name = path.rpartition("/")[2]
    return [
        *_log(run, path, name),
        CellLink("Its messages of then", messages_of(run, name)),
        CellLink("Process", f"{with_session('/processes', run.session)}&q={quote(name)}"),
    ]


def _log(run: TransitionRun, path: str, name: str) -> list[CellLink]:
    """Return the link to the log of the process that was the node then, not of another that has its name now."""
    cell = run.node(path)
    since = run.began_at if cell is None else cell.began_at
    wanted = HistoryFilter(run.session, start=since, subjects=_PROCESSES, aspects=LIVES, name=name)
    listed = [found for found in services().run_control.processes(run.session) if found.name == name]
    then = process_then(listed, services().history.changes(wanted, limit=MAX_CHANGES).changes)
    if then is not None and then.is_listed:
        return [CellLink("Log", log_of(then.uuid, run.session))]
    if then is not None:
        return [CellLink("Log, process gone", log_of(then.uuid, run.session), GONE)]
    return [CellLink("Log", log_path(process), UNKNOWN.format(name=name)) for process in listed[:1]]


def messages_of(run: TransitionRun, application: str) -> str:
    """Return the address of all that an application said from shortly before a transition until its end."""
    span = [Since(nanoseconds(run.began_at - BEFORE))]
    until = [] if run.ended_at is None else [Until(nanoseconds(run.ended_at + AFTER))]
    query = {
        "session": run.session,
        "application": application,
        "severity": ",".join(severity.name for severity in reversed(Severity)),
        "where": to_text(all_of(*span, *until)),
    }
    return f"/messages?{urlencode(query, quote_via=quote)}"
