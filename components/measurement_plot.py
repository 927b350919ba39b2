"""Measured values over time: the mean between least and greatest, a table twin, and a sentence that says the same."""

from collections.abc import Sequence
from datetime import datetime

from dash import html
from dash.development.base_component import Component

from components.ages import clock_time, thin
from components.figures import tokens
from components.rate_plot import FigureJson, plot_template, time_axis
from components.words import counted
from services.messages.types import MeasurementPoint, MeasurementView

# Values are reported every few seconds; without one for longer the line is broken.
_BREAK_S = 300
_BREAK_BUCKETS = 5


def series_label(series: MeasurementView) -> str:
    """Return what is measured, without whose it is: ``Rate of module.queue: rate_hz (Command=conf)``."""
    what = series.name.rpartition(".")[2] or series.name
    where = f" of {series.element}" if series.element else ""
    origin = f" ({series.origin})" if series.origin else ""
    return f"{what}{where}: {series.field}{origin}"


def source_label(series: MeasurementView) -> str:
    """Return whose value it is."""
    return f"{series.application or '–'}, {series.session or 'without a session'}"


def value_text(value: float) -> str:
    """Return a value in six digits at most."""
    return f"{value:.6g}"


def measurement_figure(
    points: Sequence[MeasurementPoint], start: datetime, end: datetime, theme: str, *, revision: str
) -> FigureJson:
    """Return the mean as a line in the band from least to greatest; ``x`` as in `rate_plot.rate_figure`, or None."""
    stretches = _stretches(points)
    colour = tokens(theme)
    band = {
        "type": "scatter",
        "mode": "lines",
        "name": "least to greatest",
        "x": _joined([_times_ms(part) + _times_ms(part)[::-1] for part in stretches]),
        "y": _joined([[one.least for one in part] + [one.greatest for one in reversed(part)] for part in stretches]),
        "fill": "toself",
        "fillcolor": f"{colour['c1']}33",
        "line": {"width": 0},
        "hoverinfo": "skip",
    }
    mean = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "mean",
        "x": _joined([_times_ms(part) for part in stretches]),
        "y": _joined([[one.mean for one in part] for part in stretches]),
        "line": {"color": colour["c1"], "width": 2},
        "marker": {"size": 4, "color": colour["c1"]},
        "hovertemplate": "%{y:.6~g}<extra>mean</extra>",
    }
    layout = {
        "template": plot_template(theme),
        "uirevision": revision,
        "xaxis": time_axis(start, end),
        "yaxis": {"fixedrange": True, "nticks": 6},
        "margin": {"l": 62, "r": 4, "t": 8, "b": 36},
    }
    return {"data": [band, mean], "layout": layout}


def _stretches(points: Sequence[MeasurementPoint]) -> list[list[MeasurementPoint]]:
    """Return the points, apart where none came for long."""
    stretches: list[list[MeasurementPoint]] = []
    for before, point in zip((None, *points), points, strict=False):
        longest_s = max(_BREAK_S, _BREAK_BUCKETS * point.width_s)
        if before is None or (point.start - before.start).total_seconds() > longest_s:
            stretches.append([])
        stretches[-1].append(point)
    return stretches


def _times_ms(points: Sequence[MeasurementPoint]) -> list[int]:
    """Return the middles of the buckets, milliseconds since 1970 UTC."""
    return [int(point.start.timestamp() * 1000) + point.width_s * 500 for point in points]


def _joined(parts: Sequence[Sequence[float]]) -> list[float | None]:
    """Return one list of all parts, with nothing between them: there Plotly lifts its pen."""
    joined: list[float | None] = []
    for part in parts:
        joined += [None, *part] if joined else part
    return joined


def measurement_sentence(series: MeasurementView, points: Sequence[MeasurementPoint], span: str) -> str:
    """Return the plot in one sentence."""
    name = f"{series_label(series)}, {source_label(series)}"
    if series.last_text is not None:
        when = f"{series.last_at:%Y-%m-%d %H:%M:%S} UTC" if series.last_at else "at an unknown time"
        return f"{name}: “{series.last_text}”, reported {when}. Words have no plot."
    if not points:
        return f"{name}: no value in {span}."
    number = sum(point.n for point in points)
    mean = sum(point.total for point in points) / number
    least, greatest = min(point.least for point in points), max(point.greatest for point in points)
    return (
        f"{name}: {counted(number, 'value')} in {span}, mean {value_text(mean)}, least {value_text(least)}, "
        f"greatest {value_text(greatest)}; {value_text(points[-1].last)} at the end."
    )


def measurement_table(points: Sequence[MeasurementPoint]) -> html.Table:
    """Return the plot's table twin, newest first."""
    names = ("From", "Values", "Mean", "Least", "Greatest", "Last")
    head = html.Thead(html.Tr([html.Th(name, scope="col") for name in names]))
    body = html.Tbody([_row(point) for point in reversed(points)])
    caption = html.Caption("Measured values, newest first", className="visually-hidden")
    return html.Table([caption, head, body], className="rate-table")


def _row(point: MeasurementPoint) -> html.Tr:
    values = (point.mean, point.least, point.greatest, point.last)
    cells: list[Component] = [html.Th(clock_time(point.start, milliseconds=False), scope="row")]
    cells.append(html.Td(thin(point.n)))
    cells += [html.Td(value_text(value)) for value in values]
    return html.Tr(cells)
