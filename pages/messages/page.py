"""Messages: one live feed of what Kafka carried, with filters, search and every field (``/messages``, to view)."""

from collections.abc import Mapping
from typing import Any

from dash import ClientsideFunction, Input, Output, dcc, html, register_page
from dash.development.base_component import Component

from components.attributes import marked
from components.figures import STACK_ORDER
from components.frame import live_store_id, page
from components.message_list import count_list
from components.mute_parts import hiding_line
from components.panel import panel
from components.rate_plot import SPANS, bins, rate_figure, rate_graph, summary, totals, window
from pages._access import callback, clientside_callback
from pages._context import services
from pages._feed import footer, parse_filter
from pages.messages import _controls as controls
from pages.messages import _ids as ids
from pages.messages._inspector import inspector_panel
from pages.messages._list import message_panel
from pages.messages._mutes import dialog as mute_dialog
from pages.messages._mutes import mutes_section
from services.accounts.types import Permission
from services.clock import utc_now
from services.revisions import LiveTopic

register_page(__name__, path="/messages", title="Messages", name="Messages")

_SPAN = SPANS[0]


def layout(
    *,
    severity: str | None = None,
    session: str | None = None,
    application: str | None = None,
    q: str | None = None,
    match: str | None = None,
    where: str | None = None,
    before: str | None = None,
    after: str | None = None,
    around: str | None = None,
    muted: str | None = None,
    **_: str,
) -> html.Div:
    """Return the page for a filter from the address.

    It holds severities as a comma list, session, application, the text ``q`` and how it is meant, an expression
    (`services.messages.filters`) ids (a stretch, or the message that others are shown
    around), and ``muted=show`` where muted messages are shown too.
    """
    stores = [
        dcc.Store(id=ids.FILTER),
        dcc.Store(id=ids.CURSOR),
        dcc.Store(id=ids.ASK, data=0),
        dcc.Store(id=ids.DELTA),
        dcc.Store(id=ids.OLDER_ASK),
        dcc.Store(id=ids.OLDER),
        dcc.Store(id=ids.POSITION, data=_position(before, after, around)),
        dcc.Store(id=ids.WHERE, data=where),
        dcc.Store(id=ids.APPLICATION, data=application),
        dcc.Store(id=ids.FIGURE),
        marked(html.Span([dcc.Store(id=ids.ZONE)], hidden=True), data_zone_follows=ids.ZONE),
    ]
    beside = controls.sidebar(controls.chosen_severities(severity), session, mutes_section(muted))
    body = html.Div([beside, message_panel(where), inspector_panel()], className="feed")
    search = [controls.search_box(q, match)]
    return page("Messages", [*stores, _histogram(), body, *mute_dialog()], actions=search, fill=True)


def _position(before: str | None, after: str | None, around: str | None) -> dict[str, str | None] | None:
    if around and around.isdigit():
        return {"around": around}
    return {"before": before, "after": after} if before and before.isdigit() else None


def _histogram() -> Component:
    graph = rate_graph(ids.GRAPH)
    named = html.Div(graph, id=ids.GRAPH_NAME, role="img", className="feed-plot")
    return panel(
        "Messages per second",
        named,
        sub="all severities, last 15 min, bins of 10 s",
        flush=True,
        class_name="feed-histogram",
    )


clientside_callback(
    ClientsideFunction("rates", "draw"), Output(ids.GRAPH, "figure"), Input(ids.FIGURE, "data"), Input(ids.ZONE, "data")
)


@callback(
    Output(ids.FIGURE, "data"),
    Output(ids.GRAPH_NAME, "aria-label"),
    Output(ids.COUNTS, "children"),
    Output(ids.FOOTER, "children"),
    Output(ids.SESSION, "options"),
    Output(ids.HIDING, "children"),
    Input("live-messages", "data"),
    Input(ids.FILTER, "data"),
    Input("theme", "data"),
    Input(live_store_id(LiveTopic.MUTES), "data"),
    permission=Permission.VIEW_MESSAGES,
)
def surroundings(
    _revision: int | None, wanted: Mapping[str, Any] | None, theme: str | None, _mutes: int | None = None
) -> tuple[Any, ...]:
    """Show what surrounds the list: rates of the last minutes, counts by severity, what is hidden, known sessions."""
    session = (wanted or {}).get("session")
    now = utc_now()
    start, end = window(now, _SPAN)
    messages, hidden = services().messages, services().mutes.hiding()
    bars = bins(messages.rates(start, end, session=session), start, end, _SPAN.bin_s)
    counts = totals(bars)
    figure = rate_figure(bars, now, theme or "dark", revision="messages", small=True)
    return (
        figure,
        summary(bars, now, session or "all sessions"),
        count_list(counts, STACK_ORDER),
        footer(messages.statistics(), counts, parse_filter(wanted or {})),
        controls.session_options([*messages.names()[0]]),
        hiding_line(len(hidden.of), hidden.count),
    )
