"""The frame's own callbacks: strip, session picker, addresses that do not answer. Not a page.

They read what the collector last saw; ages, clock and connection are the browser's work (``assets/``).
"""

from urllib.parse import parse_qs

import dash
from dash import ALL, ClientsideFunction, Input, Output
from dash.development.base_component import Component

from components import strip
from components.frame import BACKENDS_ID, THEME_STORE_ID, URL_ID, app_layout, backend_notices, live_store_id
from components.navigation import BOTTOM, COMPONENT, RAIL
from components.outlet import CONTENT, drawing
from pages import _control  # noqa: F401 - declares its callbacks
from pages._access import callback, clientside_callback
from pages._context import identity, is_logged_in, services
from services.accounts.types import Permission
from services.revisions import LiveTopic

__all__ = ["THEME_STORE_ID", "layout", "selected_name"]


def layout() -> Component:
    """Return the frame for whoever asks; it holds no data but their name.

    Dash also calls it once at start, on nobody's behalf.
    """
    topics = [topic.value for topic in LiveTopic]
    if not is_logged_in():
        return app_layout(dash.page_container, topics)
    person = identity()
    return app_layout(dash.page_container, topics, person.name, person.role.value)


def selected_name(search: str | None) -> str | None:
    """Return the session that an address names (``?session=``)."""
    return parse_qs((search or "").removeprefix("?")).get("session", [None])[0]


@callback(
    Output(strip.PICKER_NAME_ID, "children"),
    Output(strip.PICKER_LIST_ID, CONTENT),
    Output(strip.CELLS_ID, CONTENT),
    Output(strip.AGE_ID, CONTENT),
    Output(BACKENDS_ID, CONTENT),
    Input(live_store_id(LiveTopic.SESSIONS), "data"),
    Input(live_store_id(LiveTopic.PROCESSES), "data"),
    Input(live_store_id(LiveTopic.TREE), "data"),
    Input(live_store_id(LiveTopic.BACKENDS), "data"),
    Input(live_store_id(LiveTopic.COMMANDS), "data"),
    Input(live_store_id(LiveTopic.ALARMS), "data"),
    Input(URL_ID, "pathname"),
    Input(URL_ID, "search"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def show_strip(
    *followed: object,
) -> tuple[str, str, str, str, str]:
    """Fill the strip for the selected session whenever something it shows has changed."""
    path, search = str(followed[-2] or "/"), followed[-1]
    wanted = selected_name(search if isinstance(search, str) else None)
    run_control = services().run_control
    sessions, backends = run_control.sessions(), run_control.backends()
    chosen = strip.select(sessions, wanted)
    name = chosen.name if chosen else wanted
    return (
        name or "none",
        drawing(strip.session_links(sessions, name, path)),
        drawing(strip.cells(chosen, identity().name, services().alarms.counts())),
        drawing(strip.age_cell(chosen)),
        drawing(backend_notices(backends)),
    )


# Every link of the navigation keeps the selected session.
for element in (RAIL, BOTTOM):
    clientside_callback(
        ClientsideFunction(namespace="frame", function_name="keepSession"),
        Output({"component": COMPONENT, "element": element, "key": ALL}, "href"),
        Input(URL_ID, "search"),
        Input({"component": COMPONENT, "element": element, "key": ALL}, "id"),
    )
