"""The dialogs of the two orders for nodes that need more than a click: an expert command, and to error."""

from collections.abc import Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from components.arguments_form import argument_error
from components.attributes import marked
from components.buttons import Look, button
from components.outlet import CONTENT, drawing
from components.words import counted
from pages._access import callback
from pages._context import identity, services
from pages.controller import _ids as ids
from pages.controller import _view as view
from pages.controller._node_orders import OUTPUTS, STATES, order_for_nodes, why_not
from pages.controller._selection import selected_nodes, selected_session
from services.accounts.types import Permission
from services.errors import InvalidInputError
from services.run_control.command_types import Action
from services.run_control.node_types import Node
from services.run_control.session_types import SessionSummary

_CLICKED = "n_clicks"
_EXAMPLE = (
    '{"id": "record", "data": {"modules": [{"data": {}, "match": ""}]}, "entry_state": "ANY", "exit_state": "ANY"}'
)


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
    title_id = f"{dialog_id}-title"
    sends = marked(button(word, send_id, look=Look.DANGER_FILLED), data_once="1")
    dialog: Component = dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(title, id=title_id)),
            dbc.ModalBody(list(body), className="arguments"),
            dbc.ModalFooter([button("Leave it", cancel), sends]),
        ],
        id=dialog_id,
        labelledby=title_id,
        is_open=False,
        centered=True,
    )
    return dialog


@callback(
    Output(ids.EXPERT_DIALOG, "is_open"),
    Output(ids.EXPERT_TARGET, "children"),
    Output(ids.TO_ERROR_DIALOG, "is_open"),
    Output(ids.TO_ERROR_TARGET, "children"),
    Output(ids.NODE_RESULT, CONTENT, allow_duplicate=True),
    Input(ids.node_action_id(Action.EXPERT_COMMAND), _CLICKED),
    Input(ids.node_action_id(Action.TO_ERROR), _CLICKED),
    *STATES,
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
    why = why_not(session, nodes, action)
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
    *OUTPUTS,
    Output(ids.EXPERT_DIALOG, "is_open", allow_duplicate=True),
    Output(ids.EXPERT_ERROR, "children"),
    Input(ids.EXPERT_SEND, _CLICKED),
    Input(ids.EXPERT_CANCEL, _CLICKED),
    State(ids.EXPERT_TEXT, "value"),
    *STATES,
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
        sent = order_for_nodes(
            paths,
            wanted,
            lambda session, targets: desk.expert_command(person, session, text or "", *targets),
        )
    except InvalidInputError as error:
        return no_update, no_update, True, argument_error(error.message)
    return *sent, False, []


@callback(
    *OUTPUTS,
    Output(ids.TO_ERROR_DIALOG, "is_open", allow_duplicate=True),
    Input(ids.TO_ERROR_SEND, _CLICKED),
    Input(ids.TO_ERROR_CANCEL, _CLICKED),
    *STATES,
    permission=Permission.TO_ERROR,
    prevent_initial_call=True,
)
def send_to_error(_send: int | None, _cancel: int | None, paths: Sequence[str] | None, wanted: str) -> tuple[Any, ...]:
    """Put the selected nodes in error."""
    if ctx.triggered_id == ids.TO_ERROR_CANCEL:
        return no_update, no_update, False
    desk, person = services().node_commands, identity()
    sent = order_for_nodes(paths, wanted, lambda session, targets: desk.to_error(person, session, *targets))
    return *sent, False
