"""The form for a transition's arguments, built from the server's own description of them (contract 12.5)."""

import json
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.dependencies import Wildcard
from dash.development.base_component import Component

from components.attributes import marked
from components.badges import state_badge
from components.icons import Glyph, Icon, glyph, icon
from components.words import breakable
from services.run_control.fsm_types import RUN_NUMBER, Argument, ArgumentType, ArgumentValue, Remembered, Transition

NOTHING = Remembered()
_INPUT_MODES = {ArgumentType.INT: "numeric", ArgumentType.FLOAT: "decimal", ArgumentType.STRING: "text"}


def input_id(argument: str | Wildcard) -> dict[str, Any]:
    """Return the id of an argument's input; a wildcard of Dash stands for all."""
    return {"component": "arguments", "element": "input", "key": argument}


def error_id(argument: str | Wildcard) -> dict[str, Any]:
    """Return the id of the place for an argument's error; a wildcard of Dash stands for all."""
    return {"component": "arguments", "element": "error", "key": argument}


def arguments_form(transition: Transition, remembered: Remembered = NOTHING) -> html.Div:
    """Return one field per argument, in the server's order; what is left empty takes the server's default.

    What was ``remembered`` is offered at each field, and filled in where it is neither mandatory nor free text: a run
    number is given anew each time, and nothing is posted twice.
    """
    if not transition.arguments:
        return html.Div("This transition takes no arguments.", className="label")
    return html.Div([_field(argument, remembered) for argument in transition.arguments], className="arguments")


def argument_error(message: str | None) -> list[str | Component]:
    """Return what stands at a field that is not acceptable; nothing where it is."""
    return [glyph(Glyph.ERROR), html.Span(message)] if message else []


def leads_to(state: str | None, expected: str | None) -> html.Div:
    """Return present and expected state as ``initial → configured``."""
    target = state_badge(expected) if expected else html.Span("state unknown beforehand")
    return html.Div([state_badge(state), html.Span("→"), target], className="leads")


def not_possible(reasons: tuple[str, ...]) -> html.Div:
    """Return the box that says why the transition cannot be executed now; empty if it can."""
    if not reasons:
        return html.Div(hidden=True)
    return html.Div(
        [
            html.Div([icon(Icon.LOCK), "Not possible now"], className="not-possible-title"),
            html.Ul([html.Li(reason) for reason in reasons]),
        ],
        className="not-possible",
    )


def _field(argument: Argument, remembered: Remembered) -> html.Div:
    name = argument.name
    head = html.Div(
        [
            html.Label(breakable(name), className="argument-name", htmlFor=_dom_id(input_id(name))),
            html.Span(_kind(argument), className="argument-kind"),
        ],
        className="argument-head",
    )
    parts: list[Component] = [head, *_input(argument, remembered)]
    used = _used(argument, remembered)
    if used:
        parts.append(html.Div(used, className="argument-help"))
    if argument.help:
        parts.append(html.Div(argument.help, className="argument-help"))
    parts.append(html.Div(id=error_id(name), className="argument-error", role="status"))
    return marked(html.Div(parts, className="argument", role="group"), aria_label=f"{name}, {_kind(argument)}")


def _dom_id(component_id: dict[str, str]) -> str:
    """Return the text that Dash writes into the page for an id with several keys."""
    return json.dumps(component_id, sort_keys=True, separators=(",", ":"))


def _kind(argument: Argument) -> str:
    """Return type and presence, e.g. ``INT, mandatory`` or ``BOOL, default false``."""
    if argument.mandatory:
        return f"{argument.type}, mandatory"
    if argument.default is None or argument.default == "":
        return f"{argument.type}, optional"
    return f"{argument.type}, default {as_text(argument.default)}"


def as_text(value: ArgumentValue) -> str:
    """Return a value as people write it: ``true``, ``12.5``, ``TEST``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _used(argument: Argument, remembered: Remembered) -> str:
    """Return what is known of earlier values, in words; empty where nothing is."""
    last = remembered.last(argument.name)
    known = [] if last is None or last == "" else [f"last used in this session {as_text(last)}"]
    if argument.name == RUN_NUMBER and remembered.run_numbers:
        known.append(f"highest known {max(remembered.run_numbers)}")
    return "; ".join(known)


def _filled_in(argument: Argument, remembered: Remembered) -> ArgumentValue | None:
    """Return what a field holds at first, None for nothing."""
    last = remembered.last(argument.name)
    if last is None or argument.mandatory:
        return None
    if argument.choices:
        return last if last in argument.choices else None
    return None if argument.type is ArgumentType.STRING else last


def _input(argument: Argument, remembered: Remembered) -> list[Component]:
    value = _filled_in(argument, remembered)
    chosen = argument.default if value is None else value
    if argument.choices:
        return [_choice(argument, [as_text(choice) for choice in argument.choices], chosen)]
    if argument.type is ArgumentType.BOOL:
        return [_choice(argument, ["false", "true"], chosen)]
    default = argument.default
    offered = [as_text(used) for used in remembered.values.get(argument.name, ()) if used != ""]
    offers = f"used-{argument.name}"
    field: Component = dbc.Input(
        id=input_id(argument.name),
        type="text",
        inputmode=_INPUT_MODES[argument.type],
        value="" if value is None else as_text(value),
        placeholder="" if default is None or default == "" else f"{as_text(default)} (default)",
        autocomplete="off",
        list=offers if offered else None,
    )
    if not offered:
        return [field]
    return [field, html.Datalist([html.Option(value=text) for text in offered], id=offers)]


def _choice(argument: Argument, values: list[str], chosen: ArgumentValue | None) -> Component:
    default = None if argument.default is None else as_text(argument.default)
    field: Component = dbc.RadioItems(
        id=input_id(argument.name),
        options=[{"label": _choice_label(value, default), "value": value} for value in values],
        value=None if chosen is None else as_text(chosen),
        className="choices",
        inputClassName="visually-hidden",
        labelCheckedClassName="is-on",
    )
    return field


def _choice_label(value: str, default: str | None) -> str:
    return f"{value} (default)" if value == default else value
