"""The form of a transition or a sequence: opened, filled in, checked, sent, and followed in place."""

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

from dash import ALL, MATCH, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from components.arguments_form import argument_error, error_id, input_id, not_possible
from components.attributes import marked
from components.buttons import Look, button, button_look, icon_button
from components.icons import Icon
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel_head
from pages._access import callback
from pages._context import identity, services
from pages.controller import _ids as ids
from pages.controller import _view as view
from pages.controller._form import field_error, field_errors, find_sequence, find_transition, given_values
from pages.controller._preflight import in_spite as in_spite_row
from pages.controller._preflight import require_go
from pages.controller._selection import obstacles, selected_session
from services.accounts.types import Permission
from services.errors import ConsoleError, InvalidInputError
from services.run_control.session_types import SessionSummary

VIEW = Permission.VIEW_RUN_CONTROL
_CLICKED = "n_clicks"


def form_panel() -> Component:
    """Return the panel of the form, hidden until a transition or sequence is chosen."""
    close = icon_button(Icon.CLOSE, "Close the form", ids.FORM_CLOSE, small=True)
    execute = marked(button("Execute", ids.EXECUTE, look=Look.PRIMARY, described_by=ids.STANDING), data_once="1")
    body = [
        html.Div(id=ids.FORM_BODY),
        html.Div(id=ids.STANDING),
        in_spite_row(),
        html.Div(execute, className="form-actions"),
        outlet(ids.RESULT, None),
    ]
    head = panel_head(html.Div(id=ids.FORM_HEAD, className="form-title"), actions=close)
    return html.Section(
        [head, html.Div(body, className="panel-body form-body")], id=ids.FORM, className="panel", hidden=True
    )


@callback(
    Output(ids.CHOSEN, "data"),
    Input(ids.TRANSITION | {"key": ALL}, _CLICKED),
    Input(ids.FORM_CLOSE, _CLICKED),
    permission=VIEW,
    prevent_initial_call=True,
)
def choose(_clicks: list[int | None], _close: int | None) -> Any:
    """Open the form of a transition, or close it."""
    # Buttons that were only drawn anew also come here, without a click.
    if not ctx.triggered or not ctx.triggered[0]["value"]:
        return no_update
    return ctx.triggered_id["key"] if isinstance(ctx.triggered_id, dict) else None


@callback(
    Output(ids.FORM, "hidden"),
    Output(ids.FORM_BODY, "children"),
    Output(ids.SENT, "data", allow_duplicate=True),
    Input(ids.CHOSEN, "data"),
    State(ids.WANTED, "data"),
    permission=VIEW,
    prevent_initial_call="initial_duplicate",
)
def open_form(chosen: str | None, wanted: str) -> tuple[bool, Any, None]:
    """Build the form of the chosen transition, once: what is typed into it stays."""
    session = selected_session(wanted)
    transition = find_transition(session, chosen)
    if session is None or transition is None:
        return True, [], None
    queries = services().run_control
    form = view.form(session, transition, queries.tree(session.name), queries.remembered(session.name))
    return False, form, None


@callback(
    Output(ids.FORM_HEAD, "children"),
    Output(ids.STANDING, "children"),
    Output(ids.EXECUTE, "children"),
    *(Output(ids.EXECUTE, name) for name in ("aria-disabled", "title", "className")),
    Input("live-sessions", "data"),
    Input(ids.CHOSEN, "data"),
    State(ids.WANTED, "data"),
    permission=VIEW,
)
def show_standing(_sessions: int, chosen: str | None, wanted: str) -> tuple[Any, ...]:
    """Show from where to where the chosen transition leads, and what stands against it now.

    The button, even off, still asks the server, whose answer is what counts.
    """
    session = selected_session(wanted)
    if session is None or chosen is None:
        return (no_update,) * 6
    against = obstacles(session, chosen)
    look = button_look(against, Look.PRIMARY)
    return (view.form_head(session, chosen), not_possible(against), f"Execute {chosen}", *astuple(look))


@callback(
    Output(error_id(MATCH), "children", allow_duplicate=True),
    Input(input_id(MATCH), "value"),
    State(ids.CHOSEN, "data"),
    State(ids.WANTED, "data"),
    permission=VIEW,
    prevent_initial_call=True,
)
def check_field(value: object, chosen: str | None, wanted: str) -> Any:
    """Say at once what is wrong with a field."""
    transition = find_transition(selected_session(wanted), chosen)
    if transition is None or not isinstance(ctx.triggered_id, dict):
        return no_update
    return argument_error(field_error(transition, ctx.triggered_id["key"], value))


@callback(
    Output(ids.SENT, "data"),
    Output(ids.RESULT, CONTENT, allow_duplicate=True),
    Output(error_id(ALL), "children"),
    Input(ids.EXECUTE, _CLICKED),
    State(ids.CHOSEN, "data"),
    State(ids.WANTED, "data"),
    State(input_id(ALL), "value"),
    State(input_id(ALL), "id"),
    State(ids.IN_SPITE, "value"),
    permission=Permission.EXECUTE_TRANSITION,
    prevent_initial_call=True,
)
def execute(clicks: int | None, chosen: str | None, wanted: str, *filled: Any) -> tuple[Any, Any, list[Any]]:
    """Order the transition or sequence; errors stand at their fields, a refusal below the button."""
    values, fields, in_spite = filled
    unchanged = [no_update] * len(fields)
    session = selected_session(wanted)
    transition = find_transition(session, chosen)
    if not clicks or session is None or transition is None:
        return no_update, no_update, unchanged
    given = given_values(fields, values)
    wrong = field_errors(transition, given)
    errors = [argument_error(wrong.get(field["key"])) for field in fields]
    try:
        sent = _send(session, transition.name, given, in_spite=bool(in_spite))
    except InvalidInputError:
        return no_update, drawing(None), errors
    except ConsoleError as error:
        return no_update, drawing(view.refusal(error)), errors
    return sent, drawing(None), errors


def _send(session: SessionSummary, name: str, given: Mapping[str, object], *, in_spite: bool) -> int:
    """Order it, unless the check before a run says no; the rules of the commands have the first word."""
    if not obstacles(session, name):
        require_go(session, name, given, in_spite=in_spite)
    if find_sequence(session, name):
        return services().sequences.execute(identity(), session.name, name, given)
    return services().commands.execute_transition(identity(), session.name, name, given)


@callback(Output(ids.RESULT, CONTENT), Input(ids.SENT, "data"), Input("live-commands", "data"), permission=VIEW)
def show_result(sent: int | None, _commands: int) -> Any:
    """Follow the command that was sent from the form, in place."""
    if sent is None:
        return drawing(None) if ctx.triggered_id == ids.SENT else no_update
    return drawing(view.outcome(services().run_control.command(sent)))
