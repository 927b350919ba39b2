"""What differs between two sessions, or between one of them now and in its last good run."""

from typing import Any

import dash_bootstrap_components as dbc
from dash import Input, Output, State, html, no_update

from components.ages import clock_time
from components.difference_table import difference_table
from components.frame import live_store_id
from components.icons import Icon
from components.notice import empty, error_notice
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel
from pages._access import callback
from pages._context import services
from pages.sessions import _ids as ids
from services.accounts.types import Permission
from services.errors import NotFoundError
from services.revisions import LiveTopic

VIEW = Permission.VIEW_RUN_CONTROL
# No session can have this name: it has a blank (contract 3).
GOOD_RUN = "last good run"


def difference_panel() -> html.Section:
    """Return the panel that compares."""
    fields = html.Div(
        [
            html.Div([html.Label("Session", htmlFor=ids.LEFT), dbc.Select(id=ids.LEFT)], className="argument"),
            html.Div([html.Label("With", htmlFor=ids.RIGHT), dbc.Select(id=ids.RIGHT)], className="argument"),
        ],
        className="session-fields session-compared",
    )
    return panel("Differences", [fields, outlet(ids.DIFFERENCE, None)], class_name="session-differences", flush=True)


@callback(
    Output(ids.LEFT, "options"),
    Output(ids.LEFT, "value"),
    Output(ids.RIGHT, "options"),
    Output(ids.RIGHT, "value"),
    Input(live_store_id(LiveTopic.SESSIONS), "data"),
    State(ids.LEFT, "options"),
    State(ids.LEFT, "value"),
    State(ids.RIGHT, "value"),
    State(ids.WANTED, "data"),
    permission=VIEW,
)
def show_choices(
    _revision: int | None, shown: list[Any] | None, left: str | None, right: str | None, wanted: str | None
) -> tuple[Any, ...]:
    """Offer the sessions that are there; what was chosen stays as long as it is there."""
    names = [session.name for session in services().run_control.sessions()]
    one = next((name for name in (left, wanted, *names) if name in names), None)
    other = right if right in names else GOOD_RUN
    if names == [option["value"] for option in shown or ()] and (one, other) == (left, right):
        return (no_update,) * 4
    options = [{"value": name, "label": name} for name in names]
    return options, one, [{"value": GOOD_RUN, "label": "itself in its last good run"}, *options], other


@callback(
    Output(ids.DIFFERENCE, CONTENT),
    Input(ids.LEFT, "value"),
    Input(ids.RIGHT, "value"),
    Input(live_store_id(LiveTopic.SESSIONS), "data"),
    Input(live_store_id(LiveTopic.TREE), "data"),
    Input(live_store_id(LiveTopic.PROCESSES), "data"),
    permission=VIEW,
)
def show_difference(left: str | None, right: str | None, *_revisions: int | None) -> str:
    """Compare what is chosen, anew whenever something of it has changed."""
    if not left or not right:
        return drawing(empty("Nothing to compare", "No session is there.", sign=Icon.SESSIONS))
    try:
        if right == GOOD_RUN:
            return drawing(_since_good_run(left))
        return drawing(difference_table(services().comparison.between(left, right), left, right))
    except NotFoundError as error:
        return drawing(error_notice(error.message, not_done="Nothing was compared."))


def _since_good_run(name: str) -> list[Any]:
    since = services().comparison.since_good_run(name)
    if since.run is None:
        text = "No good run to compare with: none is known that was started, went well throughout, and was stopped."
        return [html.P(text, className="difference-of")]
    number = "a run" if since.run.number is None else f"run {since.run.number}"
    said = ["As it was at the end of ", html.B(number), ", ", clock_time(since.run.at, milliseconds=False), "."]
    if not since.complete:
        said.append(" So much has changed since then that only the newest of it was looked at.")
    return [html.P(said, className="difference-of"), *difference_table(since.found, number.capitalize(), "Now")]
