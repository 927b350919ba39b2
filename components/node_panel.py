"""What is known of selected nodes: all of one, or the names and states of several."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from components.ages import age, clock_time
from components.attributes import marked
from components.badges import in_error_badge, state_badge
from components.panel import Children, facts
from components.strip import STALE_AFTER_S, log_path, with_session
from components.words import breakable, counted
from services.run_control.node_types import Node, NodeKind
from services.run_control.process_types import Process
from services.run_control.session_types import INITIAL_HOLDER

# So many selected nodes are listed, the rest is a count.
LISTED = 12


def node_details(session: str, nodes: Sequence[Node], process: Process | None) -> list[Component]:
    """Return what the panel of the selection says; ``process`` is that of a single node, where one is listed."""
    if not nodes:
        return [html.P("Select a node in the tree to see all of it, or several to act on them.", className="fg-1")]
    if len(nodes) == 1:
        return [facts(_facts(nodes[0], process)), _links(session, nodes[0], process)]
    rows = [html.Li([html.Span(node.name, title=node.path), *_badges(node)]) for node in nodes[:LISTED]]
    rest = len(nodes) - LISTED
    more = [html.Li(f"and {rest} more", className="fg-1")] if rest > 0 else []
    return [html.Ul([*rows, *more], className="node-list")]


def selection_text(nodes: Sequence[Node]) -> str:
    """Return what is selected in a few words: the node's name, or how many."""
    if not nodes:
        return "nothing selected"
    return nodes[0].name if len(nodes) == 1 else f"{counted(len(nodes), 'node')} selected"


def _facts(node: Node, process: Process | None) -> list[tuple[str, Children]]:
    since: Children = clock_time(node.state_since) if node.state_since else "not known"
    return [
        ("Path", breakable_path(node.path)),
        ("State", html.Span(_badges(node), className="row-line")),
        ("Since", since),
        ("Sub-state", breakable(node.sub_state or "–")),
        ("Error", {None: "not known", True: "in error", False: "none"}[node.in_error]),
        ("Takes part", {None: "not known", True: "included", False: "excluded"}[node.included]),
        *([("In control", _holder(node))] if node.kind is NodeKind.CONTROLLER and node.depth else []),
        ("Host", process.hostname if process else "not known"),
        *([("Detector", node.detector)] if node.detector else []),
        ("Endpoint", html.Span(node.endpoint or "not known", className="mono")),
        ("Last heard", age(node.seen_at, stale_after_s=STALE_AFTER_S)),
    ]


def _holder(node: Node) -> Children:
    if node.holder is None:
        return "not known"
    who = "nobody" if node.holder in ("", INITIAL_HOLDER) else node.holder
    if node.holder_since is None:
        return who
    return [who, ", since ", clock_time(node.holder_since, milliseconds=False)]


def breakable_path(path: str) -> list[str | Component]:
    """Return a path that may wrap after its slashes."""
    parts: list[str | Component] = []
    for index, name in enumerate(path.split("/")):
        if index:
            parts += ["/", html.Wbr()]
        parts.append(name)
    return parts


def _badges(node: Node) -> list[Component]:
    """Worst first: the error beside the state, not instead of it."""
    shown: list[Component] = [in_error_badge()] if node.in_error else []
    if node.included is False:
        shown.append(state_badge(None, included=False))
    return [*shown, state_badge(node.state)]


def _links(session: str, node: Node, process: Process | None) -> Component:
    targets = {
        "Process": f"{with_session('/processes', session)}&q={node.name}",
        **({"Log": log_path(process)} if process else {}),
        "Messages": f"{with_session('/messages', session)}&application={node.name}",
    }
    links = [dcc.Link(text, href=href, className="button button-outline") for text, href in targets.items()]
    return marked(html.Div(links, className="node-links", role="group"), aria_label=f"More of {node.name}")
