"""The transition board: which node took how long in each of the last transitions, and which failed."""

from collections.abc import Sequence
from datetime import datetime
from statistics import median

from dash import html
from dash.development.base_component import Component

from components.ages import clock_time, duration_text, elapsed
from components.attributes import marked
from components.icons import Glyph, Icon, glyph, icon, ring
from components.words import breakable
from services.history.types import NodeTransition, Source, TransitionOutcome, TransitionRun
from services.run_control.types import Node

# A node stands out that took so many times as long as half of the nodes did, and so much longer.
OUTLIER_FACTOR = 2.0
OUTLIER_S = 1.0
_MIDDLE_OF = 3


def transition_board(nodes: Sequence[Node], runs: Sequence[TransitionRun]) -> html.Table:
    """Return the board: a row a node in tree order, a column a transition, the latest at the right.

    Args:
        nodes: All nodes in tree order.
        runs: The last transitions, newest first.
    """
    columns = list(reversed(runs))
    cells = [{cell.path: cell for cell in run.nodes} for run in columns]
    limits = [_limit(run) for run in columns]
    head = [html.Th("Node", scope="col"), *(_head(run) for run in columns)]
    rows = [
        html.Tr(
            [
                _name(node),
                *(
                    _cell(found.get(node.path), limit, run.began_at)
                    for run, found, limit in zip(columns, cells, limits, strict=True)
                ),
            ],
            key=node.path,
        )
        for node in nodes
    ]
    table = html.Table([html.Thead(html.Tr(head)), html.Tbody(rows)], className="board")
    return marked(table, aria_label="Last transitions: how long each node took")


def _limit(run: TransitionRun) -> float | None:
    """Return from how many seconds on a node stands out; None where too few are known to tell."""
    known = [cell.duration.total_seconds() for cell in run.nodes if cell.duration is not None]
    if len(known) < _MIDDLE_OF:
        return None
    middle = median(known)
    return max(OUTLIER_FACTOR * middle, middle + OUTLIER_S)


def _head(run: TransitionRun) -> html.Th:
    when = clock_time(run.began_at, milliseconds=False)
    name = breakable(run.transition or "several")
    took: list[Component | str] = [_mark(run.outcome)]
    if run.duration is not None:
        took.append(duration_text(run.duration.total_seconds()))
    return html.Th(
        [html.Div(name), html.Div(when, className="fg-2"), html.Div(took, className="board-took")],
        scope="col",
        className=f"is-{run.outcome}",
    )


def _name(node: Node) -> html.Th:
    # The script of the tree selects the node: its panel leads to process, log and messages.
    link = marked(html.A(node.name, href="#controller-tree", title=node.path), data_node=node.path)
    return html.Th(link, scope="row", style={"--level": node.depth})


def _cell(cell: NodeTransition | None, limit: float | None, began_at: datetime) -> html.Td:
    if cell is None:
        return html.Td(html.Span("not sent", className="fg-2"))
    content, stands_out = _content(cell, limit, began_at)
    marks = [f"is-{cell.outcome}", *(["is-outlier"] if stands_out else [])]
    return html.Td(content, className=" ".join(marks), title=cell.text or None)


def _content(cell: NodeTransition, limit: float | None, began_at: datetime) -> tuple[list[Component | str], bool]:
    if cell.outcome is TransitionOutcome.RUNNING or cell.duration is None:
        return [elapsed(began_at, short=True), _mark(cell.outcome)], False
    seconds = cell.duration.total_seconds()
    stands_out = limit is not None and seconds >= limit
    # Only a broadcast tells the node's own times; a command or a poll tells that it was no longer than this.
    bound = "" if cell.source is Source.BROADCAST else "\u2264 "
    said: list[Component | str] = [f"{bound}{duration_text(seconds)}"]
    if stands_out:
        said = [glyph(Glyph.WARNING), html.Span("took long: ", className="visually-hidden"), *said]
    return [*said, _mark(cell.outcome)], stands_out


def _mark(outcome: TransitionOutcome) -> Component:
    match outcome:
        case TransitionOutcome.RUNNING:
            return html.Span([ring(), html.Span("in progress", className="visually-hidden")])
        case TransitionOutcome.SUCCEEDED:
            return icon(Icon.CHECK, label="done")
        case TransitionOutcome.FAILED:
            return glyph(Glyph.ERROR, label="failed")
        case TransitionOutcome.UNKNOWN:
            return glyph(Glyph.UNKNOWN, label="outcome unknown")
