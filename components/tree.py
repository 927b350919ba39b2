"""The application tree of a session: flat rows in tree order, with the keyboard pattern of a tree grid.

Opening, closing, searching, selecting and moving the focus need no server: `assets/controller.js` does them, and finds
rows by ``data-path``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from dash import html
from dash.development.base_component import Component

from components.ages import age
from components.attributes import marked
from components.badges import in_error_badge, state_badge
from components.icons import Glyph, Icon, glyph, icon
from components.panel import Children
from components.strip import STALE_AFTER_S, polled_key
from components.words import breakable
from services.run_control.node_types import Node

COLUMNS = ("Node", "State", "Roll-up, sub-state", "Endpoint", "Age")

# What an application that does nothing calls its sub-state (contract 10.3).
_IDLE = "idle"


# Nodes are read one after the other within one poll.
SAME_POLL = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Polled:
    """When a session was last heard of, and who held control of it then."""

    session: str
    at: datetime
    holder: str | None = None


@dataclass(frozen=True, slots=True)
class RollUp:
    """What a parent says of everything below it: the worst first.

    ``done`` of ``total`` counts included nodes, the parent itself among them, whose state is the one expected.
    """

    in_error: tuple[str, ...]
    excluded: tuple[str, ...]
    done: int
    total: int

    @property
    def complete(self) -> bool:
        """Whether every node that takes part is where it should be."""
        return self.done == self.total


def roll_up(node: Node, nodes: Iterable[Node], expected: str | None) -> RollUp:
    """Count what is below ``node``; ``expected`` is the state all should be in, the node's own if None."""
    below = [other for other in nodes if other.path.startswith(f"{node.path}/")]
    taking_part = [other for other in [node, *below] if other.included is not False]
    wanted = expected or node.state
    return RollUp(
        in_error=tuple(other.name for other in below if other.in_error),
        excluded=tuple(other.name for other in below if other.included is False),
        done=sum(other.state == wanted for other in taking_part),
        total=len(taking_part),
    )


def application_tree(nodes: Sequence[Node], *, expected: str | None = None, polled: Polled | None = None) -> html.Div:
    """Return the tree grid.

    Args:
        nodes: All nodes in tree order (`RunControlQueries.tree`).
        expected: State a transition under way leads to: progress is then counted towards it.
        polled: When the session was last heard of; nodes that were read then grow no older than it.
    """
    parents = {_parent(node.path) for node in nodes}
    header = html.Div(
        [html.Div(title, role="columnheader", className=f"tree-cell is-{_slug(title)}") for title in COLUMNS],
        role="row",
        className="tree-header",
    )
    rows = [_row(node, nodes, expected, polled, has_children=node.path in parents) for node in nodes]
    tree = html.Div([header, *rows], className="tree", role="treegrid")
    return marked(tree, aria_label="Application tree", aria_readonly="true", aria_multiselectable="true")


def _row(
    node: Node, nodes: Sequence[Node], expected: str | None, polled: Polled | None, *, has_children: bool
) -> html.Div:
    about = _below(roll_up(node, nodes, expected), expected) if has_children else _sub_state(node)
    row = html.Div(
        [
            _name(node, has_children=has_children),
            _cell("state", _state(node)),
            _cell(
                "roll-up",
                [
                    *about,
                    *_held_by(node, polled.holder if polled else None),
                ],
            ),
            _cell("endpoint", node.endpoint or ""),
            _cell("age", _age(node, polled)),
        ],
        key=node.path,
        role="row",
        className=_row_class(node),
        # One row takes part in the tab order; the script moves that place along with the focus.
        tabIndex=0 if node.depth == 0 else -1,
        style={"--level": node.depth},
    )
    return marked(
        row,
        aria_level=str(node.depth + 1),
        aria_expanded="true" if has_children else None,
        aria_selected="false",
        data_path=node.path,
        data_find=_searched(node),
        data_level=str(node.depth),
    )


def _age(node: Node, polled: Polled | None) -> Component:
    shown = age(node.seen_at, stale_after_s=STALE_AFTER_S)
    if polled is None or node.seen_at is None or polled.at - node.seen_at > SAME_POLL:
        return shown
    return marked(shown, data_polled=polled_key(polled.session))


def _row_class(node: Node) -> str:
    marks = ["tree-row", f"is-{node.kind.value}"]
    if node.in_error:
        marks.append("is-error")
    if node.included is False:
        marks.append("is-excluded")
    return " ".join(marks)


def _name(node: Node, *, has_children: bool) -> Component:
    caret = html.Span([icon(Icon.DOWN)] if has_children else [], className="tree-caret")
    return html.Div(
        [html.Span(className="tree-check"), caret, html.Span(node.name, title=node.path)],
        role="rowheader",
        className="tree-cell is-node",
    )


def _searched(node: Node) -> str:
    """Return what a search looks at: what the row says, in lower case."""
    marks = [word for word, on in (("in error", node.in_error), ("excluded", node.included is False)) if on]
    parts = (node.name, node.state, node.sub_state, node.endpoint, *marks)
    return " ".join(part for part in parts if part).lower()


def _cell(name: str, content: Children) -> Component:
    return html.Div(content, role="gridcell", className=f"tree-cell is-{name}")


def _state(node: Node) -> list[Component]:
    """Worst first: the error beside the state, not instead of it."""
    shown: list[Component] = [in_error_badge()] if node.in_error else []
    if node.included is False:
        shown.append(state_badge(None, included=False))
    shown.append(state_badge(node.state))
    return shown


def _held_by(node: Node, root_holder: str | None) -> list[Component]:
    """Return who holds a part of the tree, where that is not who holds the session."""
    if not node.holder or node.holder == root_holder:
        return []
    return [html.Span([icon(Icon.KEY), node.holder], className="tree-mark", title=f"in control here: {node.holder}")]


def _sub_state(node: Node) -> Sequence[str | Component]:
    if node.sub_state in (None, "", node.state, _IDLE):
        return []
    return breakable(str(node.sub_state))


def _below(below: RollUp, expected: str | None) -> list[Component]:
    shown: list[Component] = []
    for shape, word, found in ((Glyph.ERROR, "in error", below.in_error), (Glyph.EXCLUDED, "excluded", below.excluded)):
        if found:
            mark: list[Component | str] = [glyph(shape), str(len(found)), html.Span(word, className="visually-hidden")]
            names = f"{word}: {', '.join(found)}"
            shown.append(html.Span(mark, className=f"tree-mark is-{word.replace(' ', '-')}", title=names))
    if not below.complete:
        word = "done" if expected else "in this state"
        shown.append(html.Span(f"{below.done}/{below.total} {word}"))
    return shown


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _slug(title: str) -> str:
    return title.split(",", maxsplit=1)[0].lower()
