"""Messages per second by severity: stacked bars, their table twin, and one sentence that says the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from components.ages import clock_time, duration_text, thin
from components.attributes import marked
from components.badges import severity_badge, severity_glyph
from components.figures import GRAPH_CONFIG, STACK_ORDER, severity_colour, severity_edge, template
from components.icons import glyph
from components.words import counted
from services.messages.types import RateBucket, Severity

# A Plotly figure as JSON; Plotly's own classes validate every value, which costs more than all the rest.
FigureJson = dict[str, Any]

LOUD = (Severity.FATAL, Severity.ERROR, Severity.WARNING)
_NONE = (0, 0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Span:
    """A choice of range: its key in the URL, its words, and the width of its bins in seconds."""

    key: str
    text: str
    span_s: int
    bin_s: int


SPANS = (
    Span("15m", "15 min", 900, 10),
    Span("1h", "1 h", 3_600, 60),
    Span("6h", "6 h", 21_600, 180),
    Span("24h", "24 h", 86_400, 600),
    Span("7d", "7 d", 604_800, 3_600),
)


def span_of(key: str | None) -> Span:
    """Return the range of a key, the shortest for keys nobody knows."""
    return next((span for span in SPANS if span.key == key), SPANS[0])


def window(now: datetime, span: Span) -> tuple[datetime, datetime]:
    """Return start and end of a range that holds ``now`` in its last bin, both on borders of bins."""
    end_s = (int(now.timestamp()) // span.bin_s + 1) * span.bin_s
    end = datetime.fromtimestamp(end_s, UTC)
    return end - timedelta(seconds=span.span_s), end


def bins(buckets: Sequence[RateBucket], start: datetime, end: datetime, bin_s: int) -> tuple[RateBucket, ...]:
    """Return one bin for every ``bin_s`` seconds from ``start`` to ``end``, empty ones with zeros.

    Buckets that are finer are added up; ``min_id`` and ``max_id`` of an empty bin are 0.
    """
    found: dict[int, list[RateBucket]] = {}
    for bucket in buckets:
        found.setdefault(bucket.start_s // bin_s * bin_s, []).append(bucket)
    first, last = int(start.timestamp()), int(end.timestamp())
    return tuple(_bin(second, bin_s, found.get(second, [])) for second in range(first, last, bin_s))


def _bin(second: int, bin_s: int, parts: Sequence[RateBucket]) -> RateBucket:
    debug, log, info, warning, error, fatal = (
        tuple(sum(column) for column in zip(*(part.counts for part in parts), strict=True)) if parts else _NONE
    )
    return RateBucket(
        start_s=second,
        width_s=bin_s,
        counts=(debug, log, info, warning, error, fatal),
        min_id=min((part.min_id for part in parts), default=0),
        max_id=max((part.max_id for part in parts), default=0),
    )


def passed_s(bucket: RateBucket, now: datetime) -> float:
    """Return how many seconds of a bin have passed: the last one is not over, and its rate is of what has passed."""
    return min(max(now.timestamp() - bucket.start_s, 1.0), float(bucket.width_s))


def totals(bars: Sequence[RateBucket]) -> Mapping[Severity, int]:
    """Return how many messages of each severity there are."""
    return {severity: sum(bar.counts[severity] for bar in bars) for severity in Severity}


def rate_figure(
    bars: Sequence[RateBucket], now: datetime, theme: str, *, revision: str, small: bool = False
) -> FigureJson:
    """Return stacked bars, the abnormal from zero upwards.

    ``x`` is in milliseconds since 1970 UTC: the browser turns it into times of the zone the person chose
    (`assets/rates.js`). ``revision`` keeps zoom and selection through updates; ``small`` leaves out all but the bars.
    """
    x = [bar.start_s * 1000 + bar.width_s * 500 for bar in bars]
    widths = [bar.width_s * 850 for bar in bars]
    seconds = [passed_s(bar, now) for bar in bars]
    traces = [
        {
            "type": "bar",
            "name": severity.name,
            "x": x,
            "y": [round(bar.counts[severity] / second, 4) for bar, second in zip(bars, seconds, strict=True)],
            "width": widths,
            "marker": {
                "color": severity_colour(severity, theme),
                "line": {"color": severity_edge(severity, theme), "width": 1 if severity is Severity.WARNING else 0},
            },
            "hovertemplate": "%{y:.3~g} /s",
        }
        for severity in STACK_ORDER
        if not small or any(bar.counts[severity] for bar in bars)
    ]
    return {"data": traces, "layout": _layout(bars, theme, revision, small=small)}


def _layout(bars: Sequence[RateBucket], theme: str, revision: str, *, small: bool) -> FigureJson:
    start, end = (bars[0].start, bars[-1].start + timedelta(seconds=bars[-1].width_s)) if bars else (None, None)
    return {
        "template": plot_template(theme),
        "barmode": "stack",
        "uirevision": revision,
        "dragmode": False if small else "zoom",
        "xaxis": time_axis(start, end, small=small),
        "yaxis": {"rangemode": "tozero", "fixedrange": True, "nticks": 3 if small else 6},
        "margin": {"l": 32 if small else 42, "r": 4, "t": 8, "b": 36 if _is_long(start, end) and not small else 22},
    }


def time_axis(start: datetime | None, end: datetime | None, *, small: bool = False) -> FigureJson:
    """Return an axis from ``start`` to ``end``, in milliseconds since 1970 UTC (see `rate_figure`)."""
    return {
        "type": "date",
        "range": [int(edge.timestamp() * 1000) for edge in (start, end) if edge],
        "showgrid": False,
        "showspikes": False,
        "nticks": 10 if small else 16,
        "tickangle": 0,
        "tickformatstops": [
            {"dtickrange": [None, 60_000], "value": "%H:%M:%S"},
            {"dtickrange": [60_000, 86_400_000], "value": "%H:%M\n%a %d %b" if _is_long(start, end) else "%H:%M"},
            {"dtickrange": [86_400_000, None], "value": "%a %d %b"},
        ],
        "hoverformat": "%a %d %b %H:%M:%S",
        "fixedrange": small,
    }


def _is_long(start: datetime | None, end: datetime | None) -> bool:
    return start is not None and end is not None and end - start > timedelta(hours=12)


@cache
def plot_template(theme: str) -> FigureJson:
    """Return the look of all plots in a theme, as JSON."""
    made: FigureJson = template(theme).to_plotly_json()
    return made


def rate_graph(graph_id: str) -> dcc.Graph:
    """Return the place of a plot, empty until a callback brings its figure."""
    config: Any = dict(GRAPH_CONFIG)
    figure: Any = no_figure()
    return dcc.Graph(id=graph_id, figure=figure, config=config, className="plot", responsive=True)


def no_figure() -> FigureJson:
    """Return what is drawn before there is data: nothing, instead of Plotly's own empty axes."""
    axis = {"visible": False}
    clear = "rgba(0,0,0,0)"
    return {"data": [], "layout": {"xaxis": axis, "yaxis": axis, "paper_bgcolor": clear, "plot_bgcolor": clear}}


def summary(bars: Sequence[RateBucket], now: datetime, scope: str) -> str:
    """Return the plot in one sentence."""
    if not bars:
        return f"Messages per second, {scope}: no data."
    count = totals(bars)
    everything = sum(count.values())
    span = duration_text(sum(bar.width_s for bar in bars))
    if not everything:
        return f"Messages per second, {scope}: no message in {span}."
    peak = max(bars, key=lambda bar: sum(bar.counts) / passed_s(bar, now))
    loud = (
        ", ".join(f"{count[severity]} {severity.name}" for severity in LOUD if count[severity])
        or "none from WARNING up"
    )
    return (
        f"Messages per second, {scope}: {counted(everything, 'message')} in {span}, {loud}; highest "
        f"{sum(peak.counts) / passed_s(peak, now):.3g} per second at {peak.start:%H:%M:%S} UTC."
    )


def legend(shown: Sequence[Severity] = STACK_ORDER) -> html.Div:
    """Return the legend: shape and word for what is loud, a swatch for the greys."""
    return html.Div([_legend_item(severity) for severity in reversed(shown)], className="legend")


def _legend_item(severity: Severity) -> html.Span:
    swatch = html.Span(className=f"swatch swatch-{severity.name.lower()}")
    sign = glyph(severity_glyph(severity)) if severity in LOUD else marked(swatch, aria_hidden="true")
    return html.Span([sign, severity.name], className="legend-item")


def rate_table(bars: Sequence[RateBucket]) -> html.Table:
    """Return the plot's table twin: messages per bin, newest first."""
    head = html.Thead(
        html.Tr([html.Th("From", scope="col"), *(html.Th(s.name, scope="col") for s in STACK_ORDER), html.Th("All")])
    )
    body = html.Tbody([_table_row(bar) for bar in reversed(bars)])
    width = duration_text(bars[0].width_s) if bars else ""
    caption = html.Caption(f"Messages in bins of {width}, newest first", className="visually-hidden")
    return html.Table([caption, head, body], className="rate-table")


def _table_row(bar: RateBucket) -> html.Tr:
    counts = [html.Td(_count(bar.counts[severity]), className=_count_class(bar, severity)) for severity in STACK_ORDER]
    start = html.Th(clock_time(bar.start, milliseconds=False), scope="row")
    return html.Tr([start, *counts, html.Td(_count(sum(bar.counts)))])


def _count(number: int) -> str:
    return thin(number) if number else "–"


def _count_class(bar: RateBucket, severity: Severity) -> str:
    return f"is-{severity.name.lower()}" if bar.counts[severity] and severity in LOUD else ""


def rate_text(per_second: float) -> str:
    """Return a rate in the unit in which it is a number to say: per second, minute or hour."""
    for seconds, unit in ((1, "s"), (60, "min")):
        if per_second * seconds >= 0.1:  # noqa: PLR2004 - below it there are more zeros than digits
            return f"{per_second * seconds:.3g} /{unit}"
    return f"{per_second * 3600:.2g} /h"


def severity_lines(count: Mapping[Severity, int], span_s: float, links: Mapping[Severity, Component]) -> html.Div:
    """Return one line per severity: badge, number of messages, mean rate, and a link to them."""
    return html.Div(
        [
            html.Div(
                [
                    severity_badge(severity),
                    html.Span(thin(count[severity]), className="num strong"),
                    html.Span(rate_text(count[severity] / span_s) if count[severity] else "–", className="num label"),
                    links.get(severity, html.Span()),
                ],
                className="severity-line" if count[severity] else "severity-line is-none",
            )
            for severity in STACK_ORDER
        ],
        className="severity-lines",
    )
