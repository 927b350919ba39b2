"""The dialog that asks before something is ended: what it is about, what has to be typed, and two buttons."""

from collections.abc import Sequence
from dataclasses import dataclass

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from components.attributes import marked
from components.buttons import Look, button
from components.outlet import outlet


@dataclass(frozen=True, slots=True)
class QuestionIds:
    """Ids of the dialog's parts. ``body`` is an outlet; ``typed_area`` is hidden where nothing has to be typed."""

    dialog: str
    title: str
    body: str
    error: str
    typed_area: str
    typed_label: str
    typed: str
    typed_hint: str
    cancel: str
    confirm: str


def question_dialog(ids: QuestionIds, *, fields: Sequence[Component] = ()) -> Component:
    """Return the dialog, closed. Nothing in it is focused; what ends something comes last.

    Args:
        ids: Of its parts.
        fields: What else is asked for, above what has to be typed.
    """
    typed = [
        html.Label(id=ids.typed_label, htmlFor=ids.typed),
        html.Div(
            [
                dbc.Input(id=ids.typed, type="text", value="", maxlength=200, autocomplete="off", inputmode="text"),
                html.Span(id=ids.typed_hint, className="fg-1", role="status"),
            ],
            className="typed-line",
        ),
    ]
    body = [
        outlet(ids.body, None),
        *fields,
        html.Div(typed, id=ids.typed_area, className="typed-area"),
        html.Div(id=ids.error, className="argument-error", role="alert"),
    ]
    confirm = button("Do it", ids.confirm, look=Look.DANGER_FILLED, reason="Nothing is asked yet.")
    made: Component = dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle(id=ids.title)),
            dbc.ModalBody(body, className="arguments"),
            dbc.ModalFooter(
                [
                    html.Span("Recorded under your name.", className="fg-2 small push-right"),
                    button("Keep as it is", ids.cancel),
                    marked(confirm, data_once="1"),
                ]
            ),
        ],
        id=ids.dialog,
        labelledby=ids.title,
        is_open=False,
        centered=True,
        scrollable=True,
    )
    return made
