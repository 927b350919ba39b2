"""Buttons, chips and segmented choices. A button that is off always says why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import marked
from components.icons import Icon, icon

ComponentId = str | dict[str, str]


class Look(StrEnum):
    """How loud a button is. DANGER_FILLED belongs into dialogs only."""

    PLAIN = "plain"
    OUTLINE = "outline"
    PRIMARY = "primary"
    CHOSEN = "chosen"
    DANGER = "danger"
    DANGER_FILLED = "danger-filled"


def button(
    text: str,
    component_id: ComponentId,
    *,
    look: Look = Look.OUTLINE,
    sign: Icon | None = None,
    small: bool = False,
    reason: str | None = None,
    described_by: str | None = None,
) -> html.Button:
    """Return a button.

    With a ``reason`` it is off: it stays reachable by keyboard, announces itself as disabled, and carries the reason as
    its tooltip; clicks still reach the callback, which must refuse them (as it must anyway). Show the reason visibly
    with `button_with_reason`, or name the element that says it in ``described_by``.
    """
    content: list[Component | str] = [text] if sign is None else [icon(sign), text]
    element = html.Button(content, id=component_id, type="button", className=_classes(look, small=small), title=reason)
    disabled = None if reason is None else "true"
    return marked(element, aria_disabled=disabled, aria_describedby=described_by)


@dataclass(frozen=True, slots=True)
class ButtonLook:
    """What changes about a button that stays in its place."""

    disabled: str
    title: str
    class_name: str


def button_look(obstacles: Sequence[str], look: Look = Look.OUTLINE) -> ButtonLook:
    """Return how a button looks against which all this stands; with nothing it is on."""
    return ButtonLook("true" if obstacles else "false", " ".join(obstacles), f"button button-{look}")


def button_with_reason(text: str, component_id: str, reason: str | None, *, look: Look = Look.OUTLINE) -> html.Span:
    """Return a button with, when it is off, its reason in words beside it."""
    if reason is None:
        return html.Span(button(text, component_id, look=look), className="with-reason")
    reason_id = f"{component_id}-reason"
    return html.Span(
        [
            button(text, component_id, look=look, reason=reason, described_by=reason_id),
            html.Span(reason, id=reason_id, className="reason"),
        ],
        className="with-reason",
    )


def icon_button(sign: Icon, label: str, component_id: ComponentId, *, small: bool = False) -> html.Button:
    """Return a button that is an icon only; ``label`` is its accessible name and tooltip."""
    classes = _classes(Look.OUTLINE, small=small) + " button-icon"
    element = html.Button(icon(sign), id=component_id, type="button", className=classes, title=label)
    return marked(element, aria_label=label)


def link_button(text: str, href: str, *, look: Look = Look.OUTLINE, sign: Icon | None = None) -> dcc.Link:
    """Return a link inside the console that looks like a button."""
    content: list[Component | str] = [text] if sign is None else [icon(sign), text]
    return dcc.Link(content, href=href, className=_classes(look, small=False))


def segmented(options: Mapping[str, str], chosen: str, ids: Mapping[str, ComponentId], label: str) -> html.Div:
    """Return buttons in one frame of which one is on. ``options``: value to text; ``ids``: value to id."""
    buttons: Sequence[Component] = [
        marked(html.Button(text, id=ids[value], type="button"), aria_pressed=str(value == chosen).lower())
        for value, text in options.items()
    ]
    return marked(html.Div(buttons, className="segmented", role="group"), aria_label=label)


def chip(name: str, value: str, close_id: ComponentId) -> html.Span:
    """Return a filter that is on, with a cross to drop it."""
    return html.Span(
        [
            html.Span(name, className="chip-name"),
            html.Span(value),
            marked(
                html.Button(icon(Icon.CLOSE), id=close_id, type="button", className="chip-close"),
                aria_label=f"drop the filter {name} {value}",
            ),
        ],
        className="chip chip-on",
    )


def _classes(look: Look, *, small: bool) -> str:
    return f"button button-{look}" + (" button-small" if small else "")
