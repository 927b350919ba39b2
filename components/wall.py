"""The wall display: every session at a glance, large, and nothing to click. Read from four metres away."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from dash import html
from dash.development.base_component import Component

from components.ages import age, thin
from components.attributes import marked
from components.health_strip import health_strip
from components.icons import Glyph, Icon, glyph, icon
from components.session_card import ProcessTotals, state_line, tree_sum
from components.sparkline import RateSummary, sparkline
from components.strip import PRIORITY_WORDS, STALE_AFTER_S, alarm_counts, polled_key
from components.words import counted
from services.alarms.types import AlarmCounts, AlarmView, Guidance
from services.run_control.node_types import Node
from services.run_control.session_types import SessionSummary

# Up to three sessions, the first one takes the large place; more of them are equals in a grid.
MOST_BESIDE_A_LARGE_ONE = 2
# A grid of five by four is what can still be read.
MOST_SHOWN = 20
# Above either, squares of nodes would be too small or too many: then only names of what is abnormal.
MOST_WITH_SQUARES = 6
MOST_SQUARES = 60
MOST_NAMES = 3
LONG_WORD = 12


@dataclass(frozen=True, slots=True)
class Shown:
    """A session with its nodes in tree order."""

    session: SessionSummary
    tree: Sequence[Node]


def choose(sessions: Sequence[SessionSummary]) -> list[SessionSummary]:
    """Return the sessions that have a place, those with a run first, then by name.

    Where there are too many, those with a run or a fault go before the others.
    """
    by_need = sorted(sessions, key=lambda one: (one.run.number is None and not _is_abnormal(one), one.name))
    return sorted(by_need[:MOST_SHOWN], key=lambda one: (one.run.number is None, one.name))


def has_large(number: int) -> bool:
    """Tell whether the first of so many sessions takes the large place."""
    return 0 < number <= 1 + MOST_BESIDE_A_LARGE_ONE


def wall_head(sessions: Sequence[SessionSummary]) -> list[Component]:
    """Return what is true of all sessions together: how many, their processes, and the age of the oldest state."""
    totals = ProcessTotals.of(sessions)
    said: list[Component] = [html.B(counted(len(sessions), "session"))]
    if len(sessions) > MOST_SHOWN:
        said.append(html.Span(f"{MOST_SHOWN} shown", className="fg-1"))
    said.append(html.Span(counted(totals.all, "process", "processes"), className="fg-1"))
    if totals.dead:
        said.append(_dead(f"{thin(totals.dead)} dead"))
    return [html.Div(said, className="wall-sums"), _data_age(sessions)]


def wall_large(shown: Shown) -> list[Component]:
    """Return the session in the large place, without its message rate."""
    session = shown.session
    number = session.run.number
    said = html.Div("none" if number is None else str(number), className="wall-run-number" + " fg-2" * (number is None))
    run = html.Div([html.Div("Run", className="wall-label"), said])
    state = html.Div([html.Div("State", className="wall-label"), _state(session)], className="wall-state")
    return [_name(session), html.Div([run, state], className="wall-now"), _tree(shown, squares=True)]


def wall_rate(summary: RateSummary, session: str) -> list[Component]:
    """Return the message rate of the last five minutes: the newest value, a line, and how many were loud."""
    total = sum(summary.counts)
    now = html.Div(f"{summary.all_per_s[-1]:.1f} /s", className="wall-rate-now")
    words = html.Div([html.Div("Messages, 5 min", className="wall-label"), now], className="wall-rate-words")
    return [words, sparkline(summary, f"{session}: {counted(total, 'message')} in 5 minutes")]


def wall_tiles(shown: Sequence[Shown]) -> html.Div | None:
    """Return the sessions beside the large one, or all of them, in as many columns as make them largest."""
    if not shown:
        return None
    columns = 1 if len(shown) <= MOST_BESIDE_A_LARGE_ONE else ceil(sqrt(len(shown)))
    squares = len(shown) <= MOST_WITH_SQUARES
    tiles = [_tile(one, squares=squares) for one in shown]
    classes = "wall-tiles" if squares else "wall-tiles wall-many"
    return html.Div(tiles, className=classes, style={"--columns": str(columns)})


def wall_alarm(alarm: AlarmView | None, guidance: Guidance | None, counts: AlarmCounts) -> html.Div:
    """Return the band at the bottom: the most urgent alarm that waits for somebody, and how many there are.

    Args:
        alarm: The first of those that wait; None for none.
        guidance: What to do about it.
        counts: All of them.
    """
    if alarm is None:
        aside = [counted(counts.acknowledged, "acknowledged", "acknowledged")] if counts.acknowledged else []
        aside += [f"{thin(counts.shelved)} shelved"] if counts.shelved else []
        said = html.Span(" · ".join(["No alarm waits for anybody", *aside]))
        return html.Div([icon(Icon.CHECK), said], className="wall-alarm wall-alarm-none")
    shape, word = PRIORITY_WORDS[alarm.priority]
    where = f"{alarm.session}. " if alarm.session else ""
    advice = f"{guidance.action} " if guidance and guidance.action else ""
    told: list[Component] = [
        html.H2(f"{alarm.subject}: {alarm.text}"),
        html.P([html.B(["Not acknowledged for ", age(alarm.raised_at), ". "]), f"{where}{advice}"]),
    ]
    if guidance and guidance.contact:
        told.append(html.P(guidance.contact, className="wall-contact"))
    waiting = html.Div(alarm_counts(counts), className="wall-alarm-counts")
    return html.Div([glyph(shape), html.Div(told), waiting], className=f"wall-alarm wall-alarm-{word}")


def _tile(shown: Shown, *, squares: bool) -> html.Section:
    session = shown.session
    parts = [_name(session, with_run=True), _state(session), _tree(shown, squares=squares)]
    return marked(html.Section(parts, className="wall-tile", key=session.name), aria_label=f"Session {session.name}")


def _name(session: SessionSummary, *, with_run: bool = False) -> html.Div:
    return html.Div(
        [
            html.H2(session.name, className="clip"),
            html.Span(" · ".join(_run_facts(session, with_run=with_run)), className="wall-facts"),
        ],
        className="wall-name",
    )


def _run_facts(session: SessionSummary, *, with_run: bool) -> list[str]:
    run = session.run
    if run.number is None:
        return ["no run"] if with_run else []
    facts = [f"run {run.number}"] if with_run else []
    if run.type:
        facts.append(run.type)
    if run.storage_disabled is not None:
        facts.append("storage off" if run.storage_disabled else "storage on")
    return facts


def _state(session: SessionSummary) -> html.Div:
    word = session.executing.transition if session.executing and session.executing.transition else session.state
    line = state_line(session)
    return html.Div(line, className="wall-long") if len(word or "") > LONG_WORD else html.Div(line)


def _tree(shown: Shown, *, squares: bool) -> html.Div:
    session, tree = shown.session, shown.tree
    said: list[Component] = [tree_sum(tree, session) if tree else html.Span("The tree has not been read yet.")]
    dead = session.processes_dead - session.processes_ended
    if dead:
        said.append(_dead(counted(dead, "process dead", "processes dead")))
    parts: list[Component] = [html.Div(said, className="wall-sum")]
    if squares and 0 < len(tree) <= MOST_SQUARES:
        leaving = session.executing is not None and session.executing.transition is not None
        parts.append(health_strip(tree, session.state if leaving else None))
    elif names := _names_in_error(tree):
        parts.append(html.Div(names, className="wall-names clip text-error"))
    return html.Div(parts, className="wall-tree")


def _names_in_error(tree: Sequence[Node]) -> str:
    names = [node.name for node in tree if node.in_error and node.included is not False]
    rest = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"{', '.join(names[:MOST_NAMES])}{rest} in error" if names else ""


def _dead(words: str) -> html.Span:
    return html.Span([glyph(Glyph.DEAD), words], className="wall-dead text-error")


def _data_age(sessions: Sequence[SessionSummary]) -> html.Div:
    """Return the age of the state that was read longest ago; once it is late the next drawing may find another."""
    read = [(one.polled_at, one.name) for one in sessions if one.polled_at is not None]
    if not read:
        return html.Div([icon(Icon.SIGNAL), html.Span("no data yet")], className="wall-age")
    moment, name = min(read)
    shown = marked(age(moment, stale_after_s=STALE_AFTER_S), data_polled=polled_key(name), data_suffix=" old")
    return html.Div([icon(Icon.SIGNAL), html.Span(["data ", shown])], className="wall-age")


def _is_abnormal(session: SessionSummary) -> bool:
    dead = session.processes_dead > session.processes_ended
    return bool(session.in_error or session.nodes_in_error or session.error or dead)
