"""Alarms (``/alarms``): what waits for somebody, with guidance; acknowledge, shelve. Needs ``alarm.view``."""

from collections.abc import Mapping, Sequence
from typing import Any

import dash
import dash_bootstrap_components as dbc
from dash import ClientsideFunction, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from components.alarm_actions import NOTHING_YET, Act, act_obstacle
from components.alarm_table import alarm_details, alarm_grid, alarm_row, ended_table, rate_bars, rules_table
from components.attributes import marked
from components.buttons import Look, button, button_look
from components.frame import live_store_id, page
from components.icons import Icon
from components.notice import empty, error_notice, loading
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel
from components.words import counted
from pages._access import callback, clientside_callback
from pages._context import identity, services
from services.accounts.types import Permission
from services.alarms.types import AlarmView, Guidance
from services.errors import ConsoleError
from services.revisions import LiveTopic

dash.register_page(__name__, path="/alarms", title="Alarms · drunc-console")

SUB = "alarms-sub"
GRID = "alarms-grid"
CHOSEN = "alarms-chosen"
DETAILS = "alarms-details"
RESULT = "alarms-result"
ACKNOWLEDGE, ACKNOWLEDGE_ALL = Act.ACKNOWLEDGE.value, Act.ACKNOWLEDGE_ALL.value
SHELVE, UNSHELVE, WRITE = Act.SHELVE.value, Act.UNSHELVE.value, Act.WRITE.value
MINUTES = "alarms-minutes"
REASON = "alarms-reason"
ENDED = "alarms-ended"
RATES = "alarms-rates"
RULES = "alarms-rules"
EDIT = "alarms-edit"
EDITOR = "alarms-editor"
MEANING = "alarms-meaning"
ACTION = "alarms-action"
CONTACT = "alarms-contact"
WRITE_RESULT = "alarms-write-result"

_MINUTES = {15: "15 min", 60: "1 h", 480: "8 h", 1440: "24 h"}
_CLICKED = "n_clicks"
Rows = Sequence[Mapping[str, Any]]


def layout(**_query: str) -> html.Div:
    """Return the page without data; the first callbacks bring it."""
    table = panel(
        "Not ended",
        alarm_grid(GRID),
        sub=html.Span(id=SUB),
        actions=[
            button("Acknowledge chosen", ACKNOWLEDGE, look=Look.PRIMARY, small=True, reason=NOTHING_YET),
            button("Acknowledge all that wait", ACKNOWLEDGE_ALL, small=True, reason=NOTHING_YET),
        ],
        flush=True,
        class_name="alarm-list",
    )
    chosen = panel(
        "Alarm",
        [outlet(DETAILS, _nothing_chosen()), _shelving(), _editor(), outlet(RESULT, None)],
        class_name="alarm-side",
    )
    lists = [
        panel("Raised in ten minutes", outlet(RATES, loading("Counting", rows=1)), sub="the last 24 h", flush=False),
        panel("Ended", outlet(ENDED, loading("Reading what was")), sub="the last 100", flush=True),
        panel(
            "Rules for messages", outlet(RULES, loading("Reading rules")), sub="the first that fits counts", flush=True
        ),
    ]
    content = [html.Div([table, chosen], className="alarms"), _announcements(), *lists]
    return page("Alarms", [dcc.Store(id=CHOSEN), *content])


def _shelving() -> html.Div:
    times = dbc.Select(id=MINUTES, options=[{"value": key, "label": text} for key, text in _MINUTES.items()], value=15)
    reason = dbc.Input(id=REASON, type="text", value="", maxlength=500, autocomplete="off")
    return html.Div(
        [
            html.Label("Put aside for", htmlFor=MINUTES),
            times,
            html.Label("Reason, for the audit", htmlFor=REASON),
            reason,
            html.Div(
                [
                    button("Shelve", SHELVE, small=True, reason=NOTHING_YET),
                    button("Take back", UNSHELVE, small=True, reason=NOTHING_YET),
                ],
                className="form-actions",
            ),
        ],
        className="arguments alarm-shelving",
    )


def _editor() -> html.Details:
    fields: list[Component] = []
    for field, label in ((MEANING, "What it means"), (ACTION, "What to do"), (CONTACT, "Whom to call")):
        fields += [html.Label(label, htmlFor=field), dbc.Textarea(id=field, value="", rows=2, maxlength=2000)]
    fields.append(
        html.Div(button("Keep for this subject", WRITE, small=True, reason=NOTHING_YET), className="form-actions")
    )
    return html.Details(
        [html.Summary("Write guidance"), html.Div(fields, className="arguments")], id=EDITOR, className="alarm-editor"
    )


def _announcements() -> html.Section:
    """Return the choices of this browser: sound, desktop notification. `alarms.js` keeps and follows them."""
    choices: list[Component] = []
    for name, text in (("sound", "Sound"), ("notify", "Desktop notification")):
        options = [
            marked(html.Button(word, type="button"), data_alarm_choice=f"{name}-{word.lower()}", aria_pressed="false")
            for word in ("Off", "On")
        ]
        group = marked(html.Div(options, className="segmented", role="group"), aria_label=text)
        choices.append(html.Div([html.Span(text), group], className="preference"))
    note = html.P("For this browser only, also while its tab is hidden: one signal for each burst.", className="fg-1")
    return panel("Announce", html.Div([*choices, note], className="alarm-announce"))


def _nothing_chosen() -> Component:
    return empty("No alarm is chosen", "Choose a row to read what it means and what to do.", sign=Icon.BELL)


clientside_callback(ClientsideFunction("grid", "follow"), Input(GRID, "virtualRowData"), State(GRID, "id"))


@callback(
    Output(GRID, "rowData"),
    Output(SUB, "children"),
    Output(ENDED, CONTENT),
    Output(RATES, CONTENT),
    Output(RULES, CONTENT),
    Input(live_store_id(LiveTopic.ALARMS), "data"),
    permission=Permission.VIEW_ALARMS,
)
def show_alarms(_revision: int | None) -> tuple[Any, ...]:
    """Bring the lists up to date; the grid keeps what is chosen, because rows are known by their id."""
    queries = services().alarms
    found = queries.open()
    waiting = sum(alarm.calls for alarm in found)
    said = f"{counted(waiting, 'waits', 'wait')} for somebody, {len(found) - waiting} answered" if found else "none"
    rows, rules = [alarm_row(alarm) for alarm in found], drawing(rules_table(queries.rules()))
    return rows, said, drawing(ended_table(queries.ended())), _rates(), rules


@callback(
    *(Output(action.value, name) for action in Act for name in ("aria-disabled", "title", "className")),
    Input(GRID, "selectedRows"),
    Input(GRID, "rowData"),
    Input(CHOSEN, "data"),
    permission=Permission.VIEW_ALARMS,
)
def show_actions(selected: Rows | None, rows: Rows | None, read: str | None) -> tuple[str, ...]:
    """Show what can be done with what is chosen (or, without a box, read), and why not if it cannot."""
    # The grid does not bring what it says of chosen rows up to date.
    ids = {row["id"] for row in selected or ()} or {read}
    chosen = [row for row in rows or () if row["id"] in ids]
    looks: list[str] = []
    for act in Act:
        obstacle = act_obstacle(act, identity(), chosen=chosen, rows=rows or (), is_read=_find(read) is not None)
        look = button_look([obstacle] if obstacle else [], Look.PRIMARY if act is Act.ACKNOWLEDGE else Look.OUTLINE)
        looks += [look.disabled, look.title, f"{look.class_name} button-small"]
    return tuple(looks)


@callback(
    Output(CHOSEN, "data"),
    Input(GRID, "cellClicked"),
    Input(GRID, "selectedRows"),
    permission=Permission.VIEW_ALARMS,
    prevent_initial_call=True,
)
def choose(clicked: Mapping[str, Any] | None, selected: Rows | None) -> Any:
    """Remember which alarm is read: the one clicked, or the first of those chosen with boxes."""
    if ctx.triggered_prop_ids and f"{GRID}.cellClicked" in ctx.triggered_prop_ids and clicked:
        return clicked.get("rowId")
    return selected[0]["id"] if selected else no_update


@callback(
    Output(DETAILS, CONTENT),
    Output(MEANING, "value"),
    Output(ACTION, "value"),
    Output(CONTACT, "value"),
    Input(CHOSEN, "data"),
    Input(live_store_id(LiveTopic.ALARMS), "data"),
    permission=Permission.VIEW_ALARMS,
)
def show_details(chosen: str | None, _revision: int | None) -> tuple[Any, ...]:
    """Show the alarm that is read; what is being written is left alone unless another one is chosen."""
    alarm = _find(chosen)
    if alarm is None:
        return drawing(_nothing_chosen()), no_update, no_update, no_update
    guidance = services().alarms.guidance(alarm.kind, alarm.subject, alarm.rule)
    written = (guidance.meaning, guidance.action, guidance.contact)
    fields = written if ctx.triggered_id == CHOSEN else (no_update,) * len(written)
    return (drawing(alarm_details(alarm, guidance)), *fields)


@callback(
    Output(RESULT, CONTENT),
    Input(ACKNOWLEDGE, _CLICKED),
    Input(ACKNOWLEDGE_ALL, _CLICKED),
    State(GRID, "selectedRows"),
    State(GRID, "rowData"),
    State(CHOSEN, "data"),
    permission=Permission.ACKNOWLEDGE_ALARM,
    prevent_initial_call=True,
)
def acknowledge(
    _chosen: int | None, _all: int | None, selected: Rows | None, rows: Rows | None, read: str | None
) -> str:
    """Acknowledge what is chosen (or, without a box, what is read), or all that waited when it was clicked."""
    if ctx.triggered_id == ACKNOWLEDGE_ALL:
        ids = [int(row["id"]) for row in rows or () if row["calls"]]
    else:
        ids = [int(row["id"]) for row in selected or ()] or ([int(read)] if read else [])
    return _told(
        lambda: services().alarm_service.acknowledge(identity(), ids), "alarm acknowledged", "alarms acknowledged"
    )


@callback(
    Output(RESULT, CONTENT, allow_duplicate=True),
    Input(SHELVE, _CLICKED),
    Input(UNSHELVE, _CLICKED),
    State(GRID, "selectedRows"),
    State(CHOSEN, "data"),
    State(MINUTES, "value"),
    State(REASON, "value"),
    permission=Permission.SHELVE_ALARM,
    prevent_initial_call=True,
)
def shelve(
    _shelve: int | None, _unshelve: int | None, selected: Rows | None, read: str | None, minutes: object, reason: str
) -> str:
    """Put aside what is chosen (or, without a box, what is read), or take it back."""
    alarm = _find(read)
    keys = [str(row["key"]) for row in selected or ()] or ([alarm.key] if alarm else [])
    service = services().alarm_service
    if ctx.triggered_id == UNSHELVE:
        return _told(lambda: service.unshelve(identity(), keys), "alarm taken back", "alarms taken back")
    given = int(str(minutes)) if str(minutes).isdecimal() else 0
    return _told(lambda: service.shelve(identity(), keys, given, reason or ""), "alarm shelved", "alarms shelved")


@callback(
    Output(RESULT, CONTENT, allow_duplicate=True),
    Input(WRITE, _CLICKED),
    State(CHOSEN, "data"),
    State(MEANING, "value"),
    State(ACTION, "value"),
    State(CONTACT, "value"),
    permission=Permission.WRITE_GUIDANCE,
    prevent_initial_call=True,
)
def write_guidance(_clicks: int | None, read: str | None, meaning: str, action: str, contact: str) -> str:
    """Keep what was written for alarms of this kind and subject."""
    alarm = _find(read)
    if alarm is None:
        return drawing(error_notice("No alarm is chosen.", not_done="Nothing was kept.", next_step="Choose one."))
    given = Guidance(meaning or "", action or "", contact or "")

    def keep() -> int:
        services().alarm_service.write_guidance(identity(), alarm.kind, alarm.subject, given)
        return 1

    return _told(keep, "guidance kept", "guidance kept")


def _find(chosen: str | None) -> AlarmView | None:
    """Return the alarm that is read, also when it has ended since."""
    if not chosen or not chosen.isdecimal():
        return None
    queries = services().alarms
    return next((alarm for alarm in (*queries.open(), *queries.ended()) if alarm.id == int(chosen)), None)


def _told(deed: Any, one: str, many: str) -> str:
    """Return what came of a deed, to stand in its place."""
    try:
        number = deed()
    except ConsoleError as error:
        return drawing(error_notice(error.message, not_done=error.not_done, next_step=error.next_step))
    return drawing(
        html.P(f"{counted(number, one, many)}, by {identity().name}.", className="alarm-told", role="status")
    )


def _rates() -> str:
    return drawing(rate_bars(services().alarms.rates()))
