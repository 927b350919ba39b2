"""Overview (``/``): every session at a glance, and the latest messages from WARNING up. Needs the viewing rights."""

import dash
from dash import ALL, Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from components.attributes import marked
from components.frame import live_store_id, page
from components.icons import Icon, icon
from components.message_table import message_table
from components.notice import loading
from components.outlet import CONTENT, drawing, outlet
from components.panel import panel
from components.session_card import (
    RATE_SPAN,
    ProcessTotals,
    last_transition,
    no_sessions,
    rate_view,
    session_card,
)
from components.sparkline import last_full_step
from components.words import counted
from pages import _wall
from pages._access import callback
from pages._context import identity, services
from pages._rates import message_rate
from services.accounts.types import Permission
from services.messages.types import MessageFilter, Severity
from services.revisions import LiveTopic
from services.run_control.session_types import SessionSummary

dash.register_page(__name__, path="/", title="Overview · drunc-console")

SUB_ID = "overview-sub"
CARDS_ID = "overview-cards"
LATEST_ID = "overview-latest"
RATES_OF_ID = "overview-rates-of"
COMPONENT = "overview"

LOUD = frozenset({Severity.WARNING, Severity.ERROR, Severity.FATAL})
LATEST = 10


def layout(wall: str = "", **_query: str) -> html.Div:
    """Return the page without data; the first callbacks bring it. ``wall=1`` is the wall display."""
    if wall == "1":
        return _wall.layout()
    all_messages = dcc.Link("All messages", href="/messages?severity=WARNING,ERROR,FATAL", className="strong")
    latest = panel(
        "Latest from WARNING up",
        outlet(LATEST_ID, loading("Reading messages")),
        sub="all sessions",
        actions=all_messages,
        flush=True,
        class_name="latest",
    )
    cards = html.Div(loading("Reading sessions"), id=CARDS_ID, className="session-cards")
    on_a_wall = dcc.Link([icon(Icon.EXTERNAL), "Wall display"], href="/?wall=1", target="_blank", className="button")
    content = [dcc.Store(id=RATES_OF_ID), cards, latest]
    return page("Overview", content, sub=html.Span(id=SUB_ID), actions=on_a_wall)


@callback(
    Output(CARDS_ID, "children"),
    Output(SUB_ID, "children"),
    Input(live_store_id(LiveTopic.SESSIONS), "data"),
    Input(live_store_id(LiveTopic.PROCESSES), "data"),
    Input(live_store_id(LiveTopic.TREE), "data"),
    Input(live_store_id(LiveTopic.COMMANDS), "data"),
    permission=Permission.VIEW_RUN_CONTROL,
)
def show_sessions(*_revisions: int | None) -> tuple[list[Component], str]:
    """Draw a card for each session whenever one of them has changed."""
    sessions = services().run_control.sessions()
    if not sessions:
        return [no_sessions(services().run_control.backends())], "no session"
    return [_card(session) for session in sessions], _sum(sessions)


@callback(
    Output({"component": COMPONENT, "element": "rate", "key": ALL}, CONTENT),
    Output(RATES_OF_ID, "data"),
    Input(live_store_id(LiveTopic.MESSAGES), "data"),
    Input({"component": COMPONENT, "element": "rate", "key": ALL}, "id"),
    State(RATES_OF_ID, "data"),
    permission=Permission.VIEW_MESSAGES,
)
def show_rates(
    _revision: int | None, ids: list[dict[str, str]], drawn: list[str] | None
) -> tuple[list[str], list[str]]:
    """Draw each session's message rate, once for each step of the line, however often messages come."""
    names = [rate_id["key"] for rate_id in ids]
    end = last_full_step(services().live.now(), RATE_SPAN)
    wanted = [end.isoformat(), *names]
    if not names or wanted == drawn:
        raise PreventUpdate
    return [drawing(rate_view(message_rate(name, end), name)) for name in names], wanted


@callback(
    Output(LATEST_ID, CONTENT),
    Input(live_store_id(LiveTopic.MESSAGES), "data"),
    permission=Permission.VIEW_MESSAGES,
)
def show_latest(_revision: int | None) -> str:
    """List the newest messages from WARNING up, of all sessions."""
    found = services().messages.page(MessageFilter(severities=LOUD), limit=LATEST, details=False)
    return drawing(message_table(found.items, "No message from WARNING up"))


def _card(session: SessionSummary) -> html.Section:
    run_control = services().run_control
    last = last_transition(run_control.last_commands(session.name), session.name)
    drawn = session_card(session, run_control.tree(session.name), last, identity().name)
    end = last_full_step(services().live.now(), RATE_SPAN)
    parts = [
        outlet(_part_id("card", session.name), drawn, class_name="card-main"),
        outlet(
            _part_id("rate", session.name),
            rate_view(message_rate(session.name, end), session.name),
            class_name="card-rate",
        ),
    ]
    return marked(html.Section(parts, className="panel session-card"), aria_label=f"Session {session.name}")


def _part_id(element: str, session: str) -> dict[str, str]:
    return {"component": COMPONENT, "element": element, "key": session}


def _sum(sessions: tuple[SessionSummary, ...]) -> str:
    totals = ProcessTotals.of(sessions)
    told = f"{counted(len(sessions), 'session')} · {totals.all} processes, {totals.dead} dead"
    return f"{told}, {totals.ended} ended" if totals.ended else told
