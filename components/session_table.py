"""Tables of sessions: those that are there, those that are gone, and what can be booted."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from components.ages import clock_time
from components.badges import state_badge
from components.icons import Icon
from components.notice import empty
from components.panel import Children
from components.plain_table import NOTHING, Column, Row, plain_table, scrolling
from components.strip import state_now, with_session
from components.words import counted
from services.run_control.session_types import Configuration, SessionSource, SessionSummary

_DASH, _NONE = NOTHING
_SOURCE_WORDS = {
    SessionSource.PROCESS_MANAGER: "process manager",
    SessionSource.SESSION_MANAGER: "session manager",
    SessionSource.CONNECTIVITY: "connectivity service",
    SessionSource.SETTINGS: "settings",
}
_PAGES = {"/controller": "Controller", "/processes": "Processes", "/messages": "Messages"}
_ACTIVE = (
    Column("Session"),
    Column("State"),
    Column("Run", "number"),
    Column("Owner"),
    Column("Configuration", "configuration"),
    Column("Drunc"),
    Column("Processes", "number"),
    Column("Known to", "known"),
    Column("Since"),
    Column("Go to", "pages"),
)
_GONE = (
    Column("Session"),
    Column("Gone"),
    Column("Seen first"),
    Column("Last state"),
    Column("Last run", "number"),
    Column("Owner"),
    Column("Configuration", "configuration"),
    Column("Go to", "pages"),
)
_CONFIGURATIONS = (Column("Configuration"), Column("File", "mono wide"), Column("Booted as", "booted"))


def active_table(sessions: Sequence[SessionSummary], answered: bool) -> Component:  # noqa: FBT001 - a fact, not a switch
    """Return the sessions that somebody knows of; ``answered`` tells whether anybody has been asked with success."""
    if not sessions:
        text = "It appears here as soon as anybody knows of it: process manager, session manager, connectivity service."
        if not answered:
            text = "Nobody who would know has answered yet; the lines above say who was asked."
        return empty("No session is there", text, sign=Icon.SESSIONS)
    table = plain_table("Sessions that are there", _ACTIVE, [_active_row(session) for session in sessions])
    return scrolling("Sessions that are there", table)


def gone_table(sessions: Sequence[SessionSummary]) -> Component:
    """Return sessions that nobody knows of any more, as they were when they were last seen."""
    if not sessions:
        return html.P("No session has gone since this console watches.", className="tree-nothing fg-1")
    table = plain_table("Sessions that are gone", _GONE, [_gone_row(session) for session in sessions])
    return scrolling("Sessions that are gone", html.Div(table, className="sessions-gone"))


def configuration_table(configurations: Sequence[Configuration], sessions: Sequence[SessionSummary]) -> Component:
    """Return what can be booted, and which sessions have been booted from it."""
    if not configurations:
        return empty(
            "No configuration is listed",
            "A session manager lists them (drunc G2 and G3); here is none, or it knows of none. "
            "A session can still be booted from a file whose path you know.",
            sign=Icon.SESSIONS,
        )
    rows = [
        Row([found.id, found.file, _names(found, sessions)], key=f"{found.file}\n{found.id}")
        for found in configurations
    ]
    name = "Configurations that can be booted"
    return scrolling(name, plain_table(name, _CONFIGURATIONS, rows))


def sources_text(sources: frozenset[SessionSource]) -> str:
    """Return who knows of a session, in the order of who knows most; a dash for nobody."""
    return ", ".join(word for source, word in _SOURCE_WORDS.items() if source in sources) or _DASH


def _active_row(session: SessionSummary) -> Row:
    cells: list[Children] = [
        dcc.Link(session.name, href=with_session("/sessions", session.name)),
        html.Div(state_now(session), className="row-line"),
        _run(session),
        session.owner or _DASH,
        _configuration(session.configuration),
        session.generation or _DASH,
        _processes(session),
        sources_text(session.sources),
        clock_time(session.first_seen_at, milliseconds=False, class_name=""),
        _links(session.name, _PAGES),
    ]
    return Row(cells, key=session.name)


def _gone_row(session: SessionSummary) -> Row:
    cells: list[Children] = [
        session.name,
        clock_time(session.vanished_at, milliseconds=False, class_name=""),
        clock_time(session.first_seen_at, milliseconds=False, class_name=""),
        state_badge(session.state),
        _run(session),
        session.owner or _DASH,
        _configuration(session.configuration),
        # Its processes and controllers are gone with it; what they said is not.
        _links(session.name, {"/messages": _PAGES["/messages"]}),
    ]
    return Row(cells, "is-gone", key=session.name)


def _run(session: SessionSummary) -> Children:
    return _NONE if session.run.number is None else str(session.run.number)


def _configuration(found: Configuration | None) -> Children:
    return _DASH if found is None else html.Span(found.id, title=found.file or None)


def _processes(session: SessionSummary) -> Children:
    dead = session.processes_dead - session.processes_ended
    running = counted(session.processes_running, "alive", "alive")
    if not dead:
        return running
    return html.Span([f"{running}, ", html.Span(f"{dead} dead", className="text-error")])


def _links(session: str, pages: dict[str, str]) -> Component:
    links = [
        dcc.Link(word, href=with_session(path, session), title=f"{word} of {session}") for path, word in pages.items()
    ]
    return html.Span(links, className="session-pages")


def _names(found: Configuration, sessions: Sequence[SessionSummary]) -> str:
    return ", ".join(session.name for session in sessions if session.configuration == found) or _DASH
