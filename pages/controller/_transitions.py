"""The buttons of transitions and sequences, and how far a sequence is."""

from collections.abc import Mapping
from typing import Any

from dash import ALL, Input, Output, State, html, no_update
from dash.development.base_component import Component

from components.attributes import marked
from components.buttons import Look, button, button_look
from components.outlet import CONTENT, drawing, outlet
from pages._access import callback
from pages._context import identity, services
from pages.controller import _ids as ids
from pages.controller import _view as view
from pages.controller._selection import obstacles, selected_session
from services.accounts.types import Permission
from services.errors import ConsoleError
from services.run_control.command_types import Action, CommandView
from services.run_control.session_types import SessionSummary

VIEW = Permission.VIEW_RUN_CONTROL


def abort_bar() -> Component:
    """Return the line below a sequence that is under way; hidden until there is one."""
    abort = marked(button("Stop after this step", ids.ABORT, small=True), data_once="1")
    said = html.Span(id=ids.ABORT_SAID, className="fg-1")
    return html.Div([abort, said, outlet(ids.ABORT_RESULT, None)], id=ids.ABORT_BAR, className="abort-bar", hidden=True)


@callback(
    Output(ids.TRANSITIONS, "children"),
    Output(ids.NAMES, "data"),
    Input("live-sessions", "data"),
    Input(ids.WANTED, "data"),
    State(ids.NAMES, "data"),
    permission=VIEW,
)
def make_buttons(_sessions: int, wanted: str, known: list[str]) -> tuple[Any, Any]:
    """Make the buttons of transitions and sequences anew when the server lists others, and only then."""
    session = selected_session(wanted)
    names = view.transition_names(session) if session else []
    if names == known:
        return no_update, no_update
    return (view.transition_rows(session) if session else []), names


@callback(
    Output(ids.TRANSITION | {"key": ALL}, "aria-disabled"),
    Output(ids.TRANSITION | {"key": ALL}, "title"),
    Output(ids.TRANSITION | {"key": ALL}, "className"),
    Input("live-sessions", "data"),
    Input(ids.NAMES, "data"),
    Input(ids.CHOSEN, "data"),
    State(ids.TRANSITION | {"key": ALL}, "id"),
    State(ids.WANTED, "data"),
    permission=VIEW,
)
def show_buttons(
    _sessions: int, _names: list[str], chosen: str | None, buttons: list[Mapping[str, str]], wanted: str
) -> tuple[list[str], list[str], list[str]]:
    """Switch the buttons on and off, each with the reasons."""
    session = selected_session(wanted)
    looks = [
        button_look(
            obstacles(session, found["key"]) if session else ("No session.",),
            Look.CHOSEN if found["key"] == chosen else Look.OUTLINE,
        )
        for found in buttons
    ]
    return [look.disabled for look in looks], [look.title for look in looks], [look.class_name for look in looks]


@callback(
    Output(ids.ABORT_BAR, "hidden"),
    Output(ids.ABORT_SAID, "children"),
    *(Output(ids.ABORT, name) for name in ("aria-disabled", "title")),
    Input("live-sessions", "data"),
    Input(ids.WANTED, "data"),
    permission=VIEW,
)
def show_abort(_sessions: int, wanted: str) -> tuple[bool, str, str, str]:
    """Offer to end a sequence that is under way, between two steps."""
    running = _sequence(selected_session(wanted))
    if running is None:
        return True, "", "true", ""
    if running.aborted_by:
        reason = f"{running.aborted_by} asked that it goes no further; the step under way is seen through."
        return False, reason, "true", reason
    if obstacle := identity().obstacle(Permission.EXECUTE_TRANSITION):
        return False, "", "true", obstacle
    return False, "The step under way is seen through, no further one is sent.", "false", ""


def _sequence(session: SessionSummary | None) -> CommandView | None:
    command = session.executing if session else None
    return command if command is not None and command.action is Action.EXECUTE_SEQUENCE else None


@callback(
    Output(ids.ABORT_RESULT, CONTENT),
    Input(ids.ABORT, "n_clicks"),
    State(ids.WANTED, "data"),
    permission=Permission.EXECUTE_TRANSITION,
    prevent_initial_call=True,
)
def abort(clicks: int | None, wanted: str) -> Any:
    """Ask that the sequence goes no further."""
    running = _sequence(selected_session(wanted))
    if not clicks or running is None:
        return no_update
    try:
        services().sequences.abort(identity(), running.id)
    except ConsoleError as error:
        return drawing(view.refusal(error))
    return drawing(None)
