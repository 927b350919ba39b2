"""What is known of the selected nodes, and what people order of them with a click."""

from collections.abc import Mapping, Sequence
from typing import Any

from dash import ALL, Input, Output, State, html, no_update
from dash.development.base_component import Component

from components.attributes import marked
from components.buttons import Look, button
from components.node_panel import node_details, selection_text
from components.outlet import CONTENT, drawing
from pages._access import callback
from pages._context import identity, services
from pages.controller import _ids as ids
from pages.controller import _view as view
from pages.controller._node_orders import OUTPUTS, STATES, Result, order_for_nodes, why_not
from pages.controller._selection import process_of, selected_nodes, selected_session
from services.accounts.types import Permission
from services.run_control.command_types import Action
from services.run_control.node_commands import NODE_ACTIONS

_CLICKED = "n_clicks"
_LABELS: Mapping[Action, str] = {
    Action.INCLUDE: "Include",
    Action.EXCLUDE: "Exclude",
    Action.RECOMPUTE_STATUS: "Recompute status",
    Action.EXPERT_COMMAND: "Expert command…",
    Action.TO_ERROR: "To error…",
}


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
    process = process_of(session.name, nodes[0].name) if session and len(nodes) == 1 else None
    said = selection_text(nodes)
    return drawing(node_details(session.name if session else "", nodes, process)), said if nodes else "", said


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
    reasons = [why_not(session, nodes, Action(found["key"])) for found in buttons]
    common = reasons[0] if reasons and len(set(reasons)) == 1 else None
    told = common or next((reason for reason in reasons[:2] if reason), "")
    return ["true" if reason else "false" for reason in reasons], [reason or "" for reason in reasons], told


@callback(
    *OUTPUTS,
    Input(ids.node_action_id(Action.INCLUDE), _CLICKED),
    *STATES,
    permission=Permission.INCLUDE,
    prevent_initial_call=True,
)
def include(clicks: int | None, paths: Sequence[str] | None, wanted: str) -> Result:
    """Include the selected nodes."""
    if not clicks:
        return no_update, no_update
    desk, person = services().node_commands, identity()
    return order_for_nodes(paths, wanted, lambda session, targets: desk.include(person, session, *targets))


@callback(
    *OUTPUTS,
    Input(ids.node_action_id(Action.EXCLUDE), _CLICKED),
    *STATES,
    permission=Permission.EXCLUDE,
    prevent_initial_call=True,
)
def exclude(clicks: int | None, paths: Sequence[str] | None, wanted: str) -> Result:
    """Exclude the selected nodes."""
    if not clicks:
        return no_update, no_update
    desk, person = services().node_commands, identity()
    return order_for_nodes(paths, wanted, lambda session, targets: desk.exclude(person, session, *targets))


@callback(
    *OUTPUTS,
    Input(ids.node_action_id(Action.RECOMPUTE_STATUS), _CLICKED),
    *STATES,
    permission=Permission.RECOMPUTE_STATUS,
    prevent_initial_call=True,
)
def recompute(clicks: int | None, paths: Sequence[str] | None, wanted: str) -> Result:
    """Let the selected nodes find their state anew."""
    if not clicks:
        return no_update, no_update
    desk, person = services().node_commands, identity()
    return order_for_nodes(
        paths,
        wanted,
        lambda session, targets: desk.recompute_status(person, session, *targets),
    )


@callback(
    Output(ids.NODE_RESULT, CONTENT),
    Input(ids.NODE_COMMAND, "data"),
    Input("live-commands", "data"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def show_node_result(sent: int | None, _commands: int) -> Any:
    """Follow the command that was sent for the selected nodes, in place."""
    return no_update if sent is None else drawing(view.outcome(services().run_control.command(sent)))
