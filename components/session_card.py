"""The card of one session on the overview: state, run, processes, control, its tree, and its message rate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from dash import dcc, html
from dash.development.base_component import Component

from components.ages import age, age_when_stale, clock_time, duration_text, elapsed, stale_value
from components.attributes import marked
from components.badges import in_error_badge, severity_glyph, state_glyph, unreachable_badge
from components.health_strip import health_strip
from components.icons import Glyph, Icon, glyph, icon, ring
from components.notice import empty
from components.sparkline import RateSummary, sparkline
from components.strip import STALE_AFTER_S, polled_key, with_session
from services.messages.types import Severity
from services.run_control.backend_types import BackendView
from services.run_control.command_types import Action, CommandState, CommandView
from services.run_control.node_types import Node
from services.run_control.session_types import SessionSummary

RATE_SPAN = timedelta(minutes=5)
_OUTCOMES = {
    CommandState.SUCCEEDED: (Icon.CHECK, "ok", "fg-0"),
    CommandState.FAILED: (None, "failed", "text-error"),
    CommandState.UNKNOWN: (None, "outcome unknown", "text-error"),
}


@dataclass(frozen=True, slots=True)
class ProcessTotals:
    """Processes of several sessions: all of them, those that died, and those that ended as they should."""

    all: int
    dead: int
    ended: int

    @classmethod
    def of(cls, sessions: Sequence[SessionSummary]) -> Self:
        """Add them up."""
        ended = sum(session.processes_ended for session in sessions)
        over = sum(session.processes_dead for session in sessions)
        return cls(over + sum(session.processes_running for session in sessions), over - ended, ended)


def session_card(
    session: SessionSummary, tree: Sequence[Node], last: CommandView | None, person: str
) -> list[Component]:
    """Return the card's two columns, of plain elements only, so that they can stand in an outlet.

    Args:
        session: The session.
        tree: Its nodes, in tree order.
        last: Its newest transition that has ended.
        person: Name of who is looking, for "you".
    """
    return [_left(session, person), html.Div(_middle(session, tree, last), className="card-tree")]


def no_sessions(backends: Sequence[BackendView]) -> html.Div:
    """Return why there is no session, as far as the addresses of the run control tell."""
    asked = max((backend.answered_at for backend in backends if backend.answered_at), default=None)
    text = "Nobody has booted one. It appears here as soon as the process manager or a controller knows it."
    if asked is None:
        text = "No address of the run control has answered yet; the lines above say which."
    notice = empty("No session is running", text, sign=Icon.SESSIONS)
    seen = html.Div(["last answer ", marked(age(asked), data_polled="process_manager"), " ago"], className="label")
    return html.Div([notice, seen] if asked else notice, className="panel")


def rate_view(summary: RateSummary | None, session: str) -> list[Component]:
    """Return the message rate of the last five minutes, in words and as a line."""
    head = html.Span("Messages, 5 min", className="label")
    if summary is None or not any(summary.counts):
        return [html.Div([head, html.Span("none", className="push fg-1")], className="row-line"), _flat_line()]
    now = html.Span([html.B(f"{summary.all_per_s[-1]:.1f}"), " /s"], className="push")
    line = sparkline(summary, f"{session}: {sum(summary.counts)} messages in 5 minutes, {_spoken(summary)}")
    return [html.Div([head, now], className="row-line"), line, html.Div(_counts(summary), className="rate-counts")]


def last_transition(commands: Sequence[CommandView], session: str) -> CommandView | None:
    """Return the newest transition of a session that has ended; ``commands`` are newest first."""
    return next(
        (
            command
            for command in commands
            if command.session == session and command.action is Action.EXECUTE_TRANSITION and command.state.is_final
        ),
        None,
    )


def _left(session: SessionSummary, person: str) -> html.Div:
    name = dcc.Link(session.name, href=with_session("/controller", session.name), className="card-name")
    return html.Div(
        [html.H2(name), state_line(session), _run(session), _processes(session), _control(session, person)],
        className="card-state",
    )


def state_line(session: SessionSummary) -> html.Div:
    """Return the state and for how long, or the transition in progress, or that nobody answers; struck when old."""
    command = session.executing
    if command is not None and command.transition is not None:
        since = command.claimed_at or command.created_at
        progress = html.Span(["in progress, ", elapsed(since, short=True)], className="fg-1")
        return html.Div(
            [ring(), html.Span(command.transition, className="state-word"), progress], className="state-line"
        )
    if session.state is None and session.error:
        return html.Div(unreachable_badge("not reachable"), className="state-line")
    word = stale_value(session.state or "none", session.polled_at, STALE_AFTER_S, class_name="state-word")
    marked(word, data_polled=polled_key(session.name))
    late = marked(age_when_stale(session.polled_at, STALE_AFTER_S), data_polled=polled_key(session.name))
    lasted = elapsed(session.state_since, class_name="fg-1")
    parts: list[Component] = [glyph(state_glyph(session.state)), word, lasted, late]
    if session.in_error:
        parts.append(in_error_badge())
    return html.Div(parts, className="state-line")


def _run(session: SessionSummary) -> html.Div:
    run = session.run
    if run.number is None:
        return html.Div("no run", className="fg-1")
    parts: list[Component] = [html.Span(["Run ", html.B(str(run.number))])]
    if run.type:
        parts.append(html.Span(run.type))
    if run.storage_disabled is not None:
        parts.append(html.Span(["storage ", html.B("off" if run.storage_disabled else "on")]))
    return html.Div(parts, className="card-run fg-1")


def _processes(session: SessionSummary) -> html.Div:
    total = session.processes_running + session.processes_dead
    dead = session.processes_dead - session.processes_ended
    if not dead:
        ended = f", {session.processes_ended} ended normally" if session.processes_ended else ""
        return html.Div(f"{session.processes_running} of {total} processes alive{ended}", className="fg-1")
    text = f"{dead} of {total} processes dead"
    href = f"{with_session('/processes', session.name)}&status=dead"
    return html.Div([glyph(Glyph.DEAD), dcc.Link(text, href=href, className="text-error")], className="row-line")


def _control(session: SessionSummary, person: str) -> html.Div:
    if session.holder is None:
        return html.Div("in control: not known yet", className="fg-1")
    if session.held_by_nobody:
        who = f" ({session.holder})" if session.holder else ""
        return html.Div(["in control ", html.B("nobody"), who], className="fg-1")
    you = " (you)" if session.holder == person else ""
    return html.Div(["in control ", html.B(session.holder), you], className="fg-1")


def _middle(session: SessionSummary, tree: Sequence[Node], last: CommandView | None) -> list[Component]:
    executing = session.executing is not None and session.executing.transition is not None
    before = session.state if executing else None
    body = health_strip(tree, before) if tree else html.Div("The tree has not been read yet.", className="fg-1")
    return [
        html.Div([html.Span("Tree by segment", className="label"), tree_sum(tree, session)], className="row-line"),
        body,
        html.Div(_last(last), className="card-last"),
    ]


def tree_sum(tree: Sequence[Node], session: SessionSummary) -> html.Span:
    """Return how many nodes share the session's state, or have left it in a transition, and how many are abnormal."""
    included = [node for node in tree if node.included is not False]
    failed = sum(bool(node.in_error) for node in included)
    excluded = len(tree) - len(included)
    alike = sum(node.state == session.state and not node.in_error for node in included)
    word = session.state or "none"
    parts: list[Component | str] = [f"{alike} of {len(included)} {word}"]
    if session.executing is not None and session.executing.transition is not None:
        # The server does not tell where a transition leads, so what can be counted is who has left.
        parts = [f"{sum(node.state != session.state for node in included)} of {len(included)} have left {word}"]
    if failed:
        parts += [", ", html.Span(f"{failed} in error", className="text-error")]
    if excluded:
        parts.append(f", {excluded} excluded")
    return html.Span(parts if tree else [], className="push nowrap")


def _last(command: CommandView | None) -> list[Component]:
    label = html.Span("last transition", className="fg-2")
    if command is None:
        return [label, html.Span("none from this console", className="fg-1")]
    sign, word, class_name = _OUTCOMES[command.state]
    shape = glyph(Glyph.ERROR) if sign is None else icon(sign)
    took = "" if command.finished_at is None else _took(command.claimed_at or command.created_at, command.finished_at)
    return [
        label,
        html.Span(command.transition or "", className="fg-0"),
        clock_time(command.created_at),
        html.Span(took),
        html.Span([shape, word], className=f"outcome {class_name}"),
        html.Span(f"by {command.user_name}", className="fg-2"),
    ]


def _took(begun: datetime, finished: datetime) -> str:
    return duration_text((finished - begun).total_seconds())


def _counts(summary: RateSummary) -> list[Component]:
    shown = [severity for severity in reversed(Severity) if severity >= Severity.WARNING and summary.counts[severity]]
    if not shown:
        return [html.Span("nothing from WARNING up", className="fg-2")]
    return [
        html.Span(
            [glyph(severity_glyph(severity)), f"{summary.counts[severity]} {severity.name}"],
            className=f"row-line rate-{severity.name.lower()}",
        )
        for severity in shown
    ]


def _spoken(summary: RateSummary) -> str:
    counted = [f"{summary.counts[severity]} {severity.name}" for severity in Severity if summary.counts[severity]]
    return ", ".join(counted)


def _flat_line() -> html.Div:
    return marked(html.Div(className="spark-none"), aria_hidden="true")
