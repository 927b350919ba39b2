"""The table of what differs between two sessions, or between a session and its last good run."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from components.icons import Icon, icon
from components.panel import Children
from components.plain_table import NOTHING, Column, Row, plain_table, scrolling
from services.run_control.difference import Difference, Kind

_KINDS = {Kind.SESSION: "the session", Kind.ARGUMENT: "argument", Kind.NODE: "node", Kind.PROCESS: "process"}
# So many are listed; whoever has more compares things that have little in common.
LISTED = 500


def difference_table(found: Sequence[Difference], left: str, right: str) -> list[Component]:
    """Return what differs. ``left`` and ``right`` are what is compared, in words, and head the two columns."""
    if not found:
        alike = html.Span("Nothing differs: nodes, hosts, excluded parts and arguments are the same.")
        return [html.Div([icon(Icon.CHECK), alike], className="difference-none")]
    columns = (Column("What"), Column("Which"), Column("Aspect"), Column(left, "side"), Column(right, "side"))
    name = f"What differs: {left} and {right}"
    table = plain_table(name, columns, [_row(difference) for difference in found[:LISTED]])
    rest = len(found) - LISTED
    more = [html.P(f"and {rest} more", className="tree-nothing fg-1")] if rest > 0 else []
    return [scrolling(name, table), *more]


def _row(found: Difference) -> Row:
    which = found.thing.name or NOTHING[0]
    left, right = ("not there" if side is None else side for side in (found.left, found.right))
    cells: list[Children] = [
        _KINDS[found.thing.kind],
        html.Span(which, className="mono"),
        found.aspect or NOTHING[0],
        left,
        right,
    ]
    return Row(cells)
