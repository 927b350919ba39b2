"""Processes (``/processes``): every process of the process manager, live. Needs ``run_control.view``.

Search, status and column filters stand in the address (``q``, ``status``, ``filter``), so any view can be pasted.
"""

import json
from collections.abc import Mapping

import dash
from dash import ClientsideFunction, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from components.ages import age
from components.attributes import marked
from components.frame import live_store_id, page
from components.grid import GridValue
from components.icons import Glyph, Icon, glyph, icon
from components.process_table import Counts, count, process_grid, update
from pages._access import callback, clientside_callback
from pages._context import services
from services.accounts.types import Permission
from services.revisions import LiveTopic
from services.run_control.types import BackendKind

dash.register_page(__name__, path="/processes", title="Processes · drunc-console")

GRID_ID = "processes-grid"
KNOWN_ID = "processes-known"
SEARCH_ID = "processes-search"
SHOWN_ID = "processes-shown"
AGE_ID = "processes-age"
STATUSES = ("all", "running", "dead")
SUMS = ("sessions", "hosts")


def layout(q: str = "", status: str = "all", **query: str) -> html.Div:
    """Return the page for the search and the filters of the address."""
    model = filter_model(query.get("filter"), status)
    search = html.Div(
        [
            icon(Icon.SEARCH),
            marked(
                dcc.Input(id=SEARCH_ID, value=q, placeholder="Find in every column", type="text", debounce=False),
            ),
            html.Kbd("/"),
        ],
        className="searchbox process-search",
        role="search",
    )
    table = html.Section(
        [
            html.Div(process_grid(GRID_ID, q, model), className="panel-body flush"),
            html.Div(
                [
                    marked(html.Span("…", id=SHOWN_ID), aria_live="polite"),
                    html.Span(
                        [icon(Icon.CLOCK), html.Span(["updated ", html.Span(id=AGE_ID), " ago"])], className="row-line"
                    ),
                    html.Span("selection is kept through updates", className="push fg-2"),
                ],
                className="panel-foot process-foot",
            ),
        ],
        className="panel",
    )
    return page(
        "Processes", [dcc.Store(id=KNOWN_ID), _tabs(), table], actions=marked(search, data_search="1"), fill=True
    )


def filter_model(given: str | None, status: str) -> dict[str, GridValue]:
    """Return AG Grid's filter model for an address; what is not one is left out."""
    try:
        found = json.loads(given or "{}")
    except ValueError:
        found = {}
    model: dict[str, GridValue] = {}
    if isinstance(found, dict):
        model = {str(name): value for name, value in found.items() if isinstance(value, Mapping)}
    if status in STATUSES[1:]:
        model["status"] = {"filterType": "text", "type": "equals", "filter": status}
    return model


@callback(
    Output(GRID_ID, "rowData"),
    Output(GRID_ID, "rowTransaction"),
    Output(KNOWN_ID, "data"),
    *(Output(f"processes-count-{name}", "children") for name in STATUSES),
    *(Output(f"processes-tab-{name}", "children") for name in SUMS),
    Output("processes-tab-dead", "className"),
    Output(AGE_ID, "children"),
    Input(live_store_id(LiveTopic.PROCESSES), "data"),
    State(KNOWN_ID, "data"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def show_processes(_revision: int | None, known: Mapping[str, GridValue] | None) -> tuple[object, ...]:
    """Bring the grid up to date: all rows at first, then only what has changed."""
    processes = services().run_control.processes()
    found = update(processes, known)
    rows, transaction, knows = (found.rows, found.transaction, found.known) if found else (None, None, None)
    grid_outputs = [no_update if value is None else value for value in (rows, transaction, knows)]
    return (*grid_outputs, *_told(count(processes)), _updated())


# Tabs, search and filters act in the browser alone; each also goes into the address.
clientside_callback(
    ClientsideFunction(namespace="processes", function_name="search"),
    Output(SEARCH_ID, "className"),
    Input(SEARCH_ID, "value"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction(namespace="processes", function_name="choose"),
    Output("processes-tabs", "title"),
    *(Input(f"processes-tab-{name}", "n_clicks") for name in STATUSES),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction(namespace="processes", function_name="say"),
    Output(SHOWN_ID, "children"),
    Input(GRID_ID, "virtualRowData"),
    Input(GRID_ID, "selectedRows"),
    Input(GRID_ID, "filterModel"),
    Input(KNOWN_ID, "data"),
    prevent_initial_call=True,
)


def _tabs() -> html.Div:
    shapes: dict[str, list[Component]] = {"all": [], "running": [glyph(Glyph.ALIVE)], "dead": [glyph(Glyph.DEAD)]}
    tabs: list[Component] = [
        marked(
            html.Button(
                [*shapes[name], html.Span("–", id=f"processes-count-{name}", className="tab-count"), name],
                id=f"processes-tab-{name}",
                type="button",
                className="tab",
            ),
            data_status=name,
            aria_pressed="false",
        )
        for name in STATUSES
    ]
    tabs += [html.Span(id=f"processes-tab-{name}", className="tab") for name in SUMS]
    return marked(html.Div(tabs, id="processes-tabs", className="tabs", role="group"), aria_label="Show by status")


def _told(counts: Counts) -> tuple[object, ...]:
    """Return the numbers of the tabs, the two sums, and the look of the tab of the dead: loud only if there are any."""
    numbers = tuple(str(number) for number in (counts.every, counts.running, counts.dead))
    sums = (_sum(counts.sessions, "session"), _sum(counts.hosts, "host"))
    return (*numbers, *sums, "tab" if counts.dead else "tab is-nothing")


def _sum(number: int, word: str) -> list[Component]:
    return [html.Span(str(number), className="tab-count"), html.Span(word if number == 1 else f"{word}s")]


def _updated() -> Component:
    answers = [
        backend.answered_at
        for backend in services().run_control.backends()
        if backend.kind is BackendKind.PROCESS_MANAGER and backend.answered_at is not None
    ]
    shown = age(max(answers, default=None), stale_after_s=3 * services().poll_interval_s)
    return marked(shown, data_polled=BackendKind.PROCESS_MANAGER.value)
