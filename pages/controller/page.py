"""Controller: watch and steer one session (``/controller``; to view, and per action to act)."""

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, MATCH, Input, Output, State, ctx, dcc, html, no_update, register_page
from dash.development.base_component import Component

from components.arguments_form import argument_error, error_id, input_id
from components.attributes import marked
from components.buttons import Look, button, icon_button
from components.command_result import command_list
from components.frame import page
from components.icons import Icon
from components.notice import loading
from components.panel import panel, panel_head
from components.strip import select
from components.tree import application_tree
from components.words import counted
from pages._access import callback
from pages._context import identity, services
from pages.controller import _ids as ids
from pages.controller import _view as view
from pages.controller._form import field_error, field_errors, find_transition, given_values
from services.accounts.types import Permission
from services.errors import ConsoleError, InvalidInputError
from services.run_control.types import SessionSummary

register_page(__name__, path="/controller", title="Controller", name="Controller")

VIEW = Permission.VIEW_RUN_CONTROL
_CLICKED = "n_clicks"


def layout(session: str | None = None, **_: str) -> html.Div:
    """Return the page of the session the address names; without one, of the first there is."""
    stores = [
        dcc.Store(id=ids.WANTED, data=session or ""),
        dcc.Store(id=ids.CHOSEN),
        dcc.Store(id=ids.SENT),
        dcc.Store(id=ids.CONTROL_COMMAND),
    ]
    machine = panel(
        "State machine",
        html.Div(loading("Reading the state machine"), id=ids.MACHINE),
        sub=html.Span(id=ids.MACHINE_SUB),
        flush=True,
    )
    tree = panel(
        "Application tree",
        html.Div(loading("Reading the tree", rows=8), id=ids.TREE),
        sub=html.Span(id=ids.TREE_SUB),
        flush=True,
    )
    main = html.Div([machine, tree], className="controller-main")
    return page("Controller", [*stores, html.Div([main, _side()], className="controller"), _take_dialog()])


def _side() -> Component:
    who = [html.Div(loading("Reading who is in control", rows=1), id=ids.CONTROL), html.Div(id=ids.CONTROL_RESULT)]
    close = icon_button(Icon.CLOSE, "Close the form", ids.FORM_CLOSE, small=True)
    form = html.Section(
        [
            panel_head(html.Div(id=ids.FORM_HEAD, className="form-title"), actions=close),
            html.Div(
                [html.Div(id=ids.FORM_BODY), html.Div(id=ids.STANDING), html.Div(id=ids.RESULT)],
                className="panel-body form-body",
            ),
        ],
        id=ids.FORM,
        className="panel",
        hidden=True,
    )
    commands = panel("Last commands", html.Div(loading("Reading the last commands"), id=ids.COMMANDS), flush=True)
    return html.Div([panel("Control", who), form, commands], className="controller-side")


def _take_dialog() -> Component:
    reason = dbc.Input(id=ids.REASON, type="text", value="", maxlength=500, autocomplete="off")
    dialog: Component = dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Take control from somebody else?")),
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
        is_open=False,
        centered=True,
    )
    return dialog


def _selected(wanted: str | None) -> SessionSummary | None:
    return select(services().run_control.sessions(), wanted)


@callback(
    Output(ids.MACHINE, "children"),
    Output(ids.MACHINE_SUB, "children"),
    Output(ids.CONTROL, "children"),
    Input("live-sessions", "data"),
    Input("live-commands", "data"),
    Input("live-tree", "data"),
    Input(ids.CHOSEN, "data"),
    Input(ids.WANTED, "data"),
    permission=VIEW,
)
def show_session(_sessions: int, _commands: int, _tree: int, chosen: str | None, wanted: str) -> tuple[Any, Any, Any]:
    """Show state machine and control of the session."""
    session = _selected(wanted)
    if session is None:
        return view.no_session(wanted), "", html.P("No session.", className="fg-1")
    person, commands = identity(), services().commands
    obstacles = {item.name: commands.obstacles(person, session, item.name) for item in session.transitions}
    nodes = services().run_control.tree(session.name)
    about = ", ".join(part for part in (session.name, session.root_name, session.generation) if part)
    obstacle = commands.control_obstacle(person, session)
    return view.machine(session, obstacles, nodes, chosen), about, view.control(session, person, obstacle)


@callback(
    Output(ids.TREE, "children"),
    Output(ids.TREE_SUB, "children"),
    Input("live-tree", "data"),
    Input("live-sessions", "data"),
    Input(ids.WANTED, "data"),
    permission=VIEW,
)
def show_tree(_tree: int, _sessions: int, wanted: str) -> tuple[Any, str]:
    """Show the application tree of the session."""
    session = _selected(wanted)
    nodes = services().run_control.tree(session.name) if session else ()
    if session is None or not nodes:
        return html.P("No nodes known yet.", className="tree-nothing fg-1"), ""
    return application_tree(nodes, expected=view.expected_state(session)), counted(len(nodes), "node")


@callback(
    Output(ids.COMMANDS, "children"),
    Input("live-commands", "data"),
    Input(ids.WANTED, "data"),
    permission=VIEW,
)
def show_commands(_commands: int, wanted: str) -> Any:
    """Show the last commands of the session with what came of them."""
    session = _selected(wanted)
    commands = services().run_control.last_commands(session.name, 10) if session else ()
    return command_list(commands) or html.P("No commands from this console yet.", className="tree-nothing fg-1")


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
    session = _selected(wanted)
    transition = find_transition(session, chosen)
    if session is None or transition is None:
        return True, [], None
    return False, view.form(session, transition, services().run_control.tree(session.name)), None


@callback(
    Output(ids.FORM_HEAD, "children"),
    Output(ids.STANDING, "children"),
    Input("live-sessions", "data"),
    Input("live-commands", "data"),
    Input(ids.CHOSEN, "data"),
    State(ids.WANTED, "data"),
    permission=VIEW,
)
def show_standing(_sessions: int, _commands: int, chosen: str | None, wanted: str) -> tuple[Any, Any]:
    """Show from where to where the chosen transition leads, and what stands against it now."""
    session = _selected(wanted)
    if session is None or chosen is None:
        return [], []
    obstacles = services().commands.obstacles(identity(), session, chosen)
    return view.form_head(session, chosen), view.standing(chosen, obstacles)


@callback(
    Output(error_id(MATCH), "children", allow_duplicate=True),  # type: ignore[arg-type]
    Input(input_id(MATCH), "value"),  # type: ignore[arg-type]
    State(ids.CHOSEN, "data"),
    State(ids.WANTED, "data"),
    permission=VIEW,
    prevent_initial_call=True,
)
def check_field(value: object, chosen: str | None, wanted: str) -> Any:
    """Say at once what is wrong with a field."""
    transition = find_transition(_selected(wanted), chosen)
    if transition is None or not isinstance(ctx.triggered_id, dict):
        return no_update
    return argument_error(field_error(transition, ctx.triggered_id["key"], value))


@callback(
    Output(ids.SENT, "data"),
    Output(ids.RESULT, "children", allow_duplicate=True),
    Output(error_id(ALL), "children"),  # type: ignore[arg-type]
    Input(ids.EXECUTE, _CLICKED),
    State(ids.CHOSEN, "data"),
    State(ids.WANTED, "data"),
    State(input_id(ALL), "value"),  # type: ignore[arg-type]
    State(input_id(ALL), "id"),  # type: ignore[arg-type]
    permission=Permission.EXECUTE_TRANSITION,
    prevent_initial_call=True,
)
def execute(
    clicks: int | None, chosen: str | None, wanted: str, values: list[object], fields: list[Mapping[str, str]]
) -> tuple[Any, Any, list[Any]]:
    """Order the transition; errors stand at their fields, a refusal below the button."""
    unchanged = [no_update] * len(fields)
    session = _selected(wanted)
    transition = find_transition(session, chosen)
    if not clicks or session is None or transition is None:
        return no_update, no_update, unchanged
    given = given_values(fields, values)
    wrong = field_errors(transition, given)
    errors = [argument_error(wrong.get(field["key"])) for field in fields]
    try:
        return services().commands.execute_transition(identity(), session.name, transition.name, given), [], errors
    except InvalidInputError:
        return no_update, [], errors
    except ConsoleError as error:
        return no_update, view.refusal(error), errors


@callback(Output(ids.RESULT, "children"), Input(ids.SENT, "data"), Input("live-commands", "data"), permission=VIEW)
def show_result(sent: int | None, _commands: int) -> Any:
    """Follow the command that was sent from the form, in place."""
    if sent is None:
        return [] if ctx.triggered_id == ids.SENT else no_update
    return view.outcome(services().run_control.command(sent))


@callback(
    Output(ids.CONTROL_COMMAND, "data"),
    Output(ids.CONTROL_RESULT, "children", allow_duplicate=True),
    Output(ids.DIALOG, "is_open"),
    Output(ids.DIALOG_BODY, "children"),
    Input(ids.TAKE, _CLICKED),
    State(ids.WANTED, "data"),
    permission=Permission.TAKE_CONTROL,
    prevent_initial_call=True,
)
def take(clicks: int | None, wanted: str) -> tuple[Any, Any, Any, Any]:
    """Take control; from another person only after a dialog that says from whom."""
    session = _selected(wanted)
    if not clicks or session is None:
        return no_update, no_update, no_update, no_update
    try:
        return services().commands.take_control(identity(), session.name), [], False, no_update
    except InvalidInputError as error:
        return no_update, [], True, html.P([error.message, " They are not told by drunc; tell them."], className="fg-1")
    except ConsoleError as error:
        return no_update, view.refusal(error), False, no_update


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
    session = _selected(wanted)
    if session is None or ctx.triggered_id == ids.CANCEL:
        return no_update, False, [], ""
    try:
        return services().commands.take_control(identity(), session.name, reason), False, [], ""
    except ConsoleError as error:
        return no_update, True, argument_error(error.message), no_update


@callback(
    Output(ids.CONTROL_COMMAND, "data", allow_duplicate=True),
    Output(ids.CONTROL_RESULT, "children", allow_duplicate=True),
    Input(ids.RELEASE, _CLICKED),
    State(ids.WANTED, "data"),
    permission=Permission.RELEASE_CONTROL,
    prevent_initial_call=True,
)
def release(clicks: int | None, wanted: str) -> tuple[Any, Any]:
    """Release control."""
    session = _selected(wanted)
    if not clicks or session is None:
        return no_update, no_update
    try:
        return services().commands.release_control(identity(), session.name), []
    except ConsoleError as error:
        return no_update, view.refusal(error)


@callback(
    Output(ids.CONTROL_RESULT, "children"),
    Input(ids.CONTROL_COMMAND, "data"),
    Input("live-commands", "data"),
    permission=VIEW,
)
def show_control_result(sent: int | None, _commands: int) -> Any:
    """Follow the command that was sent from the control panel, in place."""
    return no_update if sent is None else view.outcome(services().run_control.command(sent))
