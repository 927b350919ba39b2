"""What the controller page shows of a session, from plain data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dash import html
from dash.development.base_component import Component

from components.ages import clock_time, elapsed, epoch_ms
from components.arguments_form import arguments_form, leads_to
from components.attributes import marked
from components.buttons import ButtonLook, Look, button, button_look
from components.command_result import command_result
from components.fsm_diagram import Situation, fsm_diagram
from components.icons import Glyph, Icon, glyph, icon, ring
from components.notice import empty, error_notice
from components.steps import step_list
from components.strip import STALE_AFTER_S, polled_key
from components.words import breakable, counted
from pages.controller import _ids as ids
from pages.controller._form import find_sequence
from services.accounts.types import Identity
from services.errors import ConsoleError
from services.run_control import fsm
from services.run_control.command_types import Action, CommandView, StepState
from services.run_control.fsm_types import Remembered, Transition
from services.run_control.fsm_types import Sequence as SequenceOfTransitions
from services.run_control.node_types import Node
from services.run_control.sequences import as_transition
from services.run_control.session_types import SessionSummary

# So many awaited nodes are named, the rest is a count.
NAMED = 3


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A transition in progress; ``by`` and ``since`` are known only when this console sent it."""

    transition: str
    destination: str | None
    by: str | None = None
    since: datetime | None = None


def under_way(session: SessionSummary) -> UnderWay | None:
    """Return the transition in progress: our own command, or what the sub-state speaks of."""
    command = session.executing
    name = fsm.transition_of(session.sub_state)
    if command is not None and command.action is Action.EXECUTE_TRANSITION and command.transition:
        since = command.claimed_at or command.created_at
        leads = fsm.destination(command.transition, session.state)
        return UnderWay(command.transition, leads, command.user_name, since)
    steps = command.steps if command is not None else ()
    step = next((step for step in steps if step.state is StepState.EXECUTING), None)
    if command is not None and step is not None:
        leads = fsm.destination(step.transition, session.state)
        return UnderWay(step.transition, leads, command.user_name, step.started_at)
    return None if name is None else UnderWay(name, fsm.destination(name, session.state))


def expected_state(session: SessionSummary) -> str | None:
    """Return the state the transition in progress leads to, None when there is none."""
    going = under_way(session)
    return going.destination if going else None


def follows_age(component: Component, session: SessionSummary) -> Component:
    """Have a component marked ``is-stale`` in the browser as soon as the session was not heard of for too long.

    While a command is under way, controllers answer nothing else (contract 10.1): that is no sign of anything.
    """
    if session.polled_at is None or session.executing is not None:
        return component
    return marked(
        component,
        data_at_ms=str(epoch_ms(session.polled_at)),
        data_stale_after_s=f"{STALE_AFTER_S:g}",
        data_keep="1",
        data_polled=polled_key(session.name),
    )


def no_session(wanted: str | None) -> Component:
    """Return what stands where a session would be."""
    if wanted:
        return empty(
            f"There is no session {wanted}", "It may have been terminated. Choose another one above.", sign=Icon.CONTROL
        )
    return empty(
        "No session is running", "As soon as one is booted, its state machine appears here.", sign=Icon.CONTROL
    )


def machine(session: SessionSummary) -> Component:
    """Return the picture of the state machine."""
    if not session.transitions:
        waiting = session.error or "The root controller has not described its state machine yet."
        return empty("No transitions known", waiting, sign=Icon.CONTROL)
    going = under_way(session)
    situation = Situation(
        listed=[transition.name for transition in session.transitions],
        possible=session.possible,
        state=session.state,
        in_progress=going.transition if going else None,
        destination=going.destination if going else None,
    )
    return follows_age(html.Div(fsm_diagram(situation)), session)


def transition_names(session: SessionSummary) -> list[str]:
    """Return the names of all transitions and sequences."""
    return [item.name for item in session.transitions] + [item.name for item in session.sequences]


def transition_rows(session: SessionSummary) -> list[Component]:
    """Return a button for each transition and sequence there is; transitions the graph does not know stand apart.

    The buttons are made once: what they look like is set on them afterwards, so that they keep the focus.
    """
    transitions = session.transitions
    unplaced = fsm.unplaced(transition.name for transition in transitions)
    rows = [_transition_row([item for item in transitions if item.name not in unplaced], "Transitions")]
    if unplaced:
        others = [item for item in transitions if item.name in unplaced]
        rows.append(_transition_row(others, "Also offered by the server", titled=True))
    if session.sequences:
        sequences = [as_transition(session, sequence) for sequence in session.sequences]
        rows.append(_transition_row(sequences, "Sequences", titled=True))
    return rows


def _transition_row(transitions: Sequence[Transition], label: str, *, titled: bool = False) -> Component:
    buttons: list[Component] = [
        button(f"{item.name}…" if item.arguments else item.name, ids.transition_id(item.name)) for item in transitions
    ]
    if titled:
        buttons.insert(0, html.Span(label, className="label"))
    return marked(html.Div(buttons, className="transitions", role="group"), aria_label=label)


def progress(session: SessionSummary, nodes: Sequence[Node]) -> list[Component]:
    """Return how far the transition in progress is; nothing when there is none."""
    going = under_way(session)
    steps: list[Component] = []
    if session.executing is not None and session.executing.steps:
        steps.append(step_list(session.executing.steps))
    return [*steps, _progress(session, going, nodes)] if going else steps


def _progress(session: SessionSummary, going: UnderWay, nodes: Sequence[Node]) -> Component:
    taking_part = [node for node in nodes if node.included is not False]
    done = [node for node in taking_part if node.state == going.destination]
    awaited = [node.name for node in taking_part if node.state != going.destination]
    failed = [node.name for node in taking_part if node.in_error]
    sub_state = session.sub_state if fsm.transition_of(session.sub_state) else None
    parts: list[Component] = [ring(), html.Span(_said(going.transition, sub_state), className="strong")]
    if going.since:
        parts.append(elapsed(going.since, short=True, class_name="mono"))
    if going.destination and going.destination != session.state and taking_part:
        share = f"{100 * len(done) / len(taking_part):.0f}%"
        parts.append(html.Div(html.Span(className="progress-done", style={"width": share}), className="progress-track"))
        parts.append(html.Span(f"{len(done)} of {len(taking_part)} nodes in {going.destination}"))
        parts.append(html.Span(["awaited: ", html.B(some(awaited))], className="fg-1"))
    if failed:
        parts.append(
            html.Span([glyph(Glyph.ERROR), f"in error: {some(failed)}"], className="badge-state state-in-error")
        )
    if going.by and going.since:
        parts.append(html.Span(["by ", html.B(going.by), ", ", clock_time(going.since)], className="push fg-1"))
    return html.Div(parts, className="under-way", role="status")


def _said(transition: str, sub_state: str | None) -> str:
    return f"{transition}, {sub_state}" if sub_state else transition


def some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def take_look(session: SessionSummary, identity: Identity, obstacle: str | None) -> ButtonLook:
    """Return how the button to take control looks."""
    if session.holder == identity.name:
        return button_look(["You are in control already."])
    return button_look([obstacle] if obstacle else [], Look.PRIMARY if session.held_by_nobody else Look.OUTLINE)


def release_look(session: SessionSummary, identity: Identity, obstacle: str | None) -> ButtonLook:
    """Return how the button to release control looks."""
    if session.holder != identity.name:
        return button_look(["Only who is in control can release it."])
    return button_look([obstacle] if obstacle else [])


def holder(session: SessionSummary, identity: Identity) -> Component:
    """Return who is in control, since when."""
    return follows_age(html.Div(_holder(session, mine=session.holder == identity.name)), session)


def _holder(session: SessionSummary, *, mine: bool) -> Component:
    if session.holder is None:
        name, note = "not known yet", "drunc has not said who is in control."
    elif session.held_by_nobody:
        name, note = "nobody", f"It still belongs to {session.holder}." if session.holder else "Control is free."
    else:
        name, note = session.holder, "you" if mine else "somebody else"
    parts: list[Component] = [
        icon(Icon.KEY),
        html.Span(name, className="holder-name"),
        html.Span(note, className="fg-1"),
    ]
    if session.holder_since and session.holder:
        parts.append(html.Span(["since ", clock_time(session.holder_since, milliseconds=False)], className="fg-1"))
    return html.Div(parts, className="holder")


def form(
    session: SessionSummary, transition: Transition, nodes: Sequence[Node], remembered: Remembered
) -> list[Component]:
    """Return target, effect and the fields of a transition."""
    excluded = [node.name for node in nodes if node.included is False]
    reached = len(nodes) - len(excluded)
    target: list[Component | str] = [
        "Target ",
        html.B(session.root_name or "root controller"),
        f" and all below, {reached} of {counted(len(nodes), 'node')}. " if nodes else " and all below. ",
    ]
    if excluded:
        target.append(f"Excluded, gets nothing: {some(excluded)}. ")
    target.append(transition.help or fsm.EFFECTS.get(transition.name, ""))
    parts: list[Component] = [html.P(target, className="fg-1")]
    sequence = find_sequence(session, transition.name)
    if sequence is not None:
        parts.append(html.P(_goes_through(sequence), className="fg-1"))
    return [*parts, arguments_form(transition, remembered)]


def _goes_through(sequence: SequenceOfTransitions) -> list[Component | str]:
    """Return the steps of a sequence in words."""
    said: list[Component | str] = ["One after the other, up to the first that fails: "]
    for position, name in enumerate(sequence.transitions):
        said += [", " if position else "", html.B(breakable(name))]
        if name in sequence.optional:
            said.append(" (skipped where it is not possible)")
    return [*said, "."]


def form_head(session: SessionSummary, name: str) -> list[Component]:
    """Return the transition's name, and from where to where it leads."""
    sequence = find_sequence(session, name)
    if sequence is not None:
        return [html.Span(breakable(name)), leads_to(session.state, fsm.destination(sequence.transitions[-1], None))]
    sources = fsm.sources(name)
    source = session.state if session.state in sources or not sources else sources[0]
    return [html.Span(breakable(name)), leads_to(source, fsm.destination(name, source))]


def take_over(error: ConsoleError) -> Component:
    """Return what the dialog says before control is taken from another person."""
    return html.P([error.message, " They are not told by drunc; tell them."], className="fg-1")


def refusal(error: ConsoleError) -> Component:
    """Return the service's refusal, in place."""
    return error_notice(error.message, not_done=error.not_done, next_step=error.next_step)


def words_in_place(text: str) -> Component:
    """Return a refusal of the page itself, in place."""
    return error_notice(text)


def outcome(command: CommandView) -> Component:
    """Return how far a command is, in the place from where it was given."""
    return html.Div(command_result(command), className="lasting-result")
