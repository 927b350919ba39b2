"""A small rate line without a plotting library: a mask drawn as SVG and painted in a token's colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dash import html

from components.attributes import marked
from services.messages.types import RateBucket, Severity

WIDTH = 240
HEIGHT = 44
STEPS = 60


@dataclass(frozen=True, slots=True)
class RateSummary:
    """Messages of a stretch of time in equal steps: per second, all of them and those from ERROR up."""

    all_per_s: tuple[float, ...]
    errors_per_s: tuple[float, ...]
    counts: tuple[int, int, int, int, int, int]


def last_full_step(now: datetime, span: timedelta) -> datetime:
    """Return the last moment at which a step of a line over ``span`` was full; before the next nothing changes."""
    step_s = span.total_seconds() / STEPS
    return datetime.fromtimestamp(now.timestamp() // step_s * step_s, UTC)


def summarise(buckets: Sequence[RateBucket], start: datetime, end: datetime) -> RateSummary:
    """Sum buckets into `STEPS` equal steps between two moments; buckets outside are left out."""
    step_s = (end - start) / timedelta(seconds=1) / STEPS
    totals, errors, counts = [0.0] * STEPS, [0.0] * STEPS, [0] * len(Severity)
    for bucket in buckets:
        step = (bucket.start - start) // timedelta(seconds=step_s)
        if not 0 <= step < STEPS:
            continue
        totals[step] += sum(bucket.counts) / step_s
        errors[step] += sum(bucket.counts[Severity.ERROR :]) / step_s
        counts = [before + now for before, now in zip(counts, bucket.counts, strict=True)]
    first, second, third, fourth, fifth, sixth = counts
    return RateSummary(tuple(totals), tuple(errors), (first, second, third, fourth, fifth, sixth))


def sparkline(summary: RateSummary, label: str) -> html.Div:
    """Return the line of all messages with bars of those from ERROR up; ``label`` says in words what it shows."""
    top = max(1.0, *summary.all_per_s)
    layers = [
        html.Span(className="spark-line", style={"maskImage": _svg(_line(summary.all_per_s, top))}),
        html.Span(className="spark-errors", style={"maskImage": _svg(_bars(summary.errors_per_s, top))}),
    ]
    return marked(html.Div(layers, className="spark", role="img"), aria_label=label)


def _line(values: Sequence[float], top: float) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in _points(values, top))
    # The drawing is stretched to its place; its line is not.
    pen = "fill='none' stroke='black' stroke-width='1.5' stroke-linejoin='round' vector-effect='non-scaling-stroke'"
    return f"<polyline points='{points}' {pen}/>"


def _bars(values: Sequence[float], top: float) -> str:
    width = WIDTH / STEPS
    bars = [
        f"M{x - width / 2:.1f},{min(y, HEIGHT - 4):.1f}h{width:.1f}V{HEIGHT}h-{width:.1f}z"
        for (x, y), value in zip(_points(values, top), values, strict=True)
        if value
    ]
    # One element, however many bars: a page that is open for days must not hold more when there is more to show.
    return f"<path d='{''.join(bars)}'/>"


def _points(values: Sequence[float], top: float) -> list[tuple[float, float]]:
    width = WIDTH / STEPS
    return [((number + 0.5) * width, HEIGHT - 2 - value / top * (HEIGHT - 4)) for number, value in enumerate(values)]


def _svg(body: str) -> str:
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {HEIGHT}' preserveAspectRatio='none'>"
    return f'url("data:image/svg+xml,{head}{body}</svg>")'
