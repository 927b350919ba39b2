"""What is behind one cell of the transition board: a node's answer, how long it took before, and where more is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median

from dash import dcc, html
from dash.development.base_component import Component

from components.ages import clock_time, duration_text, elapsed
from components.attributes import marked
from components.icons import Glyph, glyph
from components.panel import Children, facts
from components.transition_board import bounded_text, is_outlier, middle_s, outcome_mark
from components.words import breakable
from services.history.types import NodeTransition, Source, TransitionOutcome, TransitionRun
from services.run_control.command_types import NodeResult

# So many times are listed, this one among them.
LISTED = 10
_TOLD_BY = {
    Source.BROADCAST: "the node itself",
    Source.COMMAND: "the command's answer",
    Source.POLL: "polls, so the times are rough",
}


@dataclass(frozen=True, slots=True)
class CellLink:
    """Where more is told: a word, an address, and what must be known before one follows it (empty: nothing)."""

    word: str
    href: str
    title: str = ""


def details_title(run: TransitionRun, path: str) -> list[Component | str]:
    """Return which cell this is: node, transition, and when it began."""
    name = path.rpartition("/")[2]
    return [f"{name}, ", *breakable(run.transition or "several"), ", ", clock_time(run.began_at, milliseconds=False)]


def transition_details(
    runs: Sequence[TransitionRun],
    path: str,
    usual: timedelta | None,
    result: NodeResult | None,
    links: Sequence[CellLink],
) -> list[Component]:
    """Return all of one cell.

    Args:
        runs: The transition, and the last times of the same before it (`HistoryQueries.of_node`).
        path: The node.
        usual: How long it usually takes the node; None where that is not known.
        result: What the node answered to the command, where this console sent it and still knows.
        links: Where more of it is told.
    """
    cell = runs[0].node(path)
    if cell is None:
        return []
    buttons = [
        dcc.Link(link.word, href=link.href, title=link.title or None, className="button button-outline")
        for link in links
    ]
    return [
        facts(_facts(runs[0], cell, usual, result)),
        *_stack(result),
        *_before(runs, path),
        marked(html.Div(buttons, className="node-links", role="group"), aria_label="More of it"),
    ]


def _facts(
    run: TransitionRun, cell: NodeTransition, usual: timedelta | None, result: NodeResult | None
) -> list[tuple[str, Children]]:
    end = clock_time(cell.ended_at) if cell.ended_at else "still under way"
    return [
        ("Outcome", html.Span([*outcome_mark(cell.outcome), *_heard(cell)], className="board-outcome")),
        ("Answer", _answer(cell, result)),
        ("Took", _took(run, cell, usual)),
        ("From, to", [clock_time(cell.began_at), " \u2013 ", end]),
        ("Told by", _TOLD_BY[cell.source]),
    ]


def _heard(cell: NodeTransition) -> list[Component]:
    """Return the word of an outcome that the board shows by its sign alone."""
    words = {TransitionOutcome.SUCCEEDED: "done", TransitionOutcome.RUNNING: "in progress"}
    word = words.get(cell.outcome)
    return [marked(html.Span(word), aria_hidden="true")] if word else []


def _answer(cell: NodeTransition, result: NodeResult | None) -> Children:
    text = (result.text if result else "") or cell.text
    if result is None or result.succeeded:
        return text or "nothing more"
    flags = [html.Div(breakable(flag), className="command-flag") for flag in (result.flag, result.fsm_flag) if flag]
    return [text or "failed", *flags]


def _took(run: TransitionRun, cell: NodeTransition, usual: timedelta | None) -> Children:
    if cell.duration is None:
        return elapsed(run.began_at, short=True)
    middle, usual_s = middle_s(run), None if usual is None else usual.total_seconds()
    said: list[Component | str] = [bounded_text(cell)]
    if usual_s is not None:
        said.append(f", usually {duration_text(usual_s)}")
    if middle is not None:
        said.append(f", half of the nodes at most {duration_text(middle)}")
    if is_outlier(cell, middle, usual_s):
        said = [html.Span([glyph(Glyph.WARNING), "slow"], className="board-outcome is-outlier"), " ", *said]
    return said


def _stack(result: NodeResult | None) -> list[Component]:
    if result is None or not result.detail:
        return []
    details = html.Details([html.Summary("What drunc sent with it"), html.Pre(result.detail)])
    return [html.Div(details, className="command-stack")]


def _before(runs: Sequence[TransitionRun], path: str) -> list[Component]:
    """Return the last durations of the same transition, newest first, each as a bar; nothing where it is the first."""
    cells = [(run, cell) for run in runs[:LISTED] if (cell := run.node(path)) is not None and cell.duration is not None]
    if len(cells) <= 1:
        return []
    known = [(cell.duration or timedelta()).total_seconds() for _, cell in cells]
    longest = max(*known, 0.001)
    middle = median(known)
    rows = [
        _bar(run, cell, 100 * seconds / longest, slow=is_outlier(cell, None, middle))
        for (run, cell), seconds in zip(cells, known, strict=True)
    ]
    name = html.H3("This time, and the last times of the same", className="label")
    return [html.Div([name, html.Ol(rows, className="board-before")])]


def _bar(run: TransitionRun, cell: NodeTransition, percent: float, *, slow: bool) -> html.Li:
    bar = html.Div(html.Span(className="progress-done", style={"width": f"{percent:.0f}%"}), className="progress-track")
    word: list[Component | str] = [glyph(Glyph.WARNING), "slow "] if slow else []
    said = html.Span([*outcome_mark(cell.outcome), *word, bounded_text(cell)], className="board-outcome")
    marks = " ".join([f"is-{cell.outcome}", *(["is-outlier"] if slow else [])])
    return html.Li(
        [clock_time(run.began_at, milliseconds=False), marked(bar, aria_hidden="true"), said], className=marks
    )
