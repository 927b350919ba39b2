"""Booting a session from a configuration; where no service does that, the lines to type instead."""

import json
from dataclasses import astuple
from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, html, no_update
from dash.development.base_component import Component

from components.attributes import marked
from components.buttons import Look, button, button_look
from components.frame import live_store_id
from components.notice import error_notice
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel
from components.session_question import boot_obstacle, obstacle_line, shell_block
from pages._access import callback
from pages._context import identity, services
from pages.sessions import _ids as ids
from pages.sessions._under_way import under_way
from services.accounts.types import Permission
from services.errors import ConsoleError, InvalidInputError
from services.revisions import LiveTopic
from services.run_control.session_types import Configuration

VIEW = Permission.VIEW_RUN_CONTROL
OTHER = "other"


def boot_panel() -> html.Section:
    """Return the panel that boots a session. Which half of it is shown depends on the installation."""
    fields = [
        _field("Configuration", dbc.Select(id=ids.CONFIGURATION, options=[], value=OTHER), ids.CONFIGURATION),
        _field("File", _input(ids.FILE, "path as drunc sees it"), ids.FILE),
        _field("Id in the file", _input(ids.CONFIGURATION_ID, "empty: as the session"), ids.CONFIGURATION_ID),
        _field("Name of the new session", _input(ids.NAME, "shift-7"), ids.NAME),
    ]
    order = [
        html.Div(
            marked(button("Boot session", ids.BOOT, look=Look.PRIMARY, described_by=ids.BOOT_REASON), data_once="1"),
            className="form-actions",
        ),
        outlet(ids.BOOT_REASON, None),
        outlet(ids.BOOT_RESULT, None),
    ]
    lines = [
        html.P("No service here boots sessions: drunc does it from its own shells.", className="fg-1"),
        shell_block(ids.BOOT_SHELL, ids.BOOT_THEN),
        html.Div(id=ids.BOOT_HINT, className="argument-help", role="status"),
    ]
    body = [
        html.Div(fields, className="session-fields"),
        html.Div(order, id=ids.BOOT_AREA, hidden=True, className="session-order"),
        html.Div(lines, id=ids.BOOT_LINES, hidden=True, className="session-order"),
    ]
    return panel("Boot a session", body, class_name="session-form")


def _input(component_id: str, placeholder: str) -> Component:
    made: Component = dbc.Input(id=component_id, type="text", value="", placeholder=placeholder, autocomplete="off")
    return made


def _field(name: str, control: Component, component_id: str) -> Component:
    return html.Div([html.Label(name, htmlFor=component_id), control], className="argument")


@callback(
    Output(ids.CONFIGURATION, "options"),
    Input(live_store_id(LiveTopic.SESSIONS), "data"),
    State(ids.CONFIGURATION, "options"),
    permission=VIEW,
)
def show_configurations(_revision: int | None, shown: list[Any] | None) -> Any:
    """Offer what the session manager lists; a list that is open is left alone while nothing has changed."""
    listed = services().run_control.configurations()
    options = [{"value": OTHER, "label": "another one, by file and id"}]
    options += [{"value": json.dumps([found.file, found.id]), "label": f"{found.id}, {found.file}"} for found in listed]
    return no_update if options == shown else options


@callback(
    Output(ids.FILE, "value"),
    Output(ids.CONFIGURATION_ID, "value"),
    Input(ids.CONFIGURATION, "value"),
    permission=VIEW,
    prevent_initial_call=True,
)
def fill_in(chosen: str | None) -> tuple[Any, Any]:
    """Fill in file and id of the chosen configuration; they can still be changed."""
    if not chosen or chosen == OTHER:
        return no_update, no_update
    file, configuration_id = json.loads(chosen)
    return file, configuration_id


@callback(
    Output(ids.BOOT_AREA, "hidden"),
    Output(ids.BOOT_LINES, "hidden"),
    Output(ids.BOOT_REASON, CONTENT),
    *(Output(ids.BOOT, name) for name in ("aria-disabled", "title", "className")),
    Input(live_store_id(LiveTopic.COMMANDS), "data"),
    permission=VIEW,
)
def show_boot(_revision: int | None) -> tuple[Any, ...]:
    """Show the button with what stands against it, or the lines."""
    can_order = services().session_commands.can_order
    reason = boot_obstacle(identity(), under_way())
    look = button_look([reason] if reason else [], Look.PRIMARY)
    return (not can_order, can_order, drawing(obstacle_line(reason)), *astuple(look))


@callback(
    Output(ids.BOOT_SHELL, "children"),
    Output(ids.BOOT_THEN, "children"),
    Output(ids.BOOT_HINT, "children"),
    Input(ids.NAME, "value"),
    Input(ids.FILE, "value"),
    Input(ids.CONFIGURATION_ID, "value"),
    permission=VIEW,
)
def show_lines(name: str | None, file: str | None, configuration_id: str | None) -> tuple[str, str, str]:
    """Write what to type; as long as something is missing, say what."""
    if not (name and file):
        return "", "", "Fill in the file and a name."
    try:
        lines = services().session_commands.start_lines(name.strip(), _configuration(name, file, configuration_id))
    except InvalidInputError as error:
        return "", "", error.message
    return lines.shell, lines.then, ""


@callback(
    Output(ids.BOOT_RESULT, CONTENT),
    Input(ids.BOOT, "n_clicks"),
    State(ids.NAME, "value"),
    State(ids.FILE, "value"),
    State(ids.CONFIGURATION_ID, "value"),
    permission=Permission.START_SESSION,
    prevent_initial_call=True,
)
def boot(clicks: int | None, name: str | None, file: str | None, configuration_id: str | None) -> Any:
    """Order the session; what the service refuses stands below the button, and in the audit."""
    if not clicks:
        return no_update
    found = _configuration(name or "", file or "", configuration_id)
    try:
        services().session_commands.start(identity(), (name or "").strip(), found)
    except ConsoleError as error:
        not_done = error.not_done or "Nothing was sent."
        return drawing(error_notice(error.message, not_done=not_done, next_step=error.next_step))
    return drawing(None)


def _configuration(name: str, file: str, configuration_id: str | None) -> Configuration:
    """Return what the fields say; in G1 a configuration has no id but its session's name (contract 14)."""
    return Configuration(file.strip(), (configuration_id or "").strip() or name.strip())
