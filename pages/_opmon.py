"""The section OpMon of the page Rates: choose an application and one of its values, see it over the page's range."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.measurement_plot import (
    measurement_figure,
    measurement_sentence,
    measurement_table,
    series_label,
    source_label,
)
from components.panel import panel
from components.rate_plot import no_figure, rate_graph, span_of, window
from components.words import counted
from pages._access import callback, clientside_callback
from pages._context import services
from services.accounts.types import Permission
from services.clock import utc_now
from services.errors import NotFoundError
from services.messages.types import MeasurementView

SOURCE = "opmon-source-select"
VALUE = "opmon-value-select"
FIGURE = "opmon-figure"
GRAPH = "opmon-graph"
GRAPH_NAME = "opmon-graph-name"
SENTENCE = "opmon-sentence"
SCOPE = "opmon-scope"
TABLE = "opmon-table"
ADDRESS = "opmon-address"
# Of the page this section stands on.
WANTED = "rates-wanted"
ZONE = "rates-zone"
TABLE_BUTTON = "rates-table-button"


def section(series: str | None) -> Component:
    """Return the section; ``series`` is the id of the value that the address names."""
    given = series if series and series.isdigit() else ""
    chosen = dbc.Select(id=VALUE, options=[], value=given)
    source = dbc.Select(id=SOURCE, options=[], value="")
    choices = html.Div(
        [
            html.Div([html.Label("Application", htmlFor=SOURCE, className="label"), source], className="opmon-field"),
            html.Div([html.Label("Value", htmlFor=VALUE, className="label"), chosen], className="opmon-field"),
            dcc.Store(id=FIGURE),
            dcc.Store(id=ADDRESS),
        ],
        className="rates-choice opmon-choice",
    )
    body = [
        choices,
        html.Div(rate_graph(GRAPH), id=GRAPH_NAME, role="img", className="opmon-plot"),
        html.Div(id=TABLE, className="opmon-table", hidden=True),
    ]
    foot = html.Span(id=SENTENCE, className="rates-sentence")
    return panel("OpMon", body, sub=html.Span(id=SCOPE), foot=foot, flush=True, class_name="opmon")


clientside_callback(
    ClientsideFunction("rates", "series"), Output(ADDRESS, "data"), Input(VALUE, "value"), Input(WANTED, "data")
)
clientside_callback(
    ClientsideFunction("rates", "draw"), Output(GRAPH, "figure"), Input(FIGURE, "data"), Input(ZONE, "data")
)
clientside_callback(
    "(n) => [n % 2 === 1, n % 2 === 0]",
    Output(GRAPH_NAME, "hidden"),
    Output(TABLE, "hidden"),
    Input(TABLE_BUTTON, "n_clicks"),
)


@callback(
    Output(SOURCE, "options"),
    Output(SOURCE, "value"),
    Output(VALUE, "options"),
    Output(VALUE, "value"),
    Output(SCOPE, "children"),
    Input(WANTED, "data"),
    Input(SOURCE, "value"),
    Input("live-messages", "data"),
    State(VALUE, "value"),
    State(SOURCE, "options"),
    permission=Permission.VIEW_MESSAGES,
)
def offer(
    wanted: Mapping[str, Any] | None,
    source: str | None,
    _revision: int | None,
    value: str | None,
    offered: Sequence[Mapping[str, str]] | None,
) -> tuple[Any, ...]:
    """Offer the applications that measured something, and the values of the chosen one."""
    # What is there is listed anew when the choice changes, not with every message.
    if wanted is None or (offered and ctx.triggered_id == "live-messages"):
        return (no_update,) * 5
    known = services().measurements.series(session=wanted.get("session"))
    sources = list(dict.fromkeys(source_label(series) for series in known))
    named = next((source_label(series) for series in known if str(series.id) == value), None)
    source = source if ctx.triggered_id == SOURCE and source in sources else named or next(iter(sources), "")
    values = {str(series.id): series_label(series) for series in known if source_label(series) == source}
    # Numbers first: of words there is nothing to draw.
    number = next((str(one.id) for one in known if str(one.id) in values and one.last_text is None), None)
    value = value if value in values else number or next(iter(values), "")
    scope = counted(len(known), "value") + " reported" if known else "nothing was reported so far"
    return (
        [{"label": label, "value": label} for label in sources],
        source,
        [{"label": label, "value": id_} for id_, label in values.items()],
        value,
        scope,
    )


@callback(
    Output(FIGURE, "data"),
    Output(GRAPH_NAME, "aria-label"),
    Output(SENTENCE, "children"),
    Output(TABLE, "children"),
    Input(VALUE, "value"),
    Input(WANTED, "data"),
    Input("live-messages", "data"),
    Input("theme", "data"),
    Input(TABLE_BUTTON, "n_clicks"),
    permission=Permission.VIEW_MESSAGES,
)
def draw_value(
    value: str | None, wanted: Mapping[str, Any] | None, _revision: int | None, theme: str | None, pressed: int | None
) -> tuple[Any, ...]:
    """Draw the chosen value over the page's range, as it is now."""
    if wanted is None:
        return (no_update,) * 4
    series = _series(value)
    if series is None:
        nothing = "OpMon: no value is chosen."
        return no_figure(), nothing, nothing, []
    span = span_of(wanted.get("span"))
    start, end = window(utc_now(), span)
    points = services().measurements.points(series.id, start, end, max_points=span.span_s // span.bin_s * 10 + 1)
    sentence = measurement_sentence(series, points, span.text)
    figure = measurement_figure(points, start, end, theme or "dark", revision=f"{span.key} {series.id}")
    table = measurement_table(points) if (pressed or 0) % 2 else no_update
    return figure, sentence, sentence, table


def _series(value: str | None) -> MeasurementView | None:
    try:
        return services().measurements.one(int(value)) if value else None
    except NotFoundError:
        return None
