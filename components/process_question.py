"""What a person reads before processes are ended: which, what stops, what cannot be undone, what else could be done."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from components.ages import elapsed
from components.attributes import marked
from components.badges import process_badge, state_badge
from components.icons import Icon, icon
from components.panel import Children, facts
from components.process_stake import Act, Scene, obstacle, phrase, run_name
from components.strip import with_session
from components.words import counted
from services.run_control.exit_codes import exit_code_meaning
from services.run_control.process_types import Process
from services.run_control.session_types import SessionSummary

# So many targets are listed by name, the rest is a count.
LISTED = 100
NAMED = 3

_EXPECTED = {
    Act.RESTART: "the same, but the process starts anew and is out of step with the rest",
    Act.KILL: "the same, but what was killed does not answer any more",
    Act.END: "none: the session is gone",
    Act.TERMINATE: "none: every session is gone",
}
_UNDONE = {
    Act.RESTART: "What the process is doing is lost. Its UUID stays. drunc itself advises against restarting.",
    Act.KILL: "Killed processes leave the list, and their logs with them. They can only be booted anew.",
    Act.END: "All processes of the session leave the list, and their logs with them.",
    Act.TERMINATE: "All processes of every session and user leave the list, and their logs with them.",
}


def question_body(act: Act, found: Sequence[Process], scene: Scene) -> list[Component]:
    """Return what stands in the dialog above the button."""
    at_stake = scene.at_stake(found)
    pairs: list[tuple[str, Children]] = []
    for session in _sessions(found, scene):
        name = f"State of {session.name}"
        pairs.append(
            (name, [state_badge(session.state), html.Span(f"expected after: {_EXPECTED[act]}", className="fg-1")])
        )
    pairs += [
        (f"Run {run_name(session)} stops" if _ends(act) else "At stake", run_line(session)) for session in at_stake
    ]
    pairs.append(("Cannot be undone", _UNDONE[act]))
    if at_stake:
        links = [
            dcc.Link(f"Stop run {run_name(session)} first", href=with_session("/controller", session.name))
            for session in at_stake
        ]
        pairs.append(("Instead", html.Span(links, className="row-line")))
    return [target_list(found), html.Div(facts(pairs), className="stake-facts")]


def typed_label(at_stake: Sequence[SessionSummary]) -> list[Component | str]:
    """Return what the field asks for."""
    what = "run number" if all(session.run.number is not None for session in at_stake) else "name"
    words = what if len(at_stake) == 1 else f"{what}s"
    return [f"Type the {words} ", html.B(phrase(at_stake)), " to release the button"]


def typed_hint(wanted: str, typed: str) -> str:
    """Return how far what was typed is from what is wanted."""
    if not typed:
        return "Enter does not confirm."
    if typed == wanted:
        return "Released."
    if wanted.startswith(typed):
        return f"{len(typed)} of {counted(len(wanted), 'character')}. Enter does not confirm."
    return "This is something else."


def selection_line(scene: Scene) -> list[Component]:
    """Return how many processes are selected, which, where, and whether a run is on there."""
    selection = scene.selection
    if not selection:
        return [html.Span("None selected", className="strong"), html.Span(_hint(scene), className="fg-1")]
    names = [process.name for process in selection[:NAMED]]
    more = f" and {len(selection) - NAMED} more" if len(selection) > NAMED else ""
    sessions = sorted({process.session for process in selection})
    where = sessions[0] if len(sessions) == 1 else f"{len(sessions)} sessions"
    runs = ", ".join(f"run {run_name(session)} is on" for session in scene.at_stake(selection))
    said = f"{', '.join(names)}{more} in {where}" + (f", {runs}" if runs else "")
    return [html.Span(f"{len(selection)} selected", className="strong is-some"), html.Span(said, className="fg-1 clip")]


def reasons_line(scene: Scene, acts: Sequence[tuple[Act, str]]) -> list[Component]:
    """Return why actions are off, in words, with what is asked for before the others; nothing if nothing is.

    Without a selection only what matters all the same is said: role and process manager.
    """
    reasons: dict[str, list[str]] = {}
    for act, word in acts:
        reason = obstacle(act, scene)
        if reason and (scene.selection or not _is_about_selection(reason)):
            reasons.setdefault(reason, []).append(word)
    said = [_off(words, reason) for reason, words in reasons.items()]
    at_stake = scene.at_stake(scene.selection)
    if at_stake and obstacle(Act.KILL, scene) is None:
        said.append(f"Kill asks for {phrase(at_stake)} because a run is on.")
    if not said:
        return []
    sign = icon(Icon.LOCK if reasons else Icon.KEY)
    return [sign, html.Span(" ".join(said))]


def _off(words: Sequence[str], reason: str) -> str:
    return f"{' and '.join(words)} {'is' if len(words) == 1 else 'are'} off: {reason[:1].lower()}{reason[1:]}"


def _is_about_selection(reason: str) -> bool:
    return "select" in reason or reason.startswith(("No process", "There are no"))


def _hint(scene: Scene) -> str:
    return "Select rows to act on them." if scene.processes else "There are no processes."


def _sessions(found: Sequence[Process], scene: Scene) -> list[SessionSummary]:
    names = {process.session for process in found}
    return [session for session in scene.sessions if session.name in names]


def _ends(act: Act) -> bool:
    return act in (Act.END, Act.TERMINATE)


def run_line(session: SessionSummary) -> Component:
    """Return what is known of a run: type, how long it has been on, whether its data is stored."""
    run = session.run
    parts: list[Component | str] = [f"Run {run.number}" if run.number is not None else f"A run of {session.name}"]
    if run.type:
        parts.append(f", {run.type}")
    if run.started_at:
        parts += [", on for ", elapsed(run.started_at)]
    if run.storage_disabled is not None:
        parts.append(f", storage {'off' if run.storage_disabled else 'on'}")
    return html.Span(parts)


def target_list(found: Sequence[Process]) -> Component:
    """Return the processes that something is for, in an area that scrolls; very long lists end with a count."""
    rows: list[Component] = [_target(process) for process in found[:LISTED]]
    if len(found) > LISTED:
        rows.append(html.Li(f"and {len(found) - LISTED} more", className="fg-1"))
    area = html.Div(html.Ul(rows, className="stake-list"), role="region", tabIndex=0, className="stake-targets")
    return marked(area, aria_label=f"{counted(len(found), 'process', 'processes')} that this is for")


def _target(process: Process) -> html.Li:
    code = process.return_code
    told = "" if code is None else f"exit code {code}, {exit_code_meaning(code)}"
    return html.Li(
        [
            html.Span(process.name, className="strong"),
            process_badge(process.status, code),
            html.Span(process.hostname, className="fg-1"),
            html.Span(told or process.session, className="fg-1"),
        ],
        title=process.uuid,
    )
