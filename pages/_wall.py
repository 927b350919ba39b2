"""The wall display, ``/?wall=1``: part of the overview's page. Needs the viewing rights.

What it shows stands in outlets, which change elements in place: it may be open for days.
"""

from dash import Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate

from components import wall
from components.attributes import marked
from components.frame import live_store_id
from components.icons import Icon, icon
from components.outlet import CONTENT, drawing, outlet
from components.session_card import RATE_SPAN, no_sessions
from components.sparkline import last_full_step
from pages._access import callback
from pages._context import services
from pages._rates import message_rate
from services.accounts.types import Permission
from services.revisions import LiveTopic

HEAD_ID = "wall-head"
LARGE_ID = "wall-large"
RATE_ID = "wall-rate"
TILES_ID = "wall-tiles"
ALARM_ID = "wall-alarm"
LARGE_NAME_ID = "wall-large-name"
RATE_OF_ID = "wall-rate-of"


def layout() -> html.Div:
    """Return the display without data; the style sheet takes strip, navigation and everything to click away."""
    clock = marked(html.Span("…", className="wall-clock"), data_clock="1")
    zone = marked(html.Span("UTC", className="fg-1"), data_zone_name="1")
    head = [icon(Icon.STATUS), outlet(HEAD_ID, None, class_name="wall-head-data"), clock, zone]
    large = [outlet(LARGE_ID, None, class_name="wall-large-data"), outlet(RATE_ID, None, class_name="wall-rate")]
    sessions = [html.Section(large, className="wall-large"), outlet(TILES_ID, None, class_name="wall-rest")]
    display = html.Div(
        [
            html.H1("Wall display", className="visually-hidden"),
            dcc.Store(id=LARGE_NAME_ID),
            dcc.Store(id=RATE_OF_ID),
            html.Header(head, className="wall-head"),
            html.Div(sessions, className="wall-sessions"),
            outlet(ALARM_ID, None, class_name="wall-bottom"),
        ],
        className="wall",
    )
    # After an upgrade nobody is there to load it anew (upgrade.js).
    return marked(display, data_unattended="1")


@callback(
    Output(HEAD_ID, CONTENT),
    Output(LARGE_ID, CONTENT),
    Output(TILES_ID, CONTENT),
    Output(LARGE_NAME_ID, "data"),
    Input(live_store_id(LiveTopic.SESSIONS), "data"),
    Input(live_store_id(LiveTopic.PROCESSES), "data"),
    Input(live_store_id(LiveTopic.TREE), "data"),
    Input(live_store_id(LiveTopic.COMMANDS), "data"),
    Input(live_store_id(LiveTopic.BACKENDS), "data"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def show_wall(*_revisions: int | None) -> tuple[str, str, str, str | None]:
    """Draw all sessions whenever one of them has changed."""
    run_control = services().run_control
    sessions = run_control.sessions()
    head = drawing(wall.wall_head(sessions))
    if not sessions:
        return head, drawing(None), drawing(no_sessions(run_control.backends())), None
    shown = [wall.Shown(session, run_control.tree(session.name)) for session in wall.choose(sessions)]
    if not wall.has_large(len(shown)):
        return head, drawing(None), drawing(wall.wall_tiles(shown)), None
    return head, drawing(wall.wall_large(shown[0])), drawing(wall.wall_tiles(shown[1:])), shown[0].session.name


@callback(
    Output(RATE_ID, CONTENT),
    Output(RATE_OF_ID, "data"),
    Input(live_store_id(LiveTopic.MESSAGES), "data"),
    Input(LARGE_NAME_ID, "data"),
    State(RATE_OF_ID, "data"),
    permission=Permission.VIEW_MESSAGES,
)
def show_wall_rate(_revision: int | None, name: str | None, drawn: list[str] | None) -> tuple[str, list[str]]:
    """Draw the message rate of the session in the large place, once for each step of the line."""
    end = last_full_step(services().live.now(), RATE_SPAN)
    wanted = [end.isoformat(), name] if name else []
    if wanted == drawn:
        raise PreventUpdate
    return drawing(wall.wall_rate(message_rate(name, end), name) if name else None), wanted


@callback(
    Output(ALARM_ID, CONTENT),
    Input(live_store_id(LiveTopic.ALARMS), "data"),
    permission=Permission.VIEW_ALARMS,
)
def show_wall_alarm(_revision: int | None) -> str:
    """Show the most urgent alarm that waits for somebody, and how many wait."""
    alarms = services().alarms
    first = next((alarm for alarm in alarms.open() if alarm.calls), None)
    guidance = alarms.guidance(first.kind, first.subject, first.rule) if first else None
    return drawing(wall.wall_alarm(first, guidance, alarms.counts()))
