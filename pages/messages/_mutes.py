"""Muting known noise on the messages page: the dialog that makes a mute, the list of them, and how one is ended."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import dash_bootstrap_components as dbc
from dash import ALL, ClientsideFunction, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.arguments_form import argument_error
from components.frame import live_store_id
from components.mute_parts import (
    DURATIONS,
    MuteDialogIds,
    default_limit,
    mute_dialog,
    mute_list,
    mute_obstacle,
    preview_line,
)
from components.notice import error_notice
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel_head
from pages._access import callback, clientside_callback
from pages._context import identity, services
from pages._feed import SHOW
from pages.messages import _ids as ids
from services.accounts.types import Permission
from services.errors import ConsoleError, InvalidInputError
from services.messages.filter_text import parse, to_text
from services.messages.filters import all_of
from services.messages.types import EVERYTHING, Contains, Expression, Kind, MessageView, Name, NameIn, Severity
from services.revisions import LiveTopic

# The last so much is counted before anything is hidden.
PREVIEW = timedelta(hours=1)
# So much of a text is proposed: further on it differs from message to message.
PROPOSED_TEXT = 80
_CLICKED = "n_clicks"
_DIALOG = MuteDialogIds(
    dialog=ids.MUTE_DIALOG,
    parts=ids.MUTE_PARTS,
    text=ids.MUTE_TEXT,
    up_to=ids.MUTE_UP_TO,
    lasts=ids.MUTE_LASTS,
    reason=ids.MUTE_REASON,
    preview=ids.MUTE_PREVIEW,
    error=ids.MUTE_ERROR,
    cancel=ids.MUTE_CANCEL,
    send=ids.MUTE_SEND,
)


def mutes_section(muted: str | None) -> list[Component]:
    """Return the part of the sidebar: how much is hidden, whether it is shown, and the list of mutes."""
    switch = dbc.Checklist(
        id=ids.SHOW_MUTED,
        options=[{"label": "show muted", "value": SHOW}],
        value=[SHOW] if muted == SHOW else [],
    )
    return [
        panel_head("Muted"),
        html.Div(
            [
                html.P(id=ids.HIDING, className="feed-hiding"),
                switch,
                html.Div(id=ids.MUTES),
                outlet(ids.MUTE_RESULT, None),
            ],
            className="feed-mutes",
        ),
    ]


def dialog() -> list[Component]:
    """Return the dialog, closed, and the store by which the list hears of mutes."""
    return [mute_dialog(_DIALOG), dcc.Store(id=ids.MUTES_SEEN)]


clientside_callback(
    ClientsideFunction("feed", "mutes"),
    Output(ids.MUTES_SEEN, "data"),
    Input(live_store_id(LiveTopic.MUTES), "data"),
)


@callback(
    Output(ids.MUTES, "children"),
    Input(live_store_id(LiveTopic.MUTES), "data"),
    Input(ids.MUTES_SEEN, "data"),
    permission=Permission.VIEW_MESSAGES,
)
def show_mutes(_revision: int | None, _seen: object) -> list[Component]:
    """List the mutes that last."""
    return mute_list(services().mutes.active(), ids.end_mute_id, mute_obstacle(identity()))


@callback(
    Output(ids.MUTE_DIALOG, "is_open"),
    Output(ids.MUTE_PARTS, "options"),
    Output(ids.MUTE_PARTS, "value"),
    Output(ids.MUTE_TEXT, "value"),
    Output(ids.MUTE_UP_TO, "value"),
    Output(ids.MUTE_REASON, "value"),
    Output(ids.MUTE_ERROR, "children"),
    Input(ids.mute_id(ALL), _CLICKED),
    permission=Permission.MUTE_MESSAGES,
    prevent_initial_call=True,
)
def open_dialog(clicks: list[int | None]) -> tuple[Any, ...]:
    """Open the dialog with what the message suggests."""
    if not any(clicks):
        return (no_update,) * 7
    message = services().messages.message(int(ctx.triggered_id["key"]))
    if mute_obstacle(identity(), message) is not None:
        return (no_update,) * 7
    offered = _offered(message)
    options = [{"label": text, "value": text} for text in offered.values()]
    chosen = [text for of, text in offered.items() if of is not Name.SESSION]
    return True, options, chosen, _proposed_text(message), default_limit(message).name, "", []


def _offered(message: MessageView) -> dict[Name, str]:
    """Return what messages like one have in common, as terms of an expression."""
    names = {Name.APPLICATION: message.application, Name.MESSAGE: message.name, Name.SESSION: message.session}
    return {of: to_text(NameIn(of, frozenset({name}))) for of, name in names.items() if name}


def _proposed_text(message: MessageView) -> str:
    """Return a part of the text, unless the name of an issue says enough."""
    if message.kind is Kind.ERS and message.name:
        return ""
    return (message.text.splitlines() or [""])[0][:PROPOSED_TEXT].strip()


def _what(parts: Sequence[str] | None, text: str | None) -> Expression:
    """Return what the dialog says of the messages; everything where it says nothing."""
    terms = [parse(part) for part in parts or ()]
    said = (text or "").strip()
    return all_of(*terms, Contains(said)) if said else all_of(*terms)


@callback(
    Output(ids.MUTE_PREVIEW, CONTENT),
    Input(ids.MUTE_DIALOG, "is_open"),
    Input(ids.MUTE_PARTS, "value"),
    Input(ids.MUTE_TEXT, "value"),
    Input(ids.MUTE_UP_TO, "value"),
    permission=Permission.MUTE_MESSAGES,
    prevent_initial_call=True,
)
def preview(is_open: bool | None, parts: Sequence[str] | None, text: str | None, up_to: str) -> Any:  # noqa: FBT001
    """Say how much would be hidden."""
    if not is_open:
        return no_update
    what = _what(parts, text)
    nothing_said = what == EVERYTHING
    count = None if nothing_said else services().mutes.would_hide(what, Severity[up_to], PREVIEW)
    return drawing(preview_line(count))


@callback(
    Output(ids.MUTE_DIALOG, "is_open", allow_duplicate=True),
    Output(ids.MUTE_ERROR, "children", allow_duplicate=True),
    Output(ids.MUTES_SEEN, "data", allow_duplicate=True),
    Output(ids.GRID, "selectedRows"),
    Input(ids.MUTE_SEND, _CLICKED),
    Input(ids.MUTE_CANCEL, _CLICKED),
    State(ids.MUTE_PARTS, "value"),
    State(ids.MUTE_TEXT, "value"),
    State(ids.MUTE_UP_TO, "value"),
    State(ids.MUTE_LASTS, "value"),
    State(ids.MUTE_REASON, "value"),
    permission=Permission.MUTE_MESSAGES,
    prevent_initial_call=True,
)
def mute(
    _send: int | None,
    _cancel: int | None,
    parts: Sequence[str] | None,
    text: str | None,
    up_to: str,
    lasts: str,
    reason: str | None,
) -> tuple[Any, ...]:
    """Mute; what is wrong is told in the dialog, which stays."""
    if ctx.triggered_id == ids.MUTE_CANCEL:
        return False, [], no_update, no_update
    try:
        made = services().mutes.add(
            identity(), _what(parts, text), Severity[up_to], timedelta(minutes=_minutes(lasts)), reason or ""
        )
    except InvalidInputError as error:
        return True, argument_error(f"{error.message} {error.next_step}"), no_update, no_update
    # The list is fetched anew at once, although a row was selected.
    return False, [], f"made {made.id}", []


def _minutes(given: str) -> int:
    return int(given) if given in {str(minutes) for minutes in DURATIONS} else 0


@callback(
    Output(ids.MUTES_SEEN, "data", allow_duplicate=True),
    Output(ids.MUTE_RESULT, CONTENT),
    Input(ids.end_mute_id(ALL), _CLICKED),
    permission=Permission.MUTE_MESSAGES,
    prevent_initial_call=True,
)
def end(clicks: list[int | None]) -> tuple[Any, Any]:
    """End a mute; the list is fetched anew at once."""
    if not any(clicks):
        return no_update, no_update
    ended = ctx.triggered_id["key"]
    try:
        services().mutes.end(identity(), int(ended))
    except ConsoleError as error:
        return no_update, drawing(error_notice(error.message, not_done=error.not_done, next_step=error.next_step))
    return f"ended {ended}", drawing(None)
