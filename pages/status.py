"""Status (``/status``): addresses, workers, the message pipeline and the database, live. Needs ``run_control.view``."""

import dash
from dash import Input, Output, html

from components.ages import age
from components.attributes import marked
from components.frame import live_store_id, page
from components.notice import loading
from components.outlet import CONTENT, drawing, outlet
from components.panel import Children, panel
from components.quarantine_table import quarantine_foot, quarantine_table
from components.status_parts import (
    Limits,
    abnormal,
    addresses,
    counts_table,
    figures,
    gaps_table,
    reported_at,
    reported_value,
    topics,
    topics_shown,
    workers_table,
)
from components.words import counted
from pages._access import callback
from pages._context import services
from services.accounts.types import Permission
from services.health import WorkerView
from services.platform_health import LATE_S
from services.revisions import LiveTopic
from services.workers import REPORT_INTERVAL_S

dash.register_page(__name__, path="/status", title="Status · drunc-console")

SUB = "status-sub"
FIGURES = "status-figures"
ADDRESSES = "status-addresses"
WORKERS = "status-workers"
REPORTED = "status-reported"
TOPICS = "status-topics"
TOPICS_SHOWN = "status-topics-shown"
COUNTS = "status-counts"
GAPS = "status-gaps"
QUARANTINE = "status-quarantine"
QUARANTINE_SHOWN = "status-quarantine-shown"

# Two missed updates show.
LIMITS = Limits(address_s=LATE_S, worker_s=3 * REPORT_INTERVAL_S)


def layout(**_query: str) -> html.Div:
    """Return the page without data; the first callbacks bring it."""
    lists = [
        _panel("Topics", TOPICS, "Reading offsets", sub=html.Span(id=TOPICS_SHOWN), class_name="status-topics"),
        html.Div(
            [
                _panel("Counts", COUNTS, "Reading counts", sub="since the database was made"),
                _panel("Gaps", GAPS, "Reading gaps", sub="records that were never read"),
            ],
            className="status-column",
        ),
    ]
    quarantine = _panel(
        "Quarantine",
        QUARANTINE,
        "Reading the quarantine",
        sub=html.Span(id=QUARANTINE_SHOWN),
        foot=html.Span(quarantine_foot()),
    )
    content = [
        html.Section(outlet(FIGURES, loading("Reading the status", rows=1)), className="panel status-figures"),
        _panel("Addresses", ADDRESSES, "Reading addresses", sub="what the collector talks to"),
        _panel("Workers", WORKERS, "Reading workers", sub=outlet(REPORTED, None)),
        html.Div(lists, className="status-row"),
        quarantine,
    ]
    said = marked(html.Div(outlet(SUB, None)), aria_live="polite")
    return page("Status", [html.Div(content, className="status")], sub=said)


def _panel(
    title: str, outlet_id: str, awaited: str, *, sub: Children, foot: Children = None, class_name: str = ""
) -> html.Section:
    return panel(title, outlet(outlet_id, loading(awaited)), sub=sub, foot=foot, flush=True, class_name=class_name)


@callback(
    Output(SUB, CONTENT),
    Output(FIGURES, CONTENT),
    Output(ADDRESSES, CONTENT),
    Output(WORKERS, CONTENT),
    Output(REPORTED, CONTENT),
    Input(live_store_id(LiveTopic.STATUS), "data"),
    Input(live_store_id(LiveTopic.BACKENDS), "data"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def show_state(*_revisions: int | None) -> tuple[str, str, str, str, str]:
    """Draw the figures, addresses and workers at each report of a collector, and when an address comes or goes."""
    backends, workers = services().run_control.backends(), services().workers.workers()
    found = abnormal(backends, workers, services().live.now(), LIMITS)
    return (
        drawing(reported_value(", ".join(found) or "every address answers, every worker is in order", workers, LIMITS)),
        drawing(figures(backends, workers, services().pipeline.view(), LIMITS)),
        drawing(addresses(backends, LIMITS)),
        drawing(workers_table(workers, LIMITS)),
        drawing(_reported(workers)),
    )


@callback(
    Output(TOPICS, CONTENT),
    Output(TOPICS_SHOWN, "children"),
    Output(COUNTS, CONTENT),
    Output(GAPS, CONTENT),
    Output(QUARANTINE, CONTENT),
    Output(QUARANTINE_SHOWN, "children"),
    Input(live_store_id(LiveTopic.STATUS), "data"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def show_pipeline(_revision: int | None) -> tuple[str, str, str, str, str, str]:
    """Draw offsets, counts, gaps and quarantine at each report of a collector, however often messages come."""
    pipeline = services().pipeline.view()
    shown = len(pipeline.quarantined)
    return (
        drawing(topics(pipeline.partitions)),
        topics_shown(pipeline),
        drawing(counts_table(pipeline.counts)),
        drawing(gaps_table(pipeline.gaps)),
        drawing(quarantine_table(pipeline.quarantined)),
        f"{counted(shown, 'record')} that could not be decoded, newest first" if shown else "",
    )


def _reported(workers: tuple[WorkerView, ...]) -> Children:
    newest = reported_at(workers)
    return ["reported ", age(newest, stale_after_s=LIMITS.worker_s), " ago"] if newest else None
