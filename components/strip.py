"""The strip: what every page must always show about the selected session."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from dash import dcc, html
from dash.development.base_component import Component

from components.ages import age, clock_time, elapsed, stale_value
from components.attributes import marked
from components.badges import in_error_badge, state_badge, state_glyph, unreachable_badge
from components.icons import Glyph, Icon, glyph, icon, ring
from components.outlet import outlet
from components.words import counted
from services.alarms.types import AlarmCounts, Priority
from services.run_control.command_types import CommandView
from services.run_control.process_types import Process
from services.run_control.session_types import SessionSummary

# Two missed polls and a little; older than that is not the present any more.
STALE_AFTER_S = 3.0

# The shapes are those of the severities that the priorities stand for.
PRIORITY_WORDS = {
    Priority.HIGH: (Glyph.FATAL, "high"),
    Priority.MEDIUM: (Glyph.ERROR, "medium"),
    Priority.LOW: (Glyph.WARNING, "low"),
}

PICKER_NAME_ID = "strip-session-name"
PICKER_LIST_ID = "strip-session-list"
CELLS_ID = "strip-cells"
AGE_ID = "strip-age"


def select(sessions: Sequence[SessionSummary], wanted: str | None) -> SessionSummary | None:
    """Return the session the address names, else the first one; None where the named one is not there."""
    if wanted:
        return next((session for session in sessions if session.name == wanted), None)
    return sessions[0] if sessions else None


def with_session(path: str, session: str | None) -> str:
    """Return a path that keeps the selected session."""
    return f"{path}?{urlencode({'session': session}, quote_via=quote)}" if session else path


def log_path(process: Process) -> str:
    """Return where the log of a process is read."""
    return log_of(process.uuid, process.session)


def log_of(uuid: str, session: str) -> str:
    """Return where the log of a process is read, also of one that is not listed any more."""
    return with_session(f"/processes/{quote(uuid, safe='')}/log", session)


def polled_key(session: str) -> str:
    """Return under which name the heartbeat tells when a session last answered (``X-Polled`` of ``/live``)."""
    return f"session:{session}"


def frame_skeleton() -> list[Component]:
    """Return the cells that callbacks fill, empty."""
    return [
        html.Details(
            [
                html.Summary(_cell("Session", [html.Span("…", id=PICKER_NAME_ID, className="clip"), icon(Icon.DOWN)])),
                outlet(PICKER_LIST_ID, None, class_name="menu-box"),
            ],
            className="menu session-menu",
        ),
        outlet(CELLS_ID, None, class_name="strip-cells"),
    ]


def session_links(sessions: Sequence[SessionSummary], chosen: str | None, path: str) -> list[Component]:
    """Return the entries of the session picker: links, so that they can be opened in another tab too."""
    if not sessions:
        return [html.P("No session is running.", className="menu-empty")]
    return [
        dcc.Link(
            [html.Span(session.name, className="clip"), state_badge(session.state)],
            href=with_session(path, session.name),
            className="menu-item is-on" if session.name == chosen else "menu-item",
        )
        for session in sessions
    ]


def cells(session: SessionSummary | None, person: str, alarms: AlarmCounts) -> list[Component]:
    """Return the cells after the session picker, for the selected session; alarms are those of all sessions."""
    shown = [] if session is None else _session_cells(session, person)
    return [*shown, alarm_cell(alarms, session.name if session else None), _title(session, alarms)]


def age_cell(session: SessionSummary | None) -> list[Component]:
    """Return how old the shown state is; the heartbeat keeps it going without a callback."""
    if session is None or session.polled_at is None:
        return [icon(Icon.SIGNAL), html.Span("–")]
    shown = age(session.polled_at, stale_after_s=STALE_AFTER_S, class_name="data-age")
    return [icon(Icon.SIGNAL), marked(shown, data_polled=polled_key(session.name))]


def alarm_cell(alarms: AlarmCounts, session: str | None = None) -> dcc.Link:
    """Return how many alarms wait for somebody, by priority: a link to them, tinted unless there is none.

    ``alarms.js`` reads from it whether there is a new one to announce.
    """
    parts = alarm_counts(alarms)
    tint = ["is-calling"] if alarms.total else []
    cell = _cell("Alarms", parts or html.Span("none", className="fg-1"), "cell-alarms", *tint)
    marked(cell, data_alarms=str(alarms.total), data_newest_alarm=str(alarms.newest_id))
    return dcc.Link(cell, href=with_session("/alarms", session), className="strip-link", title="To the alarms")


def alarm_counts(alarms: AlarmCounts) -> list[Component]:
    """Return how many wait, by priority, the highest first; nothing for a priority without."""
    return [
        _counted(shape, alarms.waiting.get(priority, 0), word)
        for priority, (shape, word) in PRIORITY_WORDS.items()
        if alarms.waiting.get(priority)
    ]


def _counted(shape: Glyph, count: int, word: str) -> html.Span:
    """Return "1 high"; on a narrow screen the word is there for screen readers only, the shape for everybody."""
    said = html.Span([f"{count} ", html.Span(word, className="alarm-word")])
    return html.Span([glyph(shape), said], className=f"badge-state alarm-{word}")


def _session_cells(session: SessionSummary, person: str) -> list[Component]:
    run = session.run
    return [
        _cell("Run", html.Span("none" if run.number is None else str(run.number), className="run-number"), "cell-run"),
        _cell("State", state_now(session), "cell-state"),
        _run_cell("Run type", run.type),
        _run_cell("Trigger rate", None if run.trigger_rate_hz is None else f"{run.trigger_rate_hz:g} Hz"),
        _run_cell("Storage", _storage(session), "cell-storage"),
        _cell("In control", holder(session, person), "cell-control"),
    ]


def state_now(session: SessionSummary) -> list[Component]:
    """Return the state and how long it has lasted, or the transition in progress; struck when it is old."""
    if session.executing is not None and session.executing.transition is not None:
        return _in_transition(session.executing)
    if session.state is None and session.error:
        return [unreachable_badge()]
    word = stale_value(session.state or "none", session.polled_at, STALE_AFTER_S)
    marked(word, data_polled=polled_key(session.name))
    # A state word that is empty or unknown is grey; all others are as loud as the session's name.
    parts: list[Component] = [glyph(state_glyph(session.state)), word]
    if session.in_error:
        parts.append(in_error_badge())
    return [*parts, elapsed(session.state_since, class_name="fg-1 strip-elapsed")]


def _in_transition(command: CommandView) -> list[Component]:
    since = command.claimed_at or command.created_at
    return [ring(), html.Span(command.transition or ""), elapsed(since, short=True, class_name="fg-1 strip-elapsed")]


def holder(session: SessionSummary, person: str) -> list[Component]:
    """Return who is in control, and since when: you, a name, or nobody."""
    since = clock_time(session.holder_since, milliseconds=False, class_name="")
    if session.holder is None:
        return [icon(Icon.KEY), html.Span("not known yet", className="fg-2")]
    if session.held_by_nobody:
        who = f"({session.holder})" if session.holder else ""
        return [icon(Icon.KEY), html.Span("nobody"), html.Span(who, className="small fg-1 clip")]
    you = "you, since " if session.holder == person else "since "
    return [icon(Icon.KEY), html.Span(session.holder), html.Span([you, since], className="small fg-1")]


def _storage(session: SessionSummary) -> str | None:
    if session.run.storage_disabled is None:
        return None
    return "off" if session.run.storage_disabled else "on"


def _run_cell(label: str, fact: str | None, *class_names: str) -> html.Div:
    """Return a fact of the run; one that there is not takes no room on a narrow screen, where no label explains it."""
    emptiness = [] if fact else ["is-empty"]
    return _cell(label, fact or "–", "cell-minor", *class_names, *emptiness)


def _title(session: SessionSummary | None, alarms: AlarmCounts) -> html.Span:
    """Return what the tab's title says first; clock.js puts it there."""
    said = [] if session is None or session.state is None else [session.state]
    if session is not None and session.executing is not None and session.executing.transition is not None:
        said = [f"{session.executing.transition}…"]
    if alarms.total:
        said.append(counted(alarms.total, "alarm"))
    return marked(html.Span(className="hidden"), data_title=" · ".join(said))


def _cell(label: str, value: Component | str | Sequence[Component], *class_names: str) -> html.Div:
    return html.Div(
        [html.Div(label, className="strip-label"), html.Div(value, className="strip-value")],
        className=" ".join(["strip-cell", *class_names]),
    )
