"""Control of the session: who has it, and how people take, force and release it. Each has its own permission."""

from dataclasses import astuple
from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from components.arguments_form import argument_error
from components.attributes import marked
from components.buttons import Look, button, button_look
from components.control_notice import loss_line
from components.icons import Icon
from components.notice import loading
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel
from pages._access import callback
from pages._context import identity, services
from pages.controller import _ids as ids
from pages.controller import _view as view
from pages.controller._selection import selected_session
from services.accounts.types import Permission
from services.errors import ConsoleError, InvalidInputError

VIEW = Permission.VIEW_RUN_CONTROL
_CLICKED = "n_clicks"


def control_panel() -> Component:
    """Return the panel that says who is in control."""
    who = [
        html.Div(loading("Reading who is in control", rows=1), id=ids.HOLDER),
        html.Div(
            [
                button("Take control", ids.TAKE, sign=Icon.KEY),
                button("Ask for control…", ids.ASK, sign=Icon.SWAP),
                button("Release", ids.RELEASE),
            ],
            className="control-actions",
        ),
        html.P(id=ids.OBSTACLE, className="label"),
        outlet(ids.LOSS, None),
        outlet(ids.CONTROL_RESULT, None),
    ]
    return panel("Control", who, component_id=ids.CONTROL)


def take_dialog() -> Component:
    """Return the dialog in which control is taken from somebody else."""
    reason = dbc.Input(id=ids.REASON, type="text", value="", maxlength=500, autocomplete="off")
    dialog: Component = dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Take control from somebody else?", id=ids.DIALOG_TITLE)),
            dbc.ModalBody(
                [
                    html.Div(id=ids.DIALOG_BODY),
                    html.Label("Reason, for the audit", htmlFor=ids.REASON),
                    reason,
                    html.Div(id=ids.DIALOG_ERROR, className="argument-error", role="status"),
                ],
                className="arguments",
            ),
            dbc.ModalFooter(
                [
                    button("Leave it", ids.CANCEL),
                    marked(button("Take control", ids.CONFIRM, look=Look.DANGER_FILLED), data_once="1"),
                ]
            ),
        ],
        id=ids.DIALOG,
        labelledby=ids.DIALOG_TITLE,
        is_open=False,
        centered=True,
    )
    return dialog


def ask_dialog() -> Component:
    """Return the dialog in which somebody is asked for control."""
    dialog: Component = dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Ask for control", id=ids.ASK_TITLE)),
            dbc.ModalBody(
                [
                    html.P(id=ids.ASK_BODY, className="fg-1"),
                    html.Label("Why (they read it)", htmlFor=ids.ASK_REASON),
                    dbc.Input(id=ids.ASK_REASON, type="text", value="", maxlength=500, autocomplete="off"),
                    html.Div(id=ids.ASK_ERROR, className="argument-error", role="status"),
                ],
                className="arguments",
            ),
            dbc.ModalFooter(
                [
                    button("Leave it", ids.ASK_CANCEL),
                    marked(button("Ask", ids.ASK_SEND, look=Look.PRIMARY), data_once="1"),
                ]
            ),
        ],
        id=ids.ASK_DIALOG,
        labelledby=ids.ASK_TITLE,
        is_open=False,
        centered=True,
    )
    return dialog


@callback(
    *(Output(ids.ASK, name) for name in ("aria-disabled", "title", "className")),
    Output(ids.LOSS, CONTENT),
    Input("live-sessions", "data"),
    Input(ids.WANTED, "data"),
    permission=VIEW,
)
def show_asking(_sessions: int, wanted: str) -> tuple[Any, ...]:
    """Show whether somebody can be asked for control, and who lost it to whom."""
    session, person = selected_session(wanted), identity()
    if session is None:
        return (*astuple(button_look(["No session."])), drawing(None))
    why = services().control_requests.why_not(person, session)
    look = button_look([why] if why else [], Look.OUTLINE if why else Look.PRIMARY)
    loss = services().run_control.loss(session)
    return (*astuple(look), drawing(loss_line(loss, person.name) if loss else None))


@callback(
    Output(ids.ASK_DIALOG, "is_open"),
    Output(ids.ASK_BODY, "children"),
    Output(ids.CONTROL_RESULT, CONTENT, allow_duplicate=True),
    Input(ids.ASK, _CLICKED),
    State(ids.WANTED, "data"),
    permission=Permission.TAKE_CONTROL,
    prevent_initial_call=True,
)
def ask(clicks: int | None, wanted: str) -> tuple[Any, Any, Any]:
    """Open the dialog that says who is asked, or say why nobody can be."""
    session = selected_session(wanted)
    if not clicks or session is None:
        return no_update, no_update, no_update
    why = services().control_requests.why_not(identity(), session)
    if why is not None:
        return False, no_update, drawing(view.words_in_place(why))
    said = (
        f"{session.holder} is in control of {session.name} and is asked on every page of the console. "
        "Without an answer the request ends by itself."
    )
    return True, said, drawing(None)


@callback(
    Output(ids.ASK_DIALOG, "is_open", allow_duplicate=True),
    Output(ids.ASK_ERROR, "children"),
    Output(ids.ASK_REASON, "value"),
    Input(ids.ASK_SEND, _CLICKED),
    Input(ids.ASK_CANCEL, _CLICKED),
    State(ids.ASK_REASON, "value"),
    State(ids.WANTED, "data"),
    permission=Permission.TAKE_CONTROL,
    prevent_initial_call=True,
)
def send_request(_send: int | None, _cancel: int | None, reason: str, wanted: str) -> tuple[Any, Any, Any]:
    """Ask, or leave it; what came of it is told on every page."""
    session = selected_session(wanted)
    if session is None or ctx.triggered_id == ids.ASK_CANCEL:
        return False, [], ""
    try:
        services().control_requests.request(identity(), session.name, reason)
    except ConsoleError as error:
        return True, argument_error(f"{error.message} {error.not_done}"), no_update
    return False, [], ""


@callback(
    Output(ids.HOLDER, "children"),
    Output(ids.OBSTACLE, "children"),
    *(Output(ids.TAKE, name) for name in ("aria-disabled", "title", "className")),
    *(Output(ids.RELEASE, name) for name in ("aria-disabled", "title", "className")),
    Input("live-sessions", "data"),
    Input(ids.WANTED, "data"),
    permission=VIEW,
)
def show_control(_sessions: int, wanted: str) -> tuple[Any, ...]:
    """Show who is in control, and whether that can be changed now."""
    session, person = selected_session(wanted), identity()
    if session is None:
        off = button_look(["No session."])
        return (html.P("No session.", className="fg-1"), "", *astuple(off), *astuple(off))
    obstacle = services().commands.control_obstacle(person, session)
    take, release = view.take_look(session, person, obstacle), view.release_look(session, person, obstacle)
    return (view.holder(session, person), obstacle or "", *astuple(take), *astuple(release))


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
