"""Sessions (``/sessions``): those that are there and were there, and what can be booted.

To look needs ``run_control.view``; booting and ending have permissions of their own. Where no run control service is
set up, the page shows what to type instead.
"""

import dash
from dash import Input, Output, dcc, html

from components.command_result import command_list
from components.frame import live_store_id, page
from components.notice import loading
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel
from components.question_dialog import question_dialog
from components.session_table import active_table, configuration_table, gone_table
from components.words import counted
from pages._access import callback
from pages._context import services
from pages.sessions import _ids as ids
from pages.sessions._boot import boot_panel
from pages.sessions._difference import difference_panel
from pages.sessions._end import end_panel
from services.accounts.types import Permission
from services.revisions import LiveTopic
from services.run_control.command_types import SESSION_ACTIONS

dash.register_page(__name__, path="/sessions", title="Sessions · drunc-console", name="Sessions")

VIEW = Permission.VIEW_RUN_CONTROL
# So many of those that are gone are listed; all are in the history.
GONE = 20
SHOWN_COMMANDS = 5


def layout(session: str = "", **_query: str) -> html.Div:
    """Return the page without data, with the session of the address chosen; the first callbacks bring the data."""
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
    forms = html.Div([boot_panel(), end_panel()], className="sessions-forms")
    commands = panel(
        "Last commands on sessions", outlet(ids.COMMANDS, loading("Reading the last commands", rows=2)), flush=True
    )
    stores = [dcc.Store(id=ids.WANTED, data=session), dcc.Store(id=ids.PENDING)]
    content = [*stores, active, forms, commands, difference_panel(), lists, question_dialog(ids.QUESTION)]
    return page("Sessions", content, sub=html.Span(id=ids.SUB))


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


@callback(
    Output(ids.COMMANDS, CONTENT),
    Input(live_store_id(LiveTopic.COMMANDS), "data"),
    permission=VIEW,
)
def show_commands(_revision: int | None) -> str:
    """Show the last orders for whole sessions, whoever gave them, with what came of them."""
    commands = services().run_control.last_commands(None, SHOWN_COMMANDS, actions=SESSION_ACTIONS)
    nothing = html.P("No session was booted or ended from this console yet.", className="tree-nothing fg-1")
    return drawing(command_list(commands, newest_open=True) or nothing)
