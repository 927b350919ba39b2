"""Booting and ending whole sessions: what stands against it, what is asked first, and the lines to type elsewhere."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import marked
from components.badges import state_badge
from components.command_result import command_title
from components.icons import Icon, icon
from components.panel import Children, facts
from components.process_question import run_line, target_list
from components.process_stake import has_run, phrase, run_name
from components.strip import with_session
from components.words import counted
from services.accounts.types import Identity, Permission
from services.run_control.command_types import CommandView
from services.run_control.process_types import Process
from services.run_control.session_types import SessionSummary

_UNDONE = "All its processes are ended, whatever they do, and leave the list, and their logs with them."


def boot_obstacle(person: Identity, under_way: CommandView | None) -> str | None:
    """Return why no session can be booted now; None if one can. ``under_way`` is an order for a whole session."""
    return person.obstacle(Permission.START_SESSION) or _waits_for(under_way)


def end_obstacle(person: Identity, session: SessionSummary | None, under_way: CommandView | None) -> str | None:
    """Return why a session cannot be ended now; None if it can. ``session`` is None where none is chosen."""
    refused = person.obstacle(Permission.END_SESSION)
    if refused or session is None:
        return refused or "No session is chosen."
    return _waits_for(under_way) or _waits_for(session.executing)


def end_title(session: SessionSummary) -> str:
    """Return the question before a session is ended: which, how large, during which run."""
    size = counted(session.processes_running + session.processes_dead, "process", "processes")
    during = f" while run {run_name(session)} is on" if has_run(session) else ""
    return f"End {session.name} with its {size}{during}?"


def end_body(session: SessionSummary, processes: Sequence[Process]) -> list[Component]:
    """Return what a person reads before a session is ended: its processes, what stops, what else could be done."""
    expected = html.Span("expected after: none, the session is gone", className="fg-1")
    pairs: list[tuple[str, Children]] = [("State", [state_badge(session.state), expected])]
    if has_run(session):
        pairs.append((f"Run {run_name(session)} stops", run_line(session)))
    pairs.append(("Cannot be undone", _UNDONE))
    if has_run(session):
        stop = dcc.Link(f"Stop run {run_name(session)} first", href=with_session("/controller", session.name))
        pairs.append(("Instead", stop))
    targets = target_list(processes) if processes else html.P("No process of it is known.", className="fg-1")
    return [targets, html.Div(facts(pairs), className="stake-facts")]


def missing_words(session: SessionSummary, typed: str) -> str | None:
    """Return what still has to be typed before a session is ended; None if nothing has."""
    wanted = words_to_type(session)
    return f"Type {wanted} first." if typed.strip() != wanted else None


def words_to_type(session: SessionSummary) -> str:
    """Return what must be typed before a session is ended: its run; empty where no run is on."""
    return phrase([session]) if has_run(session) else ""


def obstacle_line(reason: str | None) -> Component | None:
    """Return the line that says why something is off; None if it is not."""
    return None if reason is None else html.Div([icon(Icon.LOCK), html.Span(reason)], className="session-reason")


def shell_block(shell_id: str, then_id: str) -> Component:
    """Return two lines to copy: what goes into a terminal, and what into the shell that it starts."""
    lines = (("In a terminal", shell_id), ("Then, in the shell that it starts", then_id))
    return html.Div([_line(label, text_id) for label, text_id in lines], className="shell-lines")


def _line(label: str, text_id: str) -> Component:
    text = marked(html.Code(id=text_id, tabIndex=0, role="region"), aria_label=label)
    copy = dcc.Clipboard(
        [icon(Icon.COPY), "Copy"],
        id=f"{text_id}-copy",
        target_id=text_id,
        copied_children=[icon(Icon.CHECK), "Copied"],
        className="button button-outline button-small",
    )
    return html.Div([html.Span(label, className="label"), html.Div([text, copy], className="shell-line")])


def _waits_for(command: CommandView | None) -> str | None:
    if command is None or command.state.is_final:
        return None
    return f"{command_title(command)} by {command.user_name} is under way."
