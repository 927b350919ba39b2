"""The transition board: which node took how long in each of the last transitions, and which failed.

It is a grid with one place in the tab order; `assets/board.js` moves that along, and finds cells by ``data-run``.
"""

from collections.abc import Sequence
from datetime import datetime
from statistics import median

from dash import html
from dash.development.base_component import Component

from components.ages import clock_time, duration_text, elapsed
from components.attributes import marked
from components.icons import Glyph, Icon, glyph, icon, ring
from components.words import breakable
from services.history.types import Board, NodeTransition, TransitionOutcome, TransitionRun, is_own_time
from services.run_control.node_types import Node

# A node stands out that took so many times as long as half of the nodes did, or as it usually does, and so much longer.
OUTLIER_FACTOR = 2.0
OUTLIER_S = 1.0
_MIDDLE_OF = 3


def transition_board(nodes: Sequence[Node], board: Board) -> html.Table:
    """Return the board: a row a node in the order of ``nodes``, a column a transition, the latest at the right."""
    columns = list(reversed(board.runs))
    cells = [{cell.path: cell for cell in run.nodes} for run in columns]
    middles = [middle_s(run) for run in columns]
    head = [html.Th("Node", scope="col"), *(_head(run, board) for run in columns)]
    rows = [
        html.Tr(
            [
                _name(node, first=not position),
                *(
                    _cell(run, found.get(node.path), (middle, usual_s(board, run, node.path)))
                    for run, found, middle in zip(columns, cells, middles, strict=True)
                ),
            ],
            key=node.path,
        )
        for position, node in enumerate(nodes)
    ]
    table = html.Table([html.Thead(html.Tr(head)), html.Tbody(rows)], className="board", role="grid")
    return marked(table, aria_label="Last transitions: how long each node took", aria_readonly="true")


def middle_s(run: TransitionRun) -> float | None:
    """Return the seconds that half of the nodes took at most; None where too few are known to tell."""
    known = [cell.duration.total_seconds() for cell in run.nodes if cell.duration is not None]
    return median(known) if len(known) >= _MIDDLE_OF else None


def usual_s(board: Board, run: TransitionRun, path: str) -> float | None:
    """Return the seconds that a transition usually takes a node; None where that is not known."""
    usual = board.usual.get((run.transition or "", path))
    return None if usual is None else usual.total_seconds()


def is_outlier(cell: NodeTransition, middle: float | None, usual: float | None) -> bool:
    """Tell whether a node took much longer than the others did (``middle``) or than it ``usually`` does, in seconds."""
    if cell.duration is None or cell.outcome is TransitionOutcome.RUNNING:
        return False
    # A bound is the whole command's duration: it tells nothing of the node's own past.
    known = [middle, usual if is_own_time(cell) else None]
    seconds = cell.duration.total_seconds()
    return any(seconds >= max(OUTLIER_FACTOR * level, level + OUTLIER_S) for level in known if level is not None)


def bounded_text(cell: NodeTransition) -> str:
    """Return how long a node took; ``≤`` before what no node told itself: it was no longer than that."""
    bound = "" if is_own_time(cell) else "\u2264 "
    return "" if cell.duration is None else f"{bound}{duration_text(cell.duration.total_seconds())}"


def outcome_mark(outcome: TransitionOutcome) -> list[Component | str]:
    """Return the sign of an outcome with its word; that of a success is heard only, so that the rest stands out."""
    match outcome:
        case TransitionOutcome.RUNNING:
            return [ring(), html.Span("in progress", className="visually-hidden")]
        case TransitionOutcome.SUCCEEDED:
            return [icon(Icon.CHECK, label="done")]
        case TransitionOutcome.FAILED:
            return [glyph(Glyph.ERROR), html.Span("failed")]
        case TransitionOutcome.UNKNOWN:
            return [glyph(Glyph.UNKNOWN), html.Span("unknown")]


def _head(run: TransitionRun, board: Board) -> html.Th:
    when = clock_time(run.began_at, milliseconds=False)
    took: list[Component | str] = outcome_mark(run.outcome)
    if run.duration is not None:
        took.append(duration_text(run.duration.total_seconds()))
    number = board.run_numbers.get(run.id)
    said = [] if number is None else [html.Div(f"run {number}", className="fg-2")]
    return html.Th(
        [
            *said,
            html.Div(breakable(run.transition or "several")),
            html.Div(when, className="fg-2"),
            html.Div(took, className="board-took"),
        ],
        scope="col",
        className=f"is-{run.outcome}",
    )


def _name(node: Node, *, first: bool) -> html.Th:
    # The script of the tree selects the node: its panel leads to process, log and messages.
    link = html.A(node.name, href="#controller-tree", title=node.path, tabIndex=0 if first else -1)
    return html.Th(marked(link, data_node=node.path), scope="row", style={"--level": node.depth})


def _cell(run: TransitionRun, cell: NodeTransition | None, levels: tuple[float | None, float | None]) -> html.Td:
    if cell is None:
        return html.Td(html.Span("not sent", className="fg-2"))
    stands_out = is_outlier(cell, *levels)
    marks = [f"is-{cell.outcome}", *(["is-outlier"] if stands_out else [])]
    made = html.Td(_content(cell, run.began_at, slow=stands_out), className=" ".join(marks), tabIndex=-1)
    return marked(made, data_run=str(run.id))


def _content(cell: NodeTransition, began_at: datetime, *, slow: bool) -> list[Component | str]:
    if cell.outcome is TransitionOutcome.RUNNING or cell.duration is None:
        return [*outcome_mark(cell.outcome), elapsed(began_at, short=True)]
    if cell.outcome is TransitionOutcome.SUCCEEDED and not slow:
        return [bounded_text(cell), *outcome_mark(cell.outcome)]
    said: list[Component | str] = [glyph(Glyph.WARNING), html.Span("slow")] if slow else []
    took = html.Span(bounded_text(cell))
    if cell.outcome is TransitionOutcome.SUCCEEDED:
        return [*said, took, *outcome_mark(cell.outcome)]
    return [*outcome_mark(cell.outcome), *said, took]
