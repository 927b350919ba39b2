"""Controller: watch and steer one session (``/controller``; to view, and per action to act)."""

from dash import Input, Output, dcc, html, register_page
from dash.development.base_component import Component

from components.attributes import marked
from components.command_result import command_list
from components.frame import page
from components.icons import Icon, icon
from components.notice import loading
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel
from components.tree import Polled, application_tree
from components.words import counted
from pages._access import callback
from pages._context import services
from pages.controller import _arguments, _board, _control, _node_dialogs, _nodes, _transitions
from pages.controller import _ids as ids
from pages.controller import _view as view
from pages.controller._selection import selected_session
from services.accounts.types import Permission
from services.revisions import LiveTopic

register_page(__name__, path="/controller", title="Controller", name="Controller")

VIEW = Permission.VIEW_RUN_CONTROL
_TREE_SHOWS = (LiveTopic.TREE, LiveTopic.SESSIONS)


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
        dcc.Store(id=ids.CELL),
    ]
    machine = panel(
        "State machine",
        [
            outlet(ids.MACHINE, loading("Reading the state machine")),
            html.Div(id=ids.TRANSITIONS),
            outlet(ids.PROGRESS, None),
            _transitions.abort_bar(),
        ],
        sub=html.Span(id=ids.MACHINE_SUB),
        flush=True,
    )
    main = html.Div([machine, _tree(), _board.board_panel()], className="controller-main")
    body = html.Div([main, _side()], className="controller")
    check = outlet(ids.PREFLIGHT, None)
    return page(
        "Controller", [*stores, check, body, _control.take_dialog(), _control.ask_dialog(), *_node_dialogs.dialogs()]
    )


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
    node = panel("Node", outlet(ids.NODE, None), sub=html.Span(id=ids.NODE_TITLE), class_name="node-panel")
    commands = panel("Last commands", outlet(ids.COMMANDS, loading("Reading the last commands")), flush=True)
    return html.Div([_control.control_panel(), _arguments.form_panel(), node, commands], className="controller-side")


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
    if session is None:
        return _no_nodes(), ""
    shown = services().drawings.get(("tree", session.name), _TREE_SHOWS, lambda: _drawn_tree(session.name))
    return shown, counted(session.nodes_total, "node") if session.nodes_total else ""


def _drawn_tree(name: str) -> str:
    # Read again: what is drawn must be no older than its revisions.
    session, nodes = selected_session(name), services().run_control.tree(name)
    if session is None or not nodes:
        return _no_nodes()
    polled = Polled(session.name, session.polled_at, session.holder) if session.polled_at else None
    tree = html.Div(application_tree(nodes, expected=view.expected_state(session), polled=polled))
    return drawing(view.follows_age(tree, session))


def _no_nodes() -> str:
    return drawing(html.P("No nodes known yet.", className="tree-nothing fg-1"))


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
