"""Processes (``/processes``): every process of the process manager, live, and what can be done to it.

To look needs ``run_control.view``; each action has its own permission (`pages.processes._orders`). Search, status and
column filters stand in the address (``q``, ``status``, ``filter``), so any view can be pasted.
"""

import json
from collections.abc import Mapping
from dataclasses import astuple
from typing import Any

import dash
from dash import ClientsideFunction, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component

from components.ages import age
from components.attributes import marked
from components.buttons import Look, button, button_look
from components.command_result import command_list
from components.frame import live_store_id, page
from components.grid import GridValue
from components.icons import Glyph, Icon, glyph, icon
from components.notice import loading
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel
from components.process_question import reasons_line, selection_line
from components.process_stake import Act, boot_obstacle, label, obstacle, reach
from components.process_table import Counts, count, process_grid, update
from pages._access import callback, clientside_callback
from pages._context import identity, services
from pages.processes import _boot, _orders
from pages.processes import _ids as ids
from pages.processes._scene import scene
from services.accounts.types import Permission
from services.revisions import LiveTopic
from services.run_control.backend_types import BackendKind
from services.run_control.command_types import PROCESS_ACTIONS

dash.register_page(__name__, path="/processes", title="Processes · drunc-console", name="Processes")

VIEW = Permission.VIEW_RUN_CONTROL
STATUSES = ("all", "running", "dead")
SUMS = ("sessions", "hosts")
# So many of the last commands on processes stay on the page; all of them are in the audit.
SHOWN_COMMANDS = 5
_SIGNS = {
    Act.RESTART: Icon.RESTART,
    Act.FLUSH: Icon.FLUSH,
    Act.KILL: Icon.KILL,
    Act.END: Icon.KILL,
    Act.TERMINATE: Icon.KILL,
}
_LOOKS = {Act.KILL: Look.DANGER, Act.END: Look.DANGER, Act.TERMINATE: Look.DANGER}


def layout(q: str = "", status: str = "all", session: str = "", **query: str) -> html.Div:
    """Return the page for the search, the filters and the session of the address."""
    model = filter_model(query.get("filter"), status)
    stores = [
        dcc.Store(id=ids.KNOWN),
        dcc.Store(id=ids.WANTED, data=session),
        dcc.Store(id=ids.CHOSEN, data=[]),
        dcc.Store(id=ids.PENDING),
        dcc.Store(id=ids.SENT),
    ]
    table = html.Section(
        [
            _selection_bar(),
            html.Div(process_grid(ids.GRID, q, model), className="panel-body flush"),
            html.Div(
                [
                    marked(html.Span("…", id=ids.SHOWN), aria_live="polite"),
                    html.Span(
                        [icon(Icon.CLOCK), html.Span(["updated ", html.Span(id=ids.AGE), " ago"])], className="row-line"
                    ),
                    html.Span("selection is kept through updates", className="push fg-2"),
                ],
                className="panel-foot process-foot",
            ),
        ],
        className="panel process-panel",
    )
    commands = panel(
        "Last commands on processes",
        [outlet(ids.REFUSED, None), outlet(ids.COMMANDS, loading("Reading the last commands", rows=2))],
        flush=True,
        class_name="process-commands",
    )
    boot = button("Boot…", ids.BOOT, sign=Icon.PLUS)
    content = [*stores, _tabs(), table, commands, _orders.dialog(), _boot.dialog()]
    return page("Processes", content, actions=[_search(q), boot], fill=True)


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


def _search(text: str) -> html.Div:
    field = dcc.Input(id=ids.SEARCH, value=text, placeholder="Find in every column", type="text", debounce=False)
    box = html.Div(
        [icon(Icon.SEARCH), marked(field), html.Kbd("/")], className="searchbox process-search", role="search"
    )
    return marked(box, data_search="1")


def _selection_bar() -> html.Div:
    """Return the line above the table: what is selected, and what can be done to it."""
    buttons: list[Component] = [
        button(act.value, ids.ACTIONS[act], sign=_SIGNS[act], small=True, described_by=ids.REASONS) for act in Act
    ]
    buttons.append(button("Clear", ids.CLEAR, look=Look.PLAIN, small=True))
    group = marked(html.Div(buttons, className="process-actions", role="group"), aria_label="Actions")
    bar = html.Div([outlet(ids.SELECTION, None, class_name="process-selection"), group], className="process-bar")
    return html.Div([bar, outlet(ids.REASONS, None, class_name="process-reasons")])


@callback(
    Output(ids.GRID, "rowData"),
    Output(ids.GRID, "rowTransaction"),
    Output(ids.KNOWN, "data"),
    *(Output(f"processes-count-{name}", "children") for name in STATUSES),
    *(Output(f"processes-tab-{name}", "children") for name in SUMS),
    Output("processes-tab-dead", "className"),
    Output(ids.AGE, "children"),
    Input(live_store_id(LiveTopic.PROCESSES), "data"),
    State(ids.KNOWN, "data"),
    permission=VIEW,
)
def show_processes(_revision: int | None, known: Mapping[str, GridValue] | None) -> tuple[object, ...]:
    """Bring the grid up to date: all rows at first, then only what has changed."""
    processes = services().run_control.processes()
    found = update(processes, known)
    rows, transaction, knows = (found.rows, found.transaction, found.known) if found else (None, None, None)
    grid_outputs = [no_update if value is None else value for value in (rows, transaction, knows)]
    return (*grid_outputs, *_told(count(processes)), _updated())


@callback(
    Output(ids.SELECTION, CONTENT),
    Output(ids.REASONS, CONTENT),
    *(Output(ids.ACTIONS[act], name) for act in Act for name in ("aria-disabled", "title", "className", "children")),
    *(Output(ids.BOOT, name) for name in ("aria-disabled", "title", "className")),
    Input(ids.CHOSEN, "data"),
    Input(live_store_id(LiveTopic.PROCESSES), "data"),
    Input(live_store_id(LiveTopic.SESSIONS), "data"),
    Input(live_store_id(LiveTopic.BACKENDS), "data"),
    State(ids.WANTED, "data"),
    permission=VIEW,
)
def show_actions(
    chosen: list[str] | None, _processes: int, _sessions: int, _backends: int, wanted: str | None
) -> tuple[Any, ...]:
    """Show what is selected, and for each action whether it can be done and to how many."""
    now = scene(chosen, wanted)
    looks: list[object] = []
    for act in Act:
        reason = obstacle(act, now)
        look = button_look([reason] if reason else [], _LOOKS.get(act, Look.OUTLINE))
        title = look.title or reach(act, now)
        looks += [look.disabled, title, f"{look.class_name} button-small", [icon(_SIGNS[act]), label(act, now)]]
    boot = boot_obstacle(identity(), answers=now.answers)
    words = [(act, label(act, now).rstrip("…")) for act in Act]
    boot_look = astuple(button_look([boot] if boot else []))
    return (drawing(selection_line(now)), drawing(reasons_line(now, words)), *looks, *boot_look)


@callback(
    Output(ids.COMMANDS, CONTENT),
    Input(live_store_id(LiveTopic.COMMANDS), "data"),
    Input(ids.SENT, "data"),
    permission=VIEW,
)
def show_commands(_commands: int | None, _sent: int | None) -> str:
    """Show the last commands on processes, whoever gave them; the newest with all its targets."""
    commands = services().run_control.last_commands(None, SHOWN_COMMANDS, actions=PROCESS_ACTIONS)
    nothing = html.P("No commands on processes from this console yet.", className="tree-nothing fg-1")
    return drawing(command_list(commands, newest_open=True) or nothing)


clientside_callback(ClientsideFunction("grid", "follow"), Input(ids.GRID, "virtualRowData"), State(ids.GRID, "id"))
# Tabs, search, filters and the selection act in the browser alone; views also go into the address.
clientside_callback(
    ClientsideFunction(namespace="processes", function_name="search"),
    Output(ids.SEARCH, "className"),
    Input(ids.SEARCH, "value"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction(namespace="processes", function_name="choose"),
    Output(ids.TABS, "title"),
    *(Input(f"processes-tab-{name}", "n_clicks") for name in STATUSES),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction(namespace="processes", function_name="say"),
    Output(ids.SHOWN, "children"),
    Input(ids.GRID, "virtualRowData"),
    Input(ids.GRID, "selectedRows"),
    Input(ids.GRID, "filterModel"),
    Input(ids.KNOWN, "data"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction(namespace="processes", function_name="chosen"),
    Output(ids.CHOSEN, "data"),
    Input(ids.GRID, "selectedRows"),
    prevent_initial_call=True,
)
clientside_callback(
    ClientsideFunction(namespace="processes", function_name="clear"),
    Output(ids.GRID, "selectedRows"),
    Input(ids.CLEAR, "n_clicks"),
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
    return marked(html.Div(tabs, id=ids.TABS, className="tabs", role="group"), aria_label="Show by status")


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
