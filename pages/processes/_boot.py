"""Booting from the page of all processes: a dummy boot as drunc's shell offers it, or a description."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from components.arguments_form import argument_error
from components.attributes import marked
from components.buttons import Look, button
from components.process_stake import boot_obstacle
from components.words import counted
from pages._access import callback
from pages._context import identity, services
from pages.processes import _ids as ids
from pages.processes._scene import answers
from services.accounts.types import Permission
from services.errors import ConsoleError, InvalidInputError
from services.run_control.boot_order import parse_boot_orders

_CLICKED = "n_clicks"
DUMMY, DESCRIPTION = "dummy", "description"
# The defaults of drunc's own shell (contract 18.3).
_DEFAULTS = {ids.BOOT_PROCESSES: "1", ids.BOOT_SLEEPS: "6", ids.BOOT_SLEEP_S: "10"}
_EXAMPLE = """{
  "name": "df-01",
  "session": "my-session",
  "commands": [["echo", "hello"], ["sleep", "60"]],
  "hosts": ["localhost"],
  "environment": {},
  "directory": "/tmp",
  "log_path": "/tmp/df-01.log"
}"""


def dialog() -> Component:
    """Return the dialog that boots."""
    kinds = {"Dummy boot": DUMMY, "From a description": DESCRIPTION}
    kind = dbc.RadioItems(
        id=ids.BOOT_KIND,
        options=[{"label": label, "value": value} for label, value in kinds.items()],
        value=DUMMY,
        className="choices",
        inputClassName="visually-hidden",
        labelCheckedClassName="is-on",
    )
    made: Component = dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Boot processes", id=ids.BOOT_TITLE)),
            dbc.ModalBody(
                [
                    marked(html.Div(kind, role="group"), aria_label="What to boot"),
                    html.Div(_dummy(), id=ids.BOOT_DUMMY, className="boot-fields"),
                    html.Div(_description(), id=ids.BOOT_TEXT_AREA, hidden=True),
                    html.Div(id=ids.BOOT_ERROR, className="argument-error", role="alert"),
                ],
                className="arguments",
            ),
            dbc.ModalFooter(
                [
                    button("Boot nothing", ids.BOOT_CANCEL),
                    marked(button("Boot", ids.BOOT_CONFIRM, look=Look.PRIMARY), data_once="1"),
                ]
            ),
        ],
        id=ids.BOOT_DIALOG,
        labelledby=ids.BOOT_TITLE,
        is_open=False,
        centered=True,
        scrollable=True,
    )
    return made


def _dummy() -> list[Component]:
    return [
        html.P("Processes that only sleep and say so, to try things out.", className="fg-1 boot-wide"),
        _field("Session", ids.BOOT_SESSION, "trial"),
        _field("User that runs them", ids.BOOT_USER, "you"),
        _field("Processes", ids.BOOT_PROCESSES, numeric=True),
        _field("Sleeps of each", ids.BOOT_SLEEPS, numeric=True),
        _field("Seconds of a sleep", ids.BOOT_SLEEP_S, numeric=True),
    ]


def _description() -> list[Component]:
    text = dbc.Textarea(id=ids.BOOT_TEXT, value="", placeholder=_EXAMPLE, rows=11, className="mono", spellcheck="false")
    return [
        html.Label("One process, or a list of them, as JSON or YAML", htmlFor=ids.BOOT_TEXT),
        text,
        html.P(
            "name, session and commands are needed; user, hosts, environment, directory, log_path and tree_id are not.",
            className="argument-help",
        ),
    ]


def _field(name: str, component_id: str, placeholder: str = "", *, numeric: bool = False) -> Component:
    field = dbc.Input(
        id=component_id,
        type="text",
        inputmode="numeric" if numeric else "text",
        value=_DEFAULTS.get(component_id, ""),
        placeholder=placeholder,
        autocomplete="off",
    )
    return html.Div([html.Label(name, htmlFor=component_id), field], className="argument")


@callback(
    Output(ids.BOOT_DIALOG, "is_open"),
    Output(ids.BOOT_SESSION, "value"),
    Output(ids.BOOT_ERROR, "children"),
    Input(ids.BOOT, _CLICKED),
    Input(ids.BOOT_CANCEL, _CLICKED),
    State(ids.WANTED, "data"),
    State(ids.BOOT_SESSION, "value"),
    permission=Permission.BOOT,
    prevent_initial_call=True,
)
def open_dialog(_boot: int | None, _cancel: int | None, wanted: str | None, typed: str | None) -> tuple[Any, Any, Any]:
    """Open the dialog, for the session of the address, or close it; what was typed is kept."""
    if ctx.triggered_id != ids.BOOT or boot_obstacle(identity(), answers=answers()):
        return False, no_update, []
    return True, typed or wanted or "", []


@callback(
    Output(ids.BOOT_DUMMY, "hidden"),
    Output(ids.BOOT_TEXT_AREA, "hidden"),
    Input(ids.BOOT_KIND, "value"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def show_kind(kind: str) -> tuple[bool, bool]:
    """Show the fields of a dummy boot, or the text."""
    return kind != DUMMY, kind == DUMMY


@callback(
    Output(ids.BOOT_CONFIRM, "children"),
    Input(ids.BOOT_KIND, "value"),
    Input(ids.BOOT_PROCESSES, "value"),
    Input(ids.BOOT_TEXT, "value"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def count_them(kind: str, processes: str | None, text: str | None) -> str:
    """Write on the button how many processes it boots, as soon as that can be told."""
    try:
        number = int(processes or "") if kind == DUMMY else len(parse_boot_orders(text or "", identity().name))
    except (ValueError, InvalidInputError):
        return "Boot"
    return f"Boot {counted(number, 'process', 'processes')}"


@callback(
    Output(ids.SENT, "data", allow_duplicate=True),
    Output(ids.BOOT_DIALOG, "is_open", allow_duplicate=True),
    Output(ids.BOOT_ERROR, "children", allow_duplicate=True),
    Input(ids.BOOT_CONFIRM, _CLICKED),
    State(ids.BOOT_KIND, "value"),
    State(ids.BOOT_TEXT, "value"),
    *(State(name, "value") for name in (ids.BOOT_SESSION, ids.BOOT_USER, *_DEFAULTS)),
    permission=Permission.BOOT,
    prevent_initial_call=True,
)
def boot(clicks: int | None, kind: str, text: str | None, *fields: str | None) -> tuple[Any, Any, Any]:
    """Order what the dialog says; what is wrong with it stands in the dialog."""
    if not clicks:
        return no_update, no_update, no_update
    try:
        if kind == DUMMY:
            sent = _boot_dummies(*(field or "" for field in fields))
        else:
            sent = services().process_commands.boot(identity(), text or "")
    except ConsoleError as error:
        said = " ".join(part for part in (error.message, error.not_done, error.next_step) if part)
        return no_update, no_update, argument_error(said)
    return sent, False, []


def _boot_dummies(session: str, user: str, processes: str, sleeps: str, sleep_s: str) -> int:
    return services().process_commands.dummy_boot(
        identity(),
        session.strip(),
        user=user.strip() or None,
        processes=_whole("Processes", processes),
        sleeps=_whole("Sleeps of each", sleeps),
        sleep_s=_whole("Seconds of a sleep", sleep_s),
    )


def _whole(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidInputError(f"{name} must be a whole number.", field=name) from None
