"""The parts of the status page: a line of figures, and tables of addresses, workers, topics, gaps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dash import html
from dash.development.base_component import Component

from components.ages import age, age_when_stale, clock_time, duration_text, stale_value, thin
from components.attributes import marked
from components.badges import answer_badge, worker_badge
from components.frame import BACKEND_WORDS
from components.icons import Glyph, Icon, glyph
from components.notice import empty
from components.panel import Children
from components.plain_table import Column, Row, plain_table, scrolling
from components.words import counted, size_text
from services.health import WorkerView
from services.messages.pipeline_types import GapView, PartitionReading, PipelineCounts, PipelineView
from services.run_control.backend_types import BackendKind, BackendView

_ADDRESSES = (
    Column("Kind"),
    Column("Address", "mono"),
    Column("Generation"),
    Column("State"),
    Column("Since"),
    Column("Latency", "number"),
    Column("Last error", "wide"),
)
_WORKERS = (
    Column("Worker"),
    Column("State"),
    Column("Last turn", "number"),
    Column("Behind", "number"),
    Column("Collector", "mono"),
    Column("Last error", "wide"),
)
_TOPICS = (Column("Topic", "mono wide"), Column("Partition", "number"), Column("Next offset", "number"), Column("Read"))
_COUNTS = (Column("Count"), Column("Number", "number"), Column("Meaning", "wide"))
_GAPS = (Column("When"), Column("Topic", "mono"), Column("Records", "number"), Column("Reason", "wide"))


@dataclass(frozen=True, slots=True)
class Limits:
    """After how many seconds something unheard of is struck: an address not tried, a worker that did not report."""

    address_s: float
    worker_s: float


def abnormal(
    backends: Sequence[BackendView], workers: Sequence[WorkerView], now: datetime, limits: Limits
) -> tuple[str, ...]:
    """Return what is not in order at ``now``, in words; empty when everything is."""
    silent = sum(not backend.reachable for backend in backends)
    heard = [worker for worker in workers if (now - worker.reported_at).total_seconds() <= limits.worker_s]
    found = [] if backends else ["no address is known"]
    found += [f"{counted(silent, 'address does', 'addresses do')} not answer"] if silent else []
    if not heard:
        found.append("no collector is at work")
    for state in ("failed", "degraded"):
        number = sum(worker.state == state for worker in heard)
        found += [f"{counted(number, 'worker')} {state}"] if number else []
    return tuple(found)


def figures(
    backends: Sequence[BackendView], workers: Sequence[WorkerView], pipeline: PipelineView, limits: Limits
) -> html.Ul:
    """Return the line of figures: what one looks at first. Only what needs somebody has a colour and a shape."""
    counts, size = pipeline.counts, pipeline.database
    answering = sum(backend.reachable for backend in backends)
    well = sum(worker.state in ("ok", "starting") for worker in workers)
    undecoded = "kept in quarantine" if counts.quarantined else "every record was decoded"
    unread = f"{counted(counts.gaps, 'stretch', 'stretches')} of offsets" if counts.gaps else "nothing was missed"
    return html.Ul(
        [
            _figure(
                "Addresses that answer",
                reported_value(f"{answering} of {len(backends)}", workers, limits),
                bad=answering < len(backends),
            ),
            _figure(
                "Workers in order",
                reported_value(f"{well} of {len(workers)}", workers, limits),
                bad=well < len(workers) or not workers,
            ),
            _lag_figure(backends, workers, limits),
            _figure("Messages kept", thin(counts.kept), note=f"{thin(counts.stored)} stored so far"),
            _figure("Not decoded", thin(counts.quarantined), note=undecoded, odd=counts.quarantined > 0),
            _figure("Gaps", thin(counts.gaps), note=unread, odd=counts.gaps > 0),
            _figure("Database", size_text(size.size_bytes), note=f"{size.engine} {size.version}"),
            _memory_figure(workers, limits),
        ],
        className="figures",
    )


def reported_at(workers: Sequence[WorkerView]) -> datetime | None:
    """Return when a collector last reported."""
    return max((worker.reported_at for worker in workers), default=None)


def reported_value(value: str, workers: Sequence[WorkerView], limits: Limits) -> list[Component | str]:
    """Return what a collector reported; once none does any more it is struck, with its age."""
    at = reported_at(workers)
    struck = stale_value(value, at, limits.worker_s)
    if at is None:
        return [struck]
    # What counts is no live region, or screen readers would be told every second.
    return [struck, " ", marked(age_when_stale(at, limits.worker_s), aria_live="off")]


def _figure(name: str, value: Children, *, note: Children = None, bad: bool = False, odd: bool = False) -> html.Li:
    mark = [glyph(Glyph.ERROR)] if bad else [glyph(Glyph.WARNING)] if odd else []
    look = "is-bad" if bad else "is-odd" if odd else ""
    return html.Li(
        [
            html.Div(name, className="figure-name"),
            html.Div([*mark, html.Span(value)], className="figure-value"),
            html.Div(note or "", className="figure-note"),
        ],
        className=f"figure {look}".strip(),
    )


def _lag_figure(backends: Sequence[BackendView], workers: Sequence[WorkerView], limits: Limits) -> html.Li:
    readers = [worker for worker in workers if worker.lag_s is not None]
    if not readers:
        return _figure("Messages to read", "–", note="no collector reports")
    if any(backend.kind is BackendKind.KAFKA and not backend.reachable for backend in backends):
        # What was to read when it last answered says nothing about now.
        return _figure("Messages to read", "–", note="Kafka does not answer", bad=True)
    behind = max(worker.lag_s or 0.0 for worker in readers)
    if behind and all(worker.state == "degraded" for worker in readers):
        return _figure("Messages to read", "–", note=f"{duration_text(behind)} behind, reading is disturbed", bad=True)
    lag = sum(worker.lag_messages or 0 for worker in readers)
    value = reported_value(thin(lag), readers, limits)
    return _figure("Messages to read", value, note=f"{duration_text(behind)} behind" if lag else "nothing is waiting")


def _memory_figure(workers: Sequence[WorkerView], limits: Limits) -> html.Li:
    peaks = [worker.memory_peak_bytes for worker in workers if worker.memory_peak_bytes is not None]
    if not peaks:
        return _figure("Memory", "–", note="no collector says it")
    return _figure("Memory", reported_value(size_text(max(peaks)), workers, limits), note="the most a collector took")


def addresses(backends: Sequence[BackendView], limits: Limits) -> Component:
    """Return the table of outside addresses, controllers last."""
    if not backends:
        text = "The collector has not tried one yet. They appear as soon as it does."
        return empty("No address is known", text, sign=Icon.STATUS)
    # The few that everything depends on stand before the many.
    ordered = sorted(backends, key=lambda backend: backend.kind is BackendKind.CONTROLLER)
    rows = [_address_row(backend, limits) for backend in ordered]
    return scrolling("Addresses", plain_table("Outside addresses", _ADDRESSES, rows))


def _address_row(backend: BackendView, limits: Limits) -> Row:
    state = _unless_stale(answer_badge(reachable=backend.reachable), backend.tried_at, limits.address_s)
    cells: list[Children] = [
        BACKEND_WORDS[backend.kind][0],
        backend.address,
        backend.generation or "–",
        state,
        _since(backend.since),
        f"{backend.latency_ms:.1f} ms" if backend.latency_ms is not None and backend.reachable else "–",
        _error(backend.error, backend.error_at, over=backend.reachable),
    ]
    return Row(cells, "" if backend.reachable else "row-error")


def workers_table(workers: Sequence[WorkerView], limits: Limits) -> Component:
    """Return the table of the collectors' workers."""
    if not workers:
        text = "Nobody polls run control or reads messages. Start one: python manage.py collector, or with the web."
        return empty("No collector is at work", text, sign=Icon.STATUS)
    return plain_table("Workers of the collectors", _WORKERS, [_worker_row(worker, limits) for worker in workers])


def _worker_row(worker: WorkerView, limits: Limits) -> Row:
    cells: list[Children] = [
        worker.name.replace("_", " "),
        _unless_stale(worker_badge(worker.state), worker.reported_at, limits.worker_s),
        age(worker.turned_at),
        _behind(worker),
        worker.collector,
        _error(worker.last_error, worker.last_error_at, over=worker.state == "ok"),
    ]
    return Row(cells, "row-error" if worker.state == "failed" else "")


def _behind(worker: WorkerView) -> str:
    if worker.lag_s is None or worker.state != "ok":
        return "–"
    return duration_text(worker.lag_s) if worker.lag_s else "0 s"


def topics(partitions: Sequence[PartitionReading]) -> Component:
    """Return where reading of each partition stands."""
    if not partitions:
        text = "Topics appear here as soon as the first record of one is read."
        return empty("No topic has been read", text, sign=Icon.MESSAGES)
    rows = [
        Row([reading.topic, str(reading.partition), thin(reading.next_offset), [age(reading.updated_at), " ago"]])
        for reading in partitions
    ]
    return scrolling("Topics", plain_table("Topics that are read", _TOPICS, rows))


def topics_shown(pipeline: PipelineView) -> str:
    """Return how many partitions there are, and how many of them are shown."""
    shown, total = len(pipeline.partitions), pipeline.partitions_total
    told = counted(total, "partition")
    return told if shown == total else f"the {shown} read last of {told}"


def counts_table(counts: PipelineCounts) -> html.Table:
    """Return what was counted since the database was made, each with its meaning."""
    told = (
        ("stored", counts.stored, "messages written to the database"),
        ("pruned", counts.pruned, "of these, removed because they were too old"),
        ("echo", counts.echo, "broadcasts about the console's own polling, not stored"),
        ("duplicates", counts.duplicates, "records that had been stored before, left out"),
        ("quarantined", counts.quarantined, "records that could not be decoded, kept below"),
        ("gaps", counts.gaps, "stretches of offsets that were never read"),
    )
    rows = [Row([name, thin(number), meaning]) for name, number, meaning in told]
    return plain_table("Counts since the database was made", _COUNTS, rows)


def gaps_table(gaps: Sequence[GapView]) -> Component:
    """Return the newest gaps, newest first."""
    if not gaps:
        return html.Div([html.Span("Nothing was missed"), ": every offset was read."], className="status-none")
    rows = [_gap_row(gap) for gap in gaps]
    return scrolling("Gaps", plain_table("Records that were never read", _GAPS, rows))


def _gap_row(gap: GapView) -> Row:
    missing = "not known" if gap.missing is None else thin(gap.missing)
    return Row(
        [clock_time(gap.at, milliseconds=False), f"{gap.topic}[{gap.partition}]", missing, gap.reason],
        key=f"gap-{gap.id}",
    )


def _unless_stale(badge: Component, heard_at: datetime, limit_s: float) -> html.Span:
    """Return a badge that is struck, with its age, once nobody has looked for too long."""
    return html.Span([stale_value(badge, heard_at, limit_s), " ", age_when_stale(heard_at, limit_s)])


def _since(moment: datetime) -> html.Span:
    return html.Span([clock_time(moment, milliseconds=False), html.Span(["for ", age(moment)], className="fg-2")])


def _error(text: str | None, at: datetime | None, *, over: bool) -> Children:
    if not text:
        return "none"
    told = html.Span(text[:500], title=text[:2000], className="fg-2" if over else "text-error")
    return [clock_time(at, milliseconds=False), " ", told]
