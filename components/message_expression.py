"""The field for a filter as an expression: what it takes, and what is wrong with it, in place."""

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from components.attributes import marked
from components.icons import Glyph, Icon, glyph, icon

_TERMS = (
    ("severity=ERROR,FATAL", "one of these severities"),
    ("kind=ers,controller", "one of these kinds; also process_manager"),
    ("session=np04,np02", "one of these sessions; also application, topic, name"),
    ("words=read", "a word of the text begins so"),
    ('text~"timed out"', "the text contains this"),
    ('text="ready"', "the text is exactly this"),
    ("time>=2026-01-31T12:00:00Z", "at or after this moment; time<… before it"),
    ("not A, A and B, A or B, (A)", "joined; not binds closest, then and"),
)


def expression_field(input_id: str, problem_id: str, value: str | None) -> Component:
    """Return the field, its terms to look up, and room for `problem_line`."""
    field = dbc.Input(
        id=input_id,
        type="text",
        value=value or "",
        debounce=400,
        placeholder="Expression, e.g. severity=ERROR and not application=mlt",
        autocomplete="off",
        class_name="mono",
    )
    label = html.Label("Expression that messages must fit", htmlFor=input_id, className="visually-hidden")
    terms = html.Details([html.Summary("Terms"), _terms()], className="feed-terms")
    line = html.Div([icon(Icon.FILTER), label, field, terms], className="feed-expression-line")
    problem = html.Div(id=problem_id, role="alert", className="feed-expression-problem")
    return marked(
        html.Div([line, problem], role="group", className="feed-expression"),
        aria_label="Expression",
        aria_describedby=problem_id,
    )


def problem_line(problem: str, *, is_applied: bool) -> list[Component]:
    """Return what is wrong with an expression, and what that means for the list; nothing if it is understood.

    ``is_applied``: it is the list's filter all the same, because the address has it. Then nothing can be shown.
    """
    if not problem:
        return []
    meaning = "Nothing is shown until it is right." if is_applied else "It is not applied: the list is as it was."
    return [glyph(Glyph.WARNING), html.Span(f"{problem} {meaning}")]


def _terms() -> Component:
    pairs = [part for term, meaning in _TERMS for part in (html.Dt(html.Code(term)), html.Dd(meaning))]
    return html.Dl(pairs)
