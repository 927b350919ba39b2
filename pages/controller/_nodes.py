"""What people order of selected nodes: include, exclude, recompute status, expert command, to error."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from components.arguments_form import argument_error
from components.attributes import marked
from components.buttons import Look, button
from components.node_panel import node_details, selection_text
from components.outlet import CONTENT, drawing
from components.words import counted
from pages._access import callback
from pages._context import identity, services
from pages.controller import _ids as ids
from pages.controller import _view as view
from pages.controller._selection import selected_nodes, selected_session
from services.accounts.types import Permission
from services.errors import ConsoleError, InvalidInputError
from services.run_control.node_commands import NODE_ACTIONS
from services.run_control.types import Action, Node, SessionSummary, Target

_CLICKED = "n_clicks"
_LABELS: Mapping[Action, str] = {
    Action.INCLUDE: "Include",
    Action.EXCLUDE: "Exclude",
    Action.RECOMPUTE_STATUS: "Recompute status",
    Action.EXPERT_COMMAND: "Expert command…",
    Action.TO_ERROR: "To error…",
}
_EXAMPLE = (
    '{"id": "record", "data": {"modules": [{"data": {}, "match": ""}]}, "entry_state": "ANY", "exit_state": "ANY"}'
)


def actions() -> Component:
    """Return the buttons for what is selected in the tree, and the place for the reason why they are off."""
    buttons = [
        marked(
            button(
                _LABELS[action],
                ids.node_action_id(action),
                look=Look.DANGER if action is Action.TO_ERROR else Look.OUTLINE,
                small=True,
                described_by=ids.NODE_OBSTACLE,
            ),
            data_once="1",
        )
        for action in NODE_ACTIONS
    ]
    group = marked(html.Div(buttons, className="node-actions", role="group"), aria_labelledby=ids.NODE_ACTIONS_TITLE)
    said = marked(html.Span(id=ids.NODE_ACTIONS_TITLE, className="strong"), aria_live="polite")
    return html.Div([said, group, html.Span(id=ids.NODE_OBSTACLE, className="label")], className="node-bar")


def dialogs() -> list[Component]:
    """Return the dialogs of the two actions that need more than a click."""
    text: Component = dbc.Textarea(
        id=ids.EXPERT_TEXT, value="", rows=7, className="mono", placeholder=_EXAMPLE, spellcheck=False
    )
    expert = [
        html.P(id=ids.EXPERT_TARGET, className="fg-1"),
        html.Label("Command, as JSON", htmlFor=ids.EXPERT_TEXT),
        text,
        html.P("entry_state and exit_state must be equal: it cannot change the state.", className="argument-help"),
        html.Div(id=ids.EXPERT_ERROR, className="argument-error", role="status"),
    ]
    to_error = [html.P(id=ids.TO_ERROR_TARGET, className="fg-1")]
    return [
        _dialog(ids.EXPERT_DIALOG, "Send an expert command", expert, ids.EXPERT_CANCEL, (ids.EXPERT_SEND, "Send")),
        _dialog(
            ids.TO_ERROR_DIALOG, "Put nodes in error?", to_error, ids.TO_ERROR_CANCEL, (ids.TO_ERROR_SEND, "To error")
        ),
    ]


def _dialog(dialog_id: str, title: str, body: Sequence[Component], cancel: str, send: tuple[str, str]) -> Component:
    send_id, word = send
    sends = marked(button(word, send_id, look=Look.DANGER_FILLED), data_once="1")
    dialog: Component = dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(title)),
            dbc.ModalBody(list(body), className="arguments"),
            dbc.ModalFooter([button("Leave it", cancel), sends]),
        ],
        id=dialog_id,
        is_open=False,
        centered=True,
    )
    return dialog


@callback(
    Output(ids.NODE, CONTENT),
    Output(ids.NODE_TITLE, "children"),
    Output(ids.NODE_ACTIONS_TITLE, "children"),
    Input(ids.SELECTED, "data"),
    Input("live-tree", "data"),
    Input(ids.WANTED, "data"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def show_nodes(paths: Sequence[str] | None, _tree: int, wanted: str) -> tuple[str, str, str]:
    """Show what is known of the selected nodes."""
    session = selected_session(wanted)
    nodes = selected_nodes(session, paths)
    host = _host(session, nodes[0]) if session and len(nodes) == 1 else None
    said = selection_text(nodes)
    return drawing(node_details(session.name if session else "", nodes, host)), said if nodes else "", said


def _host(session: SessionSummary, node: Node) -> str | None:
    found = [
        process.hostname for process in services().run_control.processes(session.name) if process.name == node.name
    ]
    return found[0] if found else None


@callback(
    Output(ids.NODE_ACTION | {"key": ALL}, "aria-disabled"),
    Output(ids.NODE_ACTION | {"key": ALL}, "title"),
    Output(ids.NODE_OBSTACLE, "children"),
    Input(ids.SELECTED, "data"),
    Input("live-sessions", "data"),
    Input(ids.WANTED, "data"),
    State(ids.NODE_ACTION | {"key": ALL}, "id"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def show_actions(
    paths: Sequence[str] | None, _sessions: int, wanted: str, buttons: Sequence[Mapping[str, str]]
) -> tuple[list[str], list[str], str]:
    """Switch the actions on and off for what is selected, each with its reason."""
    session = selected_session(wanted)
    nodes = selected_nodes(session, paths)
    reasons = [_why_not(session, nodes, Action(found["key"])) for found in buttons]
    common = reasons[0] if reasons and len(set(reasons)) == 1 else None
    told = common or next((reason for reason in reasons[:2] if reason), "")
    return ["true" if reason else "false" for reason in reasons], [reason or "" for reason in reasons], told


def _why_not(session: SessionSummary | None, nodes: Sequence[Node], action: Action) -> str | None:
    if session is None:
        return "No session."
    if not nodes:
        return "Select nodes in the tree first."
    return services().node_commands.why_not(identity(), session, action, nodes)


Result = tuple[Any, Any]


def _order(
    action: Action, paths: Sequence[str] | None, wanted: str, send: Callable[[str, tuple[Target, ...]], int]
) -> Result:
    """Order something of the selected nodes; return the command to follow, and a refusal in place."""
    session = selected_session(wanted)
    nodes = selected_nodes(session, paths)
    if session is None or not nodes:
        return no_update, drawing(
            view.words_in_place(f"{_LABELS[action].rstrip('…')}: select nodes in the tree first.")
        )
    try:
        return send(session.name, tuple(Target(node.path) for node in nodes)), drawing(None)
    except InvalidInputError:
        raise
    except ConsoleError as error:
        return no_update, drawing(view.refusal(error))


_OUTPUTS = (
    Output(ids.NODE_COMMAND, "data", allow_duplicate=True),
    Output(ids.NODE_RESULT, CONTENT, allow_duplicate=True),
)
_STATES = (State(ids.SELECTED, "data"), State(ids.WANTED, "data"))


@callback(
    *_OUTPUTS,
    Input(ids.node_action_id(Action.INCLUDE), _CLICKED),
    *_STATES,
    permission=Permission.INCLUDE,
    prevent_initial_call=True,
)
def include(clicks: int | None, paths: Sequence[str] | None, wanted: str) -> Result:
    """Include the selected nodes."""
    if not clicks:
        return no_update, no_update
    desk, person = services().node_commands, identity()
    return _order(Action.INCLUDE, paths, wanted, lambda session, targets: desk.include(person, session, *targets))


@callback(
    *_OUTPUTS,
    Input(ids.node_action_id(Action.EXCLUDE), _CLICKED),
    *_STATES,
    permission=Permission.EXCLUDE,
    prevent_initial_call=True,
)
def exclude(clicks: int | None, paths: Sequence[str] | None, wanted: str) -> Result:
    """Exclude the selected nodes."""
    if not clicks:
        return no_update, no_update
    desk, person = services().node_commands, identity()
    return _order(Action.EXCLUDE, paths, wanted, lambda session, targets: desk.exclude(person, session, *targets))


@callback(
    *_OUTPUTS,
    Input(ids.node_action_id(Action.RECOMPUTE_STATUS), _CLICKED),
    *_STATES,
    permission=Permission.RECOMPUTE_STATUS,
    prevent_initial_call=True,
)
def recompute(clicks: int | None, paths: Sequence[str] | None, wanted: str) -> Result:
    """Let the selected nodes find their state anew."""
    if not clicks:
        return no_update, no_update
    desk, person = services().node_commands, identity()
    return _order(
        Action.RECOMPUTE_STATUS,
        paths,
        wanted,
        lambda session, targets: desk.recompute_status(person, session, *targets),
    )


@callback(
    Output(ids.EXPERT_DIALOG, "is_open"),
    Output(ids.EXPERT_TARGET, "children"),
    Output(ids.TO_ERROR_DIALOG, "is_open"),
    Output(ids.TO_ERROR_TARGET, "children"),
    Output(ids.NODE_RESULT, CONTENT, allow_duplicate=True),
    Input(ids.node_action_id(Action.EXPERT_COMMAND), _CLICKED),
    Input(ids.node_action_id(Action.TO_ERROR), _CLICKED),
    *_STATES,
    permission=Permission.VIEW_RUN_CONTROL,
    prevent_initial_call=True,
)
def open_dialog(
    _expert: int | None, _to_error: int | None, paths: Sequence[str] | None, wanted: str
) -> tuple[Any, ...]:
    """Open the dialog of an action, or say in place why it cannot be ordered."""
    unchanged = (no_update,) * 5
    # Buttons that were only drawn anew also come here, without a click.
    if not ctx.triggered or not ctx.triggered[0]["value"] or not isinstance(ctx.triggered_id, dict):
        return unchanged
    action = Action(ctx.triggered_id["key"])
    session = selected_session(wanted)
    nodes = selected_nodes(session, paths)
    why = _why_not(session, nodes, action)
    if why is not None or session is None:
        return (False, no_update, False, no_update, drawing(view.words_in_place(f"{why} Nothing was sent.")))
    said = _meant(session, nodes)
    if action is Action.EXPERT_COMMAND:
        return (True, said, False, no_update, drawing(None))
    return (False, no_update, True, f"{said} They take no transitions until their status is recomputed.", drawing(None))


def _meant(session: SessionSummary, nodes: Sequence[Node]) -> str:
    """Return target and count, and what is at stake."""
    run = f" Run {session.run.number} is on." if session.run.number is not None else ""
    names = (
        nodes[0].path if len(nodes) == 1 else counted(len(nodes), "node") + f" ({view.some([n.name for n in nodes])})"
    )
    return f"Target: {names} of {session.name}, {session.state or 'state not known'}, and all below.{run}"


@callback(
    *_OUTPUTS,
    Output(ids.EXPERT_DIALOG, "is_open", allow_duplicate=True),
    Output(ids.EXPERT_ERROR, "children"),
    Input(ids.EXPERT_SEND, _CLICKED),
    Input(ids.EXPERT_CANCEL, _CLICKED),
    State(ids.EXPERT_TEXT, "value"),
    *_STATES,
    permission=Permission.EXPERT_COMMAND,
    prevent_initial_call=True,
)
def send_expert(
    _send: int | None, _cancel: int | None, text: str | None, paths: Sequence[str] | None, wanted: str
) -> tuple[Any, ...]:
    """Send the expert command; what is wrong with its text is told in the dialog, which stays."""
    if ctx.triggered_id == ids.EXPERT_CANCEL:
        return no_update, no_update, False, []
    desk, person = services().node_commands, identity()
    try:
        sent = _order(
            Action.EXPERT_COMMAND,
            paths,
            wanted,
            lambda session, targets: desk.expert_command(person, session, text or "", *targets),
        )
    except InvalidInputError as error:
        return no_update, no_update, True, argument_error(error.message)
    return *sent, False, []


@callback(
    *_OUTPUTS,
    Output(ids.TO_ERROR_DIALOG, "is_open", allow_duplicate=True),
    Input(ids.TO_ERROR_SEND, _CLICKED),
    Input(ids.TO_ERROR_CANCEL, _CLICKED),
    *_STATES,
    permission=Permission.TO_ERROR,
    prevent_initial_call=True,
)
def send_to_error(_send: int | None, _cancel: int | None, paths: Sequence[str] | None, wanted: str) -> tuple[Any, ...]:
    """Put the selected nodes in error."""
    if ctx.triggered_id == ids.TO_ERROR_CANCEL:
        return no_update, no_update, False
    desk, person = services().node_commands, identity()
    sent = _order(Action.TO_ERROR, paths, wanted, lambda session, targets: desk.to_error(person, session, *targets))
    return *sent, False


@callback(
    Output(ids.NODE_RESULT, CONTENT),
    Input(ids.NODE_COMMAND, "data"),
    Input("live-commands", "data"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def show_node_result(sent: int | None, _commands: int) -> Any:
    """Follow the command that was sent for the selected nodes, in place."""
    return no_update if sent is None else drawing(view.outcome(services().run_control.command(sent)))
