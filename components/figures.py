"""Plotly figures in the console's look. Plotly does not follow CSS, so both templates are built here from the tokens.

The colours are read from ``assets/00-tokens.css``, the one place that has them.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import plotly.graph_objects as go

from services.messages.types import Severity

TOKEN_SHEET = Path(__file__).parent.parent / "assets" / "00-tokens.css"
THEMES = ("dark", "light")

# Config of every dcc.Graph: no mode bar (its links have no names), no address but ours.
GRAPH_CONFIG: Mapping[str, object] = {
    "displayModeBar": False,
    "displaylogo": False,
    "responsive": True,
    "scrollZoom": False,
    "showTips": False,
}

_SEVERITY_TOKENS = {
    Severity.FATAL: "fatal-fill",
    Severity.ERROR: "error-fill",
    Severity.WARNING: "warn-fill",
    Severity.INFO: "s-info",
    Severity.LOG: "s-log",
    Severity.DEBUG: "s-debug",
}

# From zero upwards, so that the abnormal is read off the axis.
STACK_ORDER = (Severity.FATAL, Severity.ERROR, Severity.WARNING, Severity.INFO, Severity.LOG, Severity.DEBUG)


@cache
def tokens(theme: str) -> Mapping[str, str]:
    """Return the colour tokens of a theme (``dark`` or ``light``) by name, without the prefix ``--c-``."""
    selector = re.escape(f"[data-bs-theme={theme}]")
    block = re.search(selector + r"\s*\{(.*?)\}", TOKEN_SHEET.read_text(encoding="utf-8"), re.DOTALL)
    if block is None:
        raise ValueError(f"{TOKEN_SHEET.name} has no theme {theme!r}")
    return dict(re.findall(r"--c-([a-z0-9-]+):\s*(#[0-9A-Fa-f]{6});", block[1]))


def severity_colour(severity: Severity, theme: str) -> str:
    """Return the fill of a severity's bars."""
    return tokens(theme)[_SEVERITY_TOKENS[severity]]


def severity_edge(severity: Severity, theme: str) -> str:
    """Return the 1 px edge of a severity's bars: only WARNING has one, elsewhere it equals the fill."""
    return tokens(theme)["warn-edge"] if severity is Severity.WARNING else severity_colour(severity, theme)


def template(theme: str) -> go.layout.Template:
    """Return the Plotly template of a theme (tokens.md, Plotly)."""
    colour = tokens(theme)
    axis = {
        "gridcolor": colour["line"],
        "gridwidth": 1,
        "zerolinecolor": colour["line-2"],
        "zerolinewidth": 1,
        "showline": False,
        "ticks": "outside",
        "ticklen": 4,
        "tickcolor": colour["ctl"],
        "automargin": False,
    }
    layout = go.Layout(
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"size": 11, "color": colour["fg-2"], "family": "inherit"},
        margin={"l": 42, "r": 4, "t": 8, "b": 22},
        bargap=0.15,
        hovermode="x unified",
        hoverlabel={"bgcolor": colour["bg-2"], "bordercolor": colour["line-2"], "font": {"color": colour["fg-0"]}},
        showlegend=False,
        xaxis=axis,
        yaxis=axis,
        colorway=[colour["fg-0"], colour["c1"], colour["c2"], colour["c3"], colour["c4"]],
    )
    return go.layout.Template(layout=layout)


def empty_figure(theme: str, *, revision: str) -> go.Figure:
    """Return a figure without traces; ``revision`` keeps zoom and selection through updates (``uirevision``)."""
    return go.Figure(layout={"template": template(theme), "uirevision": revision})
