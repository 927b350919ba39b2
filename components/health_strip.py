"""The health of a session's tree at a glance: one square per node, grouped by segment, names only where abnormal."""

from collections.abc import Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from components.attributes import marked
from components.icons import Glyph, glyph
from services.run_control.node_types import Node, NodeKind


@dataclass(frozen=True, slots=True)
class Segment:
    """The root alone, or a segment controller and everything below it."""

    name: str
    nodes: tuple[Node, ...]


def segments(tree: Sequence[Node]) -> list[Segment]:
    """Group a flat tree (parents first) by the controllers below the root; the root comes first, alone."""
    groups: list[list[Node]] = []
    for node in tree:
        if node.depth <= 1 or not groups:
            groups.append([node])
        else:
            groups[-1].append(node)
    return [Segment(_short(group[0]), tuple(group)) for group in groups]


def health_strip(tree: Sequence[Node], expected: str | None = None) -> html.Div:
    """Return the squares of a tree.

    Args:
        tree: Nodes in tree order.
        expected: Only while a transition is in progress: the state from before it; nodes still in it are awaited.
    """
    groups: list[Component] = [_segment(segment, expected) for segment in segments(tree)]
    return html.Div(groups, className="health-strip")


def _segment(segment: Segment, awaited_in: str | None) -> html.Div:
    squares = [_square(node, awaited_in) for node in segment.nodes]
    if len(squares) > 1:
        squares.insert(1, marked(html.Span(className="health-link"), aria_hidden="true"))
    return html.Div(
        [
            html.Div(segment.name, className="health-name"),
            html.Div(squares, className="health-squares"),
            html.Div(_remarks(segment), className="health-remarks"),
        ],
        className="health-segment",
    )


def _square(node: Node, awaited_in: str | None) -> html.Span:
    shape, word = _condition(node, awaited_in)
    return glyph(shape, label=f"{node.name}: {word}")


def _condition(node: Node, awaited_in: str | None) -> tuple[Glyph, str]:
    if node.included is False:
        return Glyph.EXCLUDED, "excluded"
    if node.in_error:
        return Glyph.ERROR, f"{node.state or 'none'}, in error"
    if node.state is None:
        return Glyph.UNREACHABLE, "state not known"
    if awaited_in is not None and node.state == awaited_in:
        return Glyph.AWAITED, f"{node.state}, awaited"
    return Glyph.NODE, node.state


def _remarks(segment: Segment) -> list[Component]:
    remarks: list[Component] = [
        html.Span(f"{node.name} in error", className="text-error")
        for node in segment.nodes
        if node.in_error and node.included is not False
    ]
    remarks += [
        html.Span(f"{node.name} excluded", className="fg-2") for node in segment.nodes if node.included is False
    ]
    return remarks


def _short(node: Node) -> str:
    return node.name.removesuffix("-controller") if node.kind is NodeKind.CONTROLLER else node.name
