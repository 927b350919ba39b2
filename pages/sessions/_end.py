"""Ending a whole session, after a question; while its run is on, the run number has to be typed."""

from dataclasses import astuple
from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, html, no_update

from components.arguments_form import argument_error
from components.buttons import Look, button, button_look
from components.frame import live_store_id
from components.notice import error_notice
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel
from components.process_question import typed_hint, typed_label
from components.process_stake import has_run
from components.session_question import (
    end_body,
    end_obstacle,
    end_title,
    missing_words,
    obstacle_line,
    shell_block,
    words_to_type,
)
from pages._access import callback
from pages._context import identity, services
from pages.sessions import _ids as ids
from pages.sessions._under_way import under_way
from services.accounts.types import Permission
from services.errors import ConsoleError
from services.revisions import LiveTopic
from services.run_control.session_types import SessionSummary

VIEW = Permission.VIEW_RUN_CONTROL
_CLICKED = "n_clicks"
_GONE = "It is gone meanwhile."


def end_panel() -> html.Section:
    """Return the panel that ends a session. Which half of it is shown depends on the installation."""
    chosen = html.Div(
        [html.Label("Session", htmlFor=ids.SESSION), dbc.Select(id=ids.SESSION, options=[])], className="argument"
    )
    order = [
        html.Div(
            button("End session…", ids.END, look=Look.DANGER, described_by=ids.END_REASON), className="form-actions"
        ),
        outlet(ids.END_REASON, None),
        outlet(ids.END_RESULT, None),
    ]
    lines = [
        html.P("Typed into a shell it asks no question: a run that is on stops.", className="fg-1"),
        shell_block(ids.END_SHELL, ids.END_THEN),
    ]
    body = [
        chosen,
        html.Div(order, id=ids.END_AREA, hidden=True, className="session-order"),
        html.Div(lines, id=ids.END_LINES, hidden=True, className="session-order"),
    ]
    return panel("End a session", body, class_name="session-form")


@callback(
    Output(ids.SESSION, "options"),
    Output(ids.SESSION, "value"),
    Input(live_store_id(LiveTopic.SESSIONS), "data"),
    State(ids.SESSION, "options"),
    State(ids.SESSION, "value"),
    State(ids.WANTED, "data"),
    permission=VIEW,
)
def show_choice(
    _revision: int | None, shown: list[Any] | None, chosen: str | None, wanted: str | None
) -> tuple[Any, Any]:
    """Offer the sessions that are there: first that of the address; what was chosen stays as long as it is there."""
    names = [session.name for session in services().run_control.sessions()]
    options = [{"value": name, "label": name} for name in names]
    value = next((name for name in (chosen, wanted) if name in names), names[0] if len(names) == 1 else None)
    return no_update if options == shown else options, no_update if value == chosen else value


@callback(
    Output(ids.END_AREA, "hidden"),
    Output(ids.END_LINES, "hidden"),
    Output(ids.END_REASON, CONTENT),
    *(Output(ids.END, name) for name in ("aria-disabled", "title", "className")),
    Output(ids.END_SHELL, "children"),
    Output(ids.END_THEN, "children"),
    Input(ids.SESSION, "value"),
    Input(live_store_id(LiveTopic.SESSIONS), "data"),
    Input(live_store_id(LiveTopic.COMMANDS), "data"),
    permission=VIEW,
)
def show_end(chosen: str | None, *_revisions: int | None) -> tuple[Any, ...]:
    """Show the button with what stands against it, or the lines for the chosen session."""
    commands, session = services().session_commands, _find(chosen)
    reason = end_obstacle(identity(), session, under_way())
    look = button_look([reason] if reason else [], Look.DANGER)
    lines = commands.end_lines(session.name) if session else None
    shell, then = (lines.shell, lines.then) if lines else ("", "")
    shown = (not commands.can_order, commands.can_order, drawing(obstacle_line(reason)))
    return (*shown, *astuple(look), shell, then)


@callback(
    Output(ids.PENDING, "data"),
    Output(ids.END_RESULT, CONTENT),
    Input(ids.END, _CLICKED),
    State(ids.SESSION, "value"),
    permission=Permission.END_SESSION,
    prevent_initial_call=True,
)
def ask(clicks: int | None, chosen: str | None) -> tuple[Any, Any]:
    """Ask before the chosen session is ended; a click on a button that is off says why."""
    if not clicks:
        return no_update, no_update
    reason = end_obstacle(identity(), _find(chosen), under_way())
    if reason:
        return no_update, drawing(error_notice(reason, not_done="Nothing was sent."))
    return chosen, drawing(None)


@callback(
    Output(ids.QUESTION.dialog, "is_open"),
    Output(ids.QUESTION.title, "children"),
    Output(ids.QUESTION.body, CONTENT),
    Output(ids.QUESTION.typed_area, "hidden"),
    Output(ids.QUESTION.typed_label, "children"),
    Output(ids.QUESTION.confirm, "children"),
    Output(ids.QUESTION.typed, "value"),
    Output(ids.QUESTION.error, "children"),
    Input(ids.PENDING, "data"),
    permission=VIEW,
    prevent_initial_call=True,
)
def show_question(pending: str | None) -> tuple[Any, ...]:
    """Open the dialog with the question, or close it where there is none."""
    session = _find(pending)
    if session is None:
        return (False, *(no_update,) * 7)
    body = drawing(end_body(session, services().run_control.processes(session.name)))
    typed = typed_label([session]) if has_run(session) else []
    return True, end_title(session), body, not has_run(session), typed, f"End {session.name}", "", []


@callback(
    Output(ids.QUESTION.typed_hint, "children"),
    *(Output(ids.QUESTION.confirm, name) for name in ("aria-disabled", "title", "className")),
    Input(ids.QUESTION.typed, "value"),
    Input(ids.PENDING, "data"),
    permission=VIEW,
    prevent_initial_call=True,
)
def release(typed: str | None, pending: str | None) -> tuple[Any, ...]:
    """Release the button as soon as what has to be typed is there."""
    if not pending:
        return (no_update,) * 4
    session = _find(pending)
    missing = missing_words(session, typed or "") if session else _GONE
    hint = typed_hint(words_to_type(session), (typed or "").strip()) if session else ""
    return (hint, *astuple(button_look([missing] if missing else [], Look.DANGER_FILLED)))


@callback(
    Output(ids.PENDING, "data", allow_duplicate=True),
    Input(ids.QUESTION.cancel, _CLICKED),
    permission=VIEW,
    prevent_initial_call=True,
)
def leave(_clicks: int | None) -> None:
    """Leave things as they are."""


@callback(
    Output(ids.PENDING, "data", allow_duplicate=True),
    Output(ids.QUESTION.error, "children", allow_duplicate=True),
    Input(ids.QUESTION.confirm, _CLICKED),
    State(ids.PENDING, "data"),
    State(ids.QUESTION.typed, "value"),
    permission=Permission.END_SESSION,
    prevent_initial_call=True,
)
def confirm(clicks: int | None, pending: str | None, typed: str | None) -> tuple[Any, Any]:
    """Order the end, if all that has to be typed is there; a run that began meanwhile counts."""
    if not clicks or not pending:
        return no_update, no_update
    session = _find(pending)
    missing = missing_words(session, typed or "") if session else None
    if missing:
        return no_update, argument_error(missing)
    try:
        services().session_commands.end(identity(), pending)
    except ConsoleError as error:
        return no_update, argument_error(" ".join((error.message, error.not_done, error.next_step)).strip())
    return None, []


def _find(name: str | None) -> SessionSummary | None:
    return next((session for session in services().run_control.sessions() if session.name == name), None)
