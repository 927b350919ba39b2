"""Sessions (``/sessions``): those that are there and were there, and what can be booted. Needs ``run_control.view``."""

import dash
from dash import Input, Output, html

from components.frame import live_store_id, page
from components.notice import loading
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel
from components.session_table import active_table, configuration_table, gone_table
from components.words import counted
from pages._access import callback
from pages._context import services
from pages.sessions import _ids as ids
from services.accounts.types import Permission
from services.revisions import LiveTopic

dash.register_page(__name__, path="/sessions", title="Sessions · drunc-console", name="Sessions")

VIEW = Permission.VIEW_RUN_CONTROL
# So many of those that are gone are listed; all are in the history.
GONE = 20


def layout(**_query: str) -> html.Div:
    """Return the page without data; the first callbacks bring it."""
    active = panel("There now", outlet(ids.ACTIVE, loading("Reading sessions")), flush=True)
    lists = html.Div(
        [
            panel(
                "Configurations",
                outlet(ids.CONFIGURATIONS, loading("Reading configurations", rows=2)),
                sub="as the session manager lists them",
                flush=True,
            ),
            panel("Gone", outlet(ids.GONE, loading("Reading what was", rows=2)), sub=f"the last {GONE}", flush=True),
        ],
        className="sessions-lists",
    )
    return page("Sessions", [active, lists], sub=html.Span(id=ids.SUB))


@callback(
    Output(ids.SUB, "children"),
    Output(ids.ACTIVE, CONTENT),
    Output(ids.GONE, CONTENT),
    Output(ids.CONFIGURATIONS, CONTENT),
    Input(live_store_id(LiveTopic.SESSIONS), "data"),
    Input(live_store_id(LiveTopic.PROCESSES), "data"),
    Input(live_store_id(LiveTopic.COMMANDS), "data"),
    Input(live_store_id(LiveTopic.BACKENDS), "data"),
    permission=VIEW,
)
def show_sessions(*_revisions: int | None) -> tuple[str, str, str, str]:
    """Bring the tables up to date."""
    run_control = services().run_control
    sessions, configurations = run_control.sessions(), run_control.configurations()
    answered = any(backend.answered_at is not None for backend in run_control.backends())
    return (
        f"{counted(len(sessions), 'session')}, {counted(len(configurations), 'configuration')}",
        drawing(active_table(sessions, answered)),
        drawing(gone_table(run_control.vanished_sessions(GONE))),
        drawing(configuration_table(configurations, sessions)),
    )
