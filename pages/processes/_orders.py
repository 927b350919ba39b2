"""What people order on the page of all processes. What runs is ended only after a question.

Flushing, and restarting what is dead, take one click. The question names targets, states and runs; while a run is on,
its number has to be typed. Permissions are those of the actions; the service checks them once more and audits refusals.
"""

from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from components.arguments_form import argument_error
from components.buttons import Look, button_look
from components.notice import error_notice
from components.outlet import CONTENT, drawing
from components.process_question import question_body, typed_hint, typed_label
from components.process_stake import Act, Scene, deed, needs_question, obstacle, phrase, question, targets
from components.question_dialog import question_dialog
from pages._access import callback
from pages._context import identity, services
from pages.processes import _ids as ids
from pages.processes._scene import scene
from services.accounts.types import Permission
from services.errors import ConsoleError

VIEW = Permission.VIEW_RUN_CONTROL
_CLICKED = "n_clicks"

# What a question is about: the act, and the UUIDs of what it would hit when it was asked.
Pending = Mapping[str, Any]


def dialog() -> Component:
    """Return the question before something is ended, with a reason where one is wanted."""
    reason = [
        html.Label("Reason, for the audit", htmlFor=ids.REASON),
        dbc.Input(id=ids.REASON, type="text", value="", maxlength=500, autocomplete="off"),
    ]
    return question_dialog(ids.QUESTION, fields=[html.Div(reason, id=ids.REASON_AREA, className="typed-area")])


@callback(
    Output(ids.SENT, "data"),
    Output(ids.REFUSED, CONTENT),
    Input(ids.ACTIONS[Act.FLUSH], _CLICKED),
    State(ids.CHOSEN, "data"),
    permission=Permission.FLUSH,
    prevent_initial_call=True,
)
def flush(clicks: int | None, chosen: list[str] | None) -> tuple[Any, Any]:
    """Have the dead among the selected removed from the list, or all dead where nothing is selected."""
    now = scene(chosen)
    found = targets(Act.FLUSH, now)
    if not clicks or not found:
        return no_update, _refusal(Act.FLUSH, now)
    try:
        return services().process_commands.flush(identity(), _uuids(found)), drawing(None)
    except ConsoleError as error:
        return no_update, _refused(error)


@callback(
    Output(ids.SENT, "data", allow_duplicate=True),
    Output(ids.REFUSED, CONTENT, allow_duplicate=True),
    Output(ids.PENDING, "data"),
    Input(ids.ACTIONS[Act.RESTART], _CLICKED),
    State(ids.CHOSEN, "data"),
    permission=Permission.RESTART,
    prevent_initial_call=True,
)
def restart(clicks: int | None, chosen: list[str] | None) -> tuple[Any, Any, Any]:
    """Restart the selected process; if it still runs, ask first."""
    now = scene(chosen)
    if not clicks or obstacle(Act.RESTART, now):
        return no_update, _refusal(Act.RESTART, now), no_update
    found = targets(Act.RESTART, now)
    if needs_question(Act.RESTART, found):
        return no_update, drawing(None), _pending(Act.RESTART, now)
    try:
        return services().process_commands.restart(identity(), found[0].uuid), drawing(None), no_update
    except ConsoleError as error:
        return no_update, _refused(error), no_update


@callback(
    Output(ids.PENDING, "data", allow_duplicate=True),
    Output(ids.REFUSED, CONTENT, allow_duplicate=True),
    Input(ids.ACTIONS[Act.KILL], _CLICKED),
    Input(ids.ACTIONS[Act.END], _CLICKED),
    State(ids.CHOSEN, "data"),
    State(ids.WANTED, "data"),
    permission=Permission.KILL,
    prevent_initial_call=True,
)
def ask_to_kill(_kill: int | None, _end: int | None, chosen: list[str] | None, wanted: str | None) -> tuple[Any, Any]:
    """Ask before the selected processes, or all of a session, are killed."""
    act = Act.END if ctx.triggered_id == ids.ACTIONS[Act.END] else Act.KILL
    return _ask(act, scene(chosen, wanted))


@callback(
    Output(ids.PENDING, "data", allow_duplicate=True),
    Output(ids.REFUSED, CONTENT, allow_duplicate=True),
    Input(ids.ACTIONS[Act.TERMINATE], _CLICKED),
    permission=Permission.TERMINATE,
    prevent_initial_call=True,
)
def ask_to_terminate(_clicks: int | None) -> tuple[Any, Any]:
    """Ask before everything of every session is killed."""
    return _ask(Act.TERMINATE, scene())


@callback(
    Output(ids.DIALOG, "is_open"),
    Output(ids.DIALOG_TITLE, "children"),
    Output(ids.DIALOG_BODY, CONTENT),
    Output(ids.REASON_AREA, "hidden"),
    Output(ids.TYPED_AREA, "hidden"),
    Output(ids.TYPED_LABEL, "children"),
    Output(ids.CONFIRM, "children"),
    Output(ids.TYPED, "value"),
    Output(ids.REASON, "value"),
    Output(ids.DIALOG_ERROR, "children"),
    Input(ids.PENDING, "data"),
    permission=VIEW,
    prevent_initial_call=True,
)
def show_question(pending: Pending | None) -> tuple[Any, ...]:
    """Open the dialog with the question, or close it where there is none."""
    if not pending:
        return (False, *(no_update,) * 9)
    act, now = _act(pending), scene(pending["uuids"])
    found = now.selection
    at_stake = now.at_stake(found)
    body = drawing(question_body(act, found, now))
    return (
        True,
        question(act, found, at_stake),
        body,
        act is not Act.TERMINATE,
        not at_stake,
        typed_label(at_stake),
        deed(act, found),
        "",
        "",
        [],
    )


@callback(
    Output(ids.TYPED_HINT, "children"),
    *(Output(ids.CONFIRM, name) for name in ("aria-disabled", "title", "className")),
    Input(ids.TYPED, "value"),
    Input(ids.REASON, "value"),
    Input(ids.PENDING, "data"),
    permission=VIEW,
    prevent_initial_call=True,
)
def release(typed: str | None, reason: str | None, pending: Pending | None) -> tuple[Any, ...]:
    """Release the button as soon as what has to be typed is there."""
    if not pending:
        return (no_update,) * 4
    now = scene(pending["uuids"])
    missing = _missing(_act(pending), now, typed, reason)
    hint = typed_hint(phrase(now.at_stake(now.selection)), (typed or "").strip())
    return (hint, *astuple(button_look([missing] if missing else [], Look.DANGER_FILLED)))


@callback(
    Output(ids.PENDING, "data", allow_duplicate=True),
    Input(ids.CANCEL, _CLICKED),
    permission=VIEW,
    prevent_initial_call=True,
)
def leave(_clicks: int | None) -> None:
    """Leave things as they are."""


@callback(
    Output(ids.SENT, "data", allow_duplicate=True),
    Output(ids.PENDING, "data", allow_duplicate=True),
    Output(ids.DIALOG_ERROR, "children", allow_duplicate=True),
    Input(ids.CONFIRM, _CLICKED),
    State(ids.PENDING, "data"),
    State(ids.TYPED, "value"),
    State(ids.REASON, "value"),
    permission=VIEW,
    prevent_initial_call=True,
)
def confirm(clicks: int | None, pending: Pending | None, typed: str | None, reason: str | None) -> tuple[Any, Any, Any]:
    """Order what was asked about, if all that has to be typed is there; runs that began meanwhile count."""
    if not clicks or not pending:
        return no_update, no_update, no_update
    act, uuids = _act(pending), list(pending["uuids"])
    missing = _missing(act, scene(uuids), typed, reason)
    if missing:
        return no_update, no_update, argument_error(missing)
    try:
        return _order(act, uuids, reason), None, []
    except ConsoleError as error:
        return no_update, no_update, argument_error(" ".join((error.message, error.not_done, error.next_step)))


def _order(act: Act, uuids: list[str], reason: str | None) -> int:
    commands = services().process_commands
    match act:
        case Act.RESTART:
            return commands.restart(identity(), uuids[0])
        case Act.TERMINATE:
            return commands.terminate(identity(), reason or "")
        case _:
            return commands.kill(identity(), uuids)


def _missing(act: Act, now: Scene, typed: str | None, reason: str | None) -> str | None:
    """Return what still has to be typed; None if nothing."""
    wanted = phrase(now.at_stake(now.selection))
    if act is Act.TERMINATE and not (reason or "").strip():
        return "It needs a reason."
    if (typed or "").strip() != wanted:
        return f"Type {wanted} first."
    return None


def _ask(act: Act, now: Scene) -> tuple[Any, Any]:
    if obstacle(act, now):
        return no_update, _refusal(act, now)
    return _pending(act, now), drawing(None)


def _pending(act: Act, now: Scene) -> Pending:
    return {"act": act.value, "uuids": _uuids(targets(act, now))}


def _act(pending: Pending) -> Act:
    return Act(pending["act"])


def _uuids(found: Any) -> list[str]:
    return [process.uuid for process in found]


def _refusal(act: Act, now: Scene) -> str:
    """Return what a click on a button that is off leads to: its reason, in place."""
    reason = obstacle(act, now)
    return drawing(error_notice(reason, not_done="Nothing was sent.") if reason else None)


def _refused(error: ConsoleError) -> str:
    return drawing(error_notice(error.message, not_done=error.not_done, next_step=error.next_step))
