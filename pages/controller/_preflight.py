"""The check before a run: shown while none is on, and asked once more before one is begun."""

from collections.abc import Mapping
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, Input, Output, State, html
from dash.development.base_component import Component

from components.arguments_form import input_id
from components.outlet import CONTENT, drawing
from components.preflight_strip import preflight_strip
from pages._access import callback
from pages._context import identity, services
from pages.controller import _ids as ids
from pages.controller._form import find_sequence, find_transition, given_values
from pages.controller._selection import obstacles, selected_session
from services.accounts.types import Permission
from services.errors import RefusedError
from services.run_control import fsm
from services.run_control.preflight import JUDGEMENT, START, Check, Preflight, Wanted, preflight, starts_a_run
from services.run_control.session_types import SessionSummary


def in_spite() -> Component:
    """Return the box to tick where a person decides to start although a check says no; hidden elsewhere."""
    box: Component = dbc.Checkbox(id=ids.IN_SPITE, label="Start all the same", value=False)
    return html.Div([box, html.Div(id=ids.IN_SPITE_SAID, className="argument-help")], id=ids.IN_SPITE_ROW, hidden=True)


@callback(
    Output(ids.PREFLIGHT, CONTENT),
    Output(ids.IN_SPITE_ROW, "hidden"),
    Output(ids.IN_SPITE_SAID, "children"),
    Input("live-sessions", "data"),
    Input("live-tree", "data"),
    Input("live-processes", "data"),
    Input(ids.WANTED, "data"),
    Input(ids.CHOSEN, "data"),
    Input(input_id(ALL), "value"),
    State(input_id(ALL), "id"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def show_preflight(
    _sessions: int,
    _tree: int,
    _processes: int,
    wanted: str,
    chosen: str | None,
    values: list[object],
    fields: list[Mapping[str, str]],
) -> tuple[Any, bool, str]:
    """Show the check for what is chosen, else for ``start`` while it is the next thing to do."""
    session = selected_session(wanted)
    name = _begins(session, chosen)
    if session is None or name is None:
        return drawing(None), True, ""
    checks = check(session, name, given_values(fields, values) if name == chosen else {})
    doubts = _doubts(checks) if name == chosen else ()
    said = "; ".join(doubt.title for doubt in doubts)
    return drawing(preflight_strip(name, session.name, checks)), not doubts, said


def _begins(session: SessionSummary | None, chosen: str | None) -> str | None:
    """Return the transition or sequence whose start is checked, None where there is nothing to check."""
    if session is None:
        return None
    if chosen is not None and starts_a_run(_goes_through(session, chosen)):
        return chosen
    waits = chosen is None and session.state in fsm.sources(START)
    return START if waits and find_transition(session, START) else None


def _goes_through(session: SessionSummary, name: str) -> tuple[str, ...]:
    sequence = find_sequence(session, name)
    return sequence.transitions if sequence else (name,)


def check(session: SessionSummary, name: str, values: Mapping[str, object]) -> Preflight:
    """Return the check of a transition or sequence with the values in its form."""
    transition = find_transition(session, name)
    if transition is None:
        return Preflight(())
    queries = services().run_control
    wanted = Wanted(transition, values, obstacles(session, name), queries.remembered(session.name).run_numbers)
    tree, processes = queries.tree(session.name), queries.processes(session.name)
    return preflight(identity().name, session, tree, processes, wanted)


def _doubts(checks: Preflight) -> tuple[Check, ...]:
    return tuple(doubt for doubt in checks.stopping if doubt.subject in JUDGEMENT)


def require_go(session: SessionSummary, name: str, values: Mapping[str, object], *, in_spite: bool) -> None:
    """Check once more before a run is begun; what the commands' own rules look at is left to them.

    Raises:
        RefusedError: A check says no, and nobody decided to start all the same.
    """
    if in_spite or not starts_a_run(_goes_through(session, name)):
        return
    doubts = _doubts(check(session, name, values))
    if doubts:
        raise RefusedError(
            f"The check before {name} says no: {'; '.join(doubt.title for doubt in doubts)}.",
            not_done="Nothing was sent.",
            next_step="Put it right, or tick the box to start all the same.",
        )
