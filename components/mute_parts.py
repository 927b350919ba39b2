"""Mutes on the messages page: how much they hide, the list of them, and the dialog that makes one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from components.ages import clock_time, thin
from components.attributes import marked
from components.badges import severity_badge
from components.buttons import Look, button
from components.icons import Icon, icon
from components.outlet import outlet
from components.words import counted
from services.accounts.types import Identity, Permission
from services.messages.mute_types import MUTABLE, Count, Mute
from services.messages.types import MessageView, Severity

ONE_HOUR_MIN = 60
# How long a mute may last, minutes.
DURATIONS = {ONE_HOUR_MIN: "1 h", 8 * 60: "8 h", 24 * 60: "1 day", 7 * 24 * 60: "1 week"}
_KEPT = "Hidden from the feed only: everything is stored, and alarms are raised as ever. FATAL is never muted."


@dataclass(frozen=True, slots=True)
class MuteDialogIds:
    """Ids of the dialog's parts; ``preview`` is an outlet."""

    dialog: str
    parts: str
    text: str
    up_to: str
    lasts: str
    reason: str
    preview: str
    error: str
    cancel: str
    send: str


def mute_obstacle(person: Identity, message: MessageView | None = None) -> str | None:
    """Return why somebody cannot mute (messages like one), or end a mute; None if they can."""
    never = "FATAL is never muted." if message is not None and message.severity not in MUTABLE else None
    return person.obstacle(Permission.MUTE_MESSAGES) or never


def hiding_line(number: int, hidden: Count) -> str:
    """Return how much so many mutes hide, in words."""
    if not number:
        return "Nothing is muted."
    return f"{counted(number, 'mute')} {'hides' if number == 1 else 'hide'} {_words(hidden)} of the last 15 min"


def preview_line(count: Count | None) -> list[Component | str]:
    """Return what a mute would hide; None: nothing is said of the messages yet."""
    if count is None:
        return ["Say of the messages at least their application, name or session, or a part of their text."]
    return [html.B(_words(count)), " of the last hour would be hidden."]


def _words(count: Count) -> str:
    return thin(count.number) if count.is_complete else f"at least {thin(count.number)}"


def mute_list(
    mutes: Sequence[Mute], end_id: Callable[[str], Mapping[str, Any]], obstacle: str | None
) -> list[Component]:
    """Return the mutes with who, why and until when, and a button to end each; ``obstacle`` says why not."""
    items: list[Component] = [_item(mute, end_id, obstacle) for mute in mutes]
    return [html.Ul(items, className="mutes")] if items else []


def _item(mute: Mute, end_id: Callable[[str], Mapping[str, Any]], obstacle: str | None) -> html.Li:
    end = button("End", dict(end_id(str(mute.id))), small=True, reason=obstacle)
    return html.Li(
        [
            html.Code(mute.text),
            html.Div(["up to ", severity_badge(mute.up_to)], className="mute-line"),
            html.Div(mute.reason, className="mute-reason"),
            html.Div(["by ", mute.by, ", until ", clock_time(mute.until, milliseconds=False)], className="mute-line"),
            marked(end, aria_label=f"End the mute of {mute.text}"),
        ]
    )


def muted_note(mutes: Sequence[Mute]) -> Component:
    """Return who muted messages like one, and why; nothing where nobody did."""
    if not mutes:
        return html.Span(hidden=True)
    lines = [
        html.P([icon(Icon.MUTE), f"Muted by {mute.by} until ", clock_time(mute.until, milliseconds=False),
                f": {mute.reason}"])
        for mute in mutes
    ]  # fmt: skip
    return html.Div(lines, className="muted-note")


def mute_dialog(ids: MuteDialogIds) -> Component:
    """Return the dialog, closed. It says what would be hidden before anything is."""
    title_id = f"{ids.dialog}-title"
    parts = html.Div(dbc.Checklist(id=ids.parts, options=[], value=[]), role="group", className="mute-parts")
    body = [
        marked(parts, aria_label="What the messages have in common"),
        _field("Text contains", ids.text, _input(ids.text, debounce=250)),
        _field(
            "Up to severity", ids.up_to, _select(ids.up_to, {level.name: level.name for level in reversed(MUTABLE)})
        ),
        _field("For", ids.lasts, _select(ids.lasts, {str(minutes): words for minutes, words in DURATIONS.items()})),
        _field("Reason, for everybody and the audit", ids.reason, _input(ids.reason)),
        marked(outlet(ids.preview, None, class_name="mute-preview"), aria_live="polite"),
        html.P(_KEPT, className="argument-help"),
        html.Div(id=ids.error, className="argument-error", role="alert"),
    ]
    send = marked(button("Mute", ids.send, look=Look.PRIMARY), data_once="1")
    made: Component = dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Mute messages like this", id=title_id)),
            dbc.ModalBody(body, className="arguments"),
            dbc.ModalFooter([button("Leave it", ids.cancel), send]),
        ],
        id=ids.dialog,
        labelledby=title_id,
        is_open=False,
        centered=True,
        scrollable=True,
    )
    return made


def _field(label: str, field_id: str, field: Component) -> Component:
    return html.Div([html.Label(label, htmlFor=field_id), field], className="argument")


def _input(component_id: str, *, debounce: int | bool = False) -> Component:
    made: Component = dbc.Input(
        id=component_id, type="text", value="", maxlength=500, debounce=debounce, autocomplete="off"
    )
    return made


def _select(component_id: str, options: Mapping[str, str]) -> Component:
    made: Component = dbc.Select(
        id=component_id,
        options=[{"value": value, "label": label} for value, label in options.items()],
        value=next(iter(options)),
    )
    return made


def default_limit(message: MessageView) -> Severity:
    """Return up to which severity messages like one are muted unless somebody says otherwise: up to its own."""
    return min(message.severity, MUTABLE[-1])
