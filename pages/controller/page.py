"""Controller: watch and steer one session (``/controller``; to view, and per action to act)."""

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, State, ctx, dcc, html, no_update, register_page
from dash.development.base_component import Component

from components.arguments_form import not_possible
from components.attributes import marked
from components.buttons import Look, button, icon_button
from components.command_result import command_list
from components.frame import page
from components.icons import Icon, icon
from components.notice import loading
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel, panel_head
from components.tree import Polled, application_tree
from components.words import counted
from pages._access import callback
from pages._context import identity, services
from pages.controller import _ids as ids
from pages.controller import (
    _nodes,
    _orders,  # noqa: F401 - declares its callbacks
)
from pages.controller import _view as view
from pages.controller._form import find_transition
from pages.controller._selection import selected_session
from services.accounts.types import Permission

register_page(__name__, path="/controller", title="Controller", name="Controller")

VIEW = Permission.VIEW_RUN_CONTROL
_CLICKED = "n_clicks"


def layout(session: str | None = None, **_: str) -> html.Div:
    """Return the page of the session the address names; without one, of the first there is."""
    stores = [
        dcc.Store(id=ids.WANTED, data=session or ""),
        dcc.Store(id=ids.NAMES, data=[]),
        dcc.Store(id=ids.CHOSEN),
        dcc.Store(id=ids.SENT),
        dcc.Store(id=ids.CONTROL_COMMAND),
        dcc.Store(id=ids.SELECTED),
        dcc.Store(id=ids.NODE_COMMAND),
    ]
    machine = panel(
        "State machine",
        [
            outlet(ids.MACHINE, loading("Reading the state machine")),
            html.Div(id=ids.TRANSITIONS),
            outlet(ids.PROGRESS, None),
        ],
        sub=html.Span(id=ids.MACHINE_SUB),
        flush=True,
    )
    main = html.Div([machine, _tree()], className="controller-main")
    body = html.Div([main, _side()], className="controller")
    return page("Controller", [*stores, body, _take_dialog(), *_nodes.dialogs()])


def _tree() -> Component:
    search: Component = dcc.Input(id=ids.SEARCH, type="text", placeholder="Find in the tree", autoComplete="off")
    box = html.Div([icon(Icon.SEARCH), search, html.Kbd("/")], className="searchbox tree-search", role="search")
    found = marked(html.Span(id=ids.FOUND, className="fg-1 small"), aria_live="polite")
    body = [
        _nodes.actions(),
        outlet(ids.NODE_RESULT, None, class_name="node-result"),
        outlet(ids.TREE, loading("Reading the tree", rows=8), class_name="tree-scroll"),
    ]
    return panel(
        "Application tree",
        body,
        sub=html.Span(id=ids.TREE_SUB),
        actions=[found, marked(box, data_search="1")],
        flush=True,
    )


def _side() -> Component:
    who = [
        html.Div(loading("Reading who is in control", rows=1), id=ids.HOLDER),
        html.Div(
            [button("Take control", ids.TAKE, sign=Icon.KEY), button("Release", ids.RELEASE)],
            className="control-actions",
        ),
        html.P(id=ids.OBSTACLE, className="label"),
        outlet(ids.CONTROL_RESULT, None),
    ]
    close = icon_button(Icon.CLOSE, "Close the form", ids.FORM_CLOSE, small=True)
    execute = marked(button("Execute", ids.EXECUTE, look=Look.PRIMARY, described_by=ids.STANDING), data_once="1")
    body = [
        html.Div(id=ids.FORM_BODY),
        html.Div(id=ids.STANDING),
        html.Div(execute, className="form-actions"),
        outlet(ids.RESULT, None),
    ]
    head = panel_head(html.Div(id=ids.FORM_HEAD, className="form-title"), actions=close)
    form = html.Section(
        [head, html.Div(body, className="panel-body form-body")], id=ids.FORM, className="panel", hidden=True
    )
    commands = panel("Last commands", outlet(ids.COMMANDS, loading("Reading the last commands")), flush=True)
    node = panel("Node", outlet(ids.NODE, None), sub=html.Span(id=ids.NODE_TITLE), class_name="node-panel")
    control = panel("Control", who, component_id=ids.CONTROL)
    return html.Div([control, form, node, commands], className="controller-side")


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


@callback(
    Output(ids.MACHINE, CONTENT),
    Output(ids.MACHINE_SUB, "children"),
    Output(ids.PROGRESS, CONTENT),
    Input("live-sessions", "data"),
    Input("live-tree", "data"),
    Input(ids.WANTED, "data"),
    permission=VIEW,
)
def show_machine(_sessions: int, _tree: int, wanted: str) -> tuple[str, str, str]:
    """Show the state machine, and how far a transition in progress is."""
    session = selected_session(wanted)
    if session is None:
        return drawing(view.no_session(wanted)), "", drawing(None)
    about = ", ".join(part for part in (session.name, session.root_name, session.generation) if part)
    progress = view.progress(session, services().run_control.tree(session.name))
    return drawing(view.machine(session)), about, drawing(progress)


@callback(
    Output(ids.TRANSITIONS, "children"),
    Output(ids.NAMES, "data"),
    Input("live-sessions", "data"),
    Input(ids.WANTED, "data"),
    State(ids.NAMES, "data"),
    permission=VIEW,
)
def make_buttons(_sessions: int, wanted: str, known: list[str]) -> tuple[Any, Any]:
    """Make the buttons of the transitions anew when the server lists others, and only then."""
    session = selected_session(wanted)
    transitions = session.transitions if session else ()
    names = [transition.name for transition in transitions]
    return (no_update, no_update) if names == known else (view.transition_rows(transitions), names)


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
    session, person, commands = selected_session(wanted), identity(), services().commands
    looks = [
        view.button_look(
            commands.obstacles(person, session, found["key"]) if session else ("No session.",),
            Look.CHOSEN if found["key"] == chosen else Look.OUTLINE,
        )
        for found in buttons
    ]
    return [look.disabled for look in looks], [look.title for look in looks], [look.class_name for look in looks]


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
        off = view.button_look(["No session."])
        return (html.P("No session.", className="fg-1"), "", *astuple(off), *astuple(off))
    obstacle = services().commands.control_obstacle(person, session)
    take, release = view.take_look(session, person, obstacle), view.release_look(session, person, obstacle)
    return (view.holder(session, person), obstacle or "", *astuple(take), *astuple(release))


@callback(
    Output(ids.TREE, CONTENT),
    Output(ids.TREE_SUB, "children"),
    Input("live-tree", "data"),
    Input("live-sessions", "data"),
    Input(ids.WANTED, "data"),
    permission=VIEW,
)
def show_tree(_tree: int, _sessions: int, wanted: str) -> tuple[str, str]:
    """Show the application tree of the session."""
    session = selected_session(wanted)
    nodes = services().run_control.tree(session.name) if session else ()
    if session is None or not nodes:
        return drawing(html.P("No nodes known yet.", className="tree-nothing fg-1")), ""
    polled = Polled(session.name, session.polled_at) if session.polled_at else None
    tree = html.Div(application_tree(nodes, expected=view.expected_state(session), polled=polled))
    return drawing(view.follows_age(tree, session)), counted(len(nodes), "node")


@callback(
    Output(ids.COMMANDS, CONTENT),
    Input("live-commands", "data"),
    Input(ids.WANTED, "data"),
    permission=VIEW,
)
def show_commands(_commands: int, wanted: str) -> str:
    """Show the last commands of the session with what came of them."""
    session = selected_session(wanted)
    commands = services().run_control.last_commands(session.name, 10) if session else ()
    nothing = html.P("No commands from this console yet.", className="tree-nothing fg-1")
    return drawing(command_list(commands) or nothing)


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
    return False, view.form(session, transition, services().run_control.tree(session.name)), None


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
    obstacles = services().commands.obstacles(identity(), session, chosen)
    look = view.button_look(obstacles, Look.PRIMARY)
    return (view.form_head(session, chosen), not_possible(obstacles), f"Execute {chosen}", *astuple(look))
