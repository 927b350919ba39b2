"""What the controller page shows of a session, from plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from dash import html
from dash.development.base_component import Component

from components.ages import clock_time, elapsed, epoch_ms
from components.arguments_form import arguments_form, leads_to, not_possible
from components.attributes import marked
from components.buttons import Look, button
from components.command_result import command_result
from components.fsm_diagram import Situation, fsm_diagram
from components.icons import Glyph, Icon, glyph, icon, ring
from components.notice import empty, error_notice
from components.strip import STALE_AFTER_S
from components.words import breakable, counted
from pages.controller import _ids as ids
from services.accounts.types import Identity
from services.errors import ConsoleError
from services.run_control import fsm
from services.run_control.types import Action, CommandView, Node, SessionSummary, Transition

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
    return None if name is None else UnderWay(name, fsm.destination(name, session.state))


def expected_state(session: SessionSummary) -> str | None:
    """Return the state the transition in progress leads to, None when there is none."""
    going = under_way(session)
    return going.destination if going else None


def follows_age(component: Component, session: SessionSummary) -> Component:
    """Have a component marked ``is-stale`` in the browser as soon as the session was not heard of for too long."""
    if session.polled_at is None:
        return component
    return marked(
        component,
        data_at_ms=str(epoch_ms(session.polled_at)),
        data_stale_after_s=f"{STALE_AFTER_S:g}",
        data_keep="1",
        data_polled=session.name,
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


def machine(
    session: SessionSummary, obstacles: Mapping[str, tuple[str, ...]], nodes: Sequence[Node], chosen: str | None
) -> list[Component]:
    """Return picture, buttons and progress. ``obstacles``: what stands against each transition now."""
    if not session.transitions:
        waiting = session.error or "The root controller has not described its state machine yet."
        return [empty("No transitions known", waiting, sign=Icon.CONTROL)]
    going = under_way(session)
    names = [transition.name for transition in session.transitions]
    situation = Situation(
        listed=names,
        possible=session.possible,
        state=session.state,
        in_progress=going.transition if going else None,
        destination=going.destination if going else None,
    )
    parts = [follows_age(html.Div(fsm_diagram(situation)), session), *_transition_rows(session, obstacles, chosen)]
    if going:
        parts.append(_progress(session, going, nodes))
    return parts


def _transition_rows(
    session: SessionSummary, obstacles: Mapping[str, tuple[str, ...]], chosen: str | None
) -> list[Component]:
    unplaced = fsm.unplaced(transition.name for transition in session.transitions)
    placed = [transition for transition in session.transitions if transition.name not in unplaced]
    others = [transition for transition in session.transitions if transition.name in unplaced]
    rows = [_transition_row(placed, obstacles, chosen, "Transitions")]
    if others:
        rows.append(_transition_row(others, obstacles, chosen, "Also offered by the server"))
    return rows


def _transition_row(
    transitions: Sequence[Transition], obstacles: Mapping[str, tuple[str, ...]], chosen: str | None, label: str
) -> Component:
    buttons: list[Component] = [
        _transition_button(transition, obstacles[transition.name], chosen) for transition in transitions
    ]
    if label != "Transitions":
        buttons.insert(0, html.Span(label, className="label"))
    return marked(html.Div(buttons, className="transitions", role="group"), aria_label=label)


def _transition_button(transition: Transition, obstacles: tuple[str, ...], chosen: str | None) -> Component:
    name = transition.name
    look = Look.CHOSEN if name == chosen else Look.OUTLINE
    text = f"{name}…" if transition.arguments else name
    return button(text, ids.transition_id(name), look=look, reason=" ".join(obstacles) or None)


def _progress(session: SessionSummary, going: UnderWay, nodes: Sequence[Node]) -> Component:
    taking_part = [node for node in nodes if node.included is not False]
    done = [node for node in taking_part if node.state == going.destination]
    awaited = [node.name for node in taking_part if node.state != going.destination]
    failed = [node.name for node in taking_part if node.in_error]
    sub_state = session.sub_state if fsm.transition_of(session.sub_state) else None
    parts: list[Component] = [ring(), html.Span(_said(going.transition, sub_state), className="strong")]
    if going.since:
        parts.append(marked(elapsed(going.since, class_name="mono"), data_short="1"))
    if going.destination and going.destination != session.state and taking_part:
        share = f"{100 * len(done) / len(taking_part):.0f}%"
        parts.append(html.Div(html.Span(className="progress-done", style={"width": share}), className="progress-track"))
        parts.append(html.Span(f"{len(done)} of {len(taking_part)} nodes in {going.destination}"))
        parts.append(html.Span(["awaited: ", html.B(_some(awaited))], className="fg-1"))
    if failed:
        parts.append(
            html.Span([glyph(Glyph.ERROR), f"in error: {_some(failed)}"], className="badge-state state-in-error")
        )
    if going.by and going.since:
        parts.append(html.Span(["by ", html.B(going.by), ", ", clock_time(going.since)], className="push fg-1"))
    return html.Div(parts, className="under-way", role="status")


def _said(transition: str, sub_state: str | None) -> str:
    return f"{transition}, {sub_state}" if sub_state else transition


def _some(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def control(session: SessionSummary, identity: Identity, obstacle: str | None) -> list[Component]:
    """Return who is in control and the buttons to take or release it; ``obstacle`` is why neither can be done."""
    mine = session.holder == identity.name
    actions = [
        button(
            "Take control",
            ids.TAKE,
            look=_take_look(session, mine=mine),
            sign=Icon.KEY,
            reason=_take_reason(obstacle, mine=mine),
        )
    ]
    not_mine = None if mine else "Only who is in control can release it."
    actions.append(button("Release", ids.RELEASE, reason=obstacle or not_mine))
    shown: list[Component] = [_holder(session, mine=mine), html.Div(actions, className="control-actions")]
    if obstacle:
        shown.append(html.P(obstacle, className="label"))
    return [follows_age(html.Div(shown), session)]


def _take_look(session: SessionSummary, *, mine: bool) -> Look:
    return Look.PRIMARY if session.held_by_nobody and not mine else Look.OUTLINE


def _take_reason(obstacle: str | None, *, mine: bool) -> str | None:
    return "You are in control already." if mine else obstacle


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


def form(session: SessionSummary, transition: Transition, nodes: Sequence[Node]) -> list[Component]:
    """Return target, effect and the fields of a transition."""
    excluded = [node.name for node in nodes if node.included is False]
    reached = len(nodes) - len(excluded)
    target: list[Component | str] = [
        "Target ",
        html.B(session.root_name or "root controller"),
        f" and all below, {reached} of {counted(len(nodes), 'node')}. " if nodes else " and all below. ",
    ]
    if excluded:
        target.append(f"Excluded, gets nothing: {_some(excluded)}. ")
    target.append(transition.help or fsm.EFFECTS.get(transition.name, ""))
    return [html.P(target, className="fg-1"), arguments_form(transition)]


def form_head(session: SessionSummary, name: str) -> list[Component]:
    """Return the transition's name, and from where to where it leads."""
    return [html.Span(breakable(name)), leads_to(session.state, fsm.destination(name, session.state))]


def standing(name: str, obstacles: tuple[str, ...]) -> list[Component]:
    """Return what stands against the transition, and the button. Off, it still asks the server, whose answer counts."""
    execute = button(
        f"Execute {name}",
        ids.EXECUTE,
        look=Look.PRIMARY,
        reason=" ".join(obstacles) or None,
        described_by="controller-obstacles" if obstacles else None,
    )
    marked(execute, data_once="1")
    return [html.Div(not_possible(obstacles), id="controller-obstacles"), html.Div(execute, className="form-actions")]


def refusal(error: ConsoleError) -> Component:
    """Return the service's refusal, in place."""
    return error_notice(error.message, not_done=error.not_done, next_step=error.next_step)


def outcome(command: CommandView) -> Component:
    """Return how far a command is, in the place from where it was given."""
    return html.Div(command_result(command, is_open=True), className="lasting-result")
