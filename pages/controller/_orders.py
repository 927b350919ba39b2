"""What people order on the controller page: transitions, and control of the session. Each has its own permission."""

from collections.abc import Mapping
from typing import Any

from dash import ALL, MATCH, Input, Output, State, ctx, no_update

from components.arguments_form import argument_error, error_id, input_id
from components.outlet import CONTENT, drawing
from pages._access import callback
from pages._context import identity, services
from pages.controller import _ids as ids
from pages.controller import _view as view
from pages.controller._form import field_error, field_errors, find_transition, given_values
from pages.controller._selection import selected_session
from services.accounts.types import Permission
from services.errors import ConsoleError, InvalidInputError

VIEW = Permission.VIEW_RUN_CONTROL
_CLICKED = "n_clicks"


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
    permission=Permission.EXECUTE_TRANSITION,
    prevent_initial_call=True,
)
def execute(
    clicks: int | None, chosen: str | None, wanted: str, values: list[object], fields: list[Mapping[str, str]]
) -> tuple[Any, Any, list[Any]]:
    """Order the transition; errors stand at their fields, a refusal below the button."""
    unchanged = [no_update] * len(fields)
    session = selected_session(wanted)
    transition = find_transition(session, chosen)
    if not clicks or session is None or transition is None:
        return no_update, no_update, unchanged
    given = given_values(fields, values)
    wrong = field_errors(transition, given)
    errors = [argument_error(wrong.get(field["key"])) for field in fields]
    try:
        sent = services().commands.execute_transition(identity(), session.name, transition.name, given)
    except InvalidInputError:
        return no_update, drawing(None), errors
    except ConsoleError as error:
        return no_update, drawing(view.refusal(error)), errors
    return sent, drawing(None), errors


@callback(Output(ids.RESULT, CONTENT), Input(ids.SENT, "data"), Input("live-commands", "data"), permission=VIEW)
def show_result(sent: int | None, _commands: int) -> Any:
    """Follow the command that was sent from the form, in place."""
    if sent is None:
        return drawing(None) if ctx.triggered_id == ids.SENT else no_update
    return drawing(view.outcome(services().run_control.command(sent)))


@callback(
    Output(ids.CONTROL_COMMAND, "data"),
    Output(ids.CONTROL_RESULT, CONTENT, allow_duplicate=True),
    Output(ids.DIALOG, "is_open"),
    Output(ids.DIALOG_BODY, "children"),
    Input(ids.TAKE, _CLICKED),
    State(ids.WANTED, "data"),
    permission=Permission.TAKE_CONTROL,
    prevent_initial_call=True,
)
def take(clicks: int | None, wanted: str) -> tuple[Any, Any, Any, Any]:
    """Take control; from another person only after a dialog that says from whom."""
    session = selected_session(wanted)
    if not clicks or session is None:
        return no_update, no_update, no_update, no_update
    try:
        return services().commands.take_control(identity(), session.name), drawing(None), False, no_update
    except InvalidInputError as error:
        return no_update, drawing(None), True, view.take_over(error)
    except ConsoleError as error:
        return no_update, drawing(view.refusal(error)), False, no_update


@callback(
    Output(ids.CONTROL_COMMAND, "data", allow_duplicate=True),
    Output(ids.DIALOG, "is_open", allow_duplicate=True),
    Output(ids.DIALOG_ERROR, "children"),
    Output(ids.REASON, "value"),
    Input(ids.CONFIRM, _CLICKED),
    Input(ids.CANCEL, _CLICKED),
    State(ids.REASON, "value"),
    State(ids.WANTED, "data"),
    permission=Permission.FORCE_CONTROL,
    prevent_initial_call=True,
)
def force(_confirm: int | None, _cancel: int | None, reason: str, wanted: str) -> tuple[Any, Any, Any, Any]:
    """Take control from another person, with the reason given, or leave it."""
    session = selected_session(wanted)
    if session is None or ctx.triggered_id == ids.CANCEL:
        return no_update, False, [], ""
    try:
        return services().commands.take_control(identity(), session.name, reason), False, [], ""
    except ConsoleError as error:
        return no_update, True, argument_error(error.message), no_update


@callback(
    Output(ids.CONTROL_COMMAND, "data", allow_duplicate=True),
    Output(ids.CONTROL_RESULT, CONTENT, allow_duplicate=True),
    Input(ids.RELEASE, _CLICKED),
    State(ids.WANTED, "data"),
    permission=Permission.RELEASE_CONTROL,
    prevent_initial_call=True,
)
def release(clicks: int | None, wanted: str) -> tuple[Any, Any]:
    """Release control."""
    session = selected_session(wanted)
    if not clicks or session is None:
        return no_update, no_update
    try:
        return services().commands.release_control(identity(), session.name), drawing(None)
    except ConsoleError as error:
        return no_update, drawing(view.refusal(error))


@callback(
    Output(ids.CONTROL_RESULT, CONTENT),
    Input(ids.CONTROL_COMMAND, "data"),
    Input("live-commands", "data"),
    permission=VIEW,
)
def show_control_result(sent: int | None, _commands: int) -> Any:
    """Follow the command that was sent from the control panel, in place."""
    return no_update if sent is None else drawing(view.outcome(services().run_control.command(sent)))
