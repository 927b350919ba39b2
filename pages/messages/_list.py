"""The list of the messages page. The browser keeps it (`assets/feed.js`); the callbacks here fetch what it asks for."""

from collections.abc import Mapping
from typing import Any

from dash import ClientsideFunction, Input, Output, State, html, no_update
from dash.development.base_component import Component

from components.attributes import marked
from components.buttons import button
from components.frame import live_store_id
from components.icons import Icon, icon
from components.message_expression import expression_field
from components.message_list import message_grid
from components.notice import empty
from pages._access import callback, clientside_callback
from pages._context import services
from pages._feed import Delta, feed_delta, older_delta
from pages.messages import _ids as ids
from services.accounts.types import Permission
from services.revisions import LiveTopic


def message_panel(where: str | None) -> Component:
    """Return the list with the expression above and what it does not show below."""
    following = html.Span("…", id="messages-following", className="fg-1")
    resume = html.Button(
        [icon(Icon.PLAY), html.Span("resume", id="messages-resume-text")],
        id="messages-resume",
        type="button",
        hidden=True,
        className="button button-primary button-small",
    )
    pause = button("Pause", "messages-pause", sign=Icon.PAUSE, small=True)
    older = button("Older", "messages-older", sign=Icon.UP, small=True)
    nothing = empty(
        "No messages match",
        "Severity, session, search, expression and mutes hide all there are. New ones that match appear here.",
    )
    unfinished = empty(
        "None found so far",
        "The search has not looked at all messages yet: the line below says how far it got, Older looks further.",
    )
    return html.Section(
        [
            expression_field(ids.EXPRESSION, ids.PROBLEM, where),
            html.Div(
                [
                    older,
                    html.Span(id=ids.CHIP, className="feed-chips"),
                    marked(following, role="status"),
                    pause,
                    resume,
                    html.Kbd("space"),
                ],
                className="feed-bar",
            ),
            html.Div(
                [
                    message_grid(ids.GRID),
                    html.Div(nothing, id="messages-empty", hidden=True),
                    html.Div(unfinished, id="messages-unfinished", hidden=True),
                ],
                className="feed-grid",
            ),
            html.Div(
                [
                    html.Span(id="messages-shown", className="strong fg-0"),
                    html.Span(id=ids.FOOTER, className="row-line feed-counted"),
                    html.Span("j, k next; ← → error", className="push fg-2 feed-keys"),
                ],
                className="panel-foot",
            ),
        ],
        className="panel feed-list",
    )


clientside_callback(ClientsideFunction("feed", "apply"), Input(ids.DELTA, "data"))
clientside_callback(ClientsideFunction("feed", "apply"), Input(ids.OLDER, "data"))


@callback(
    Output(ids.DELTA, "data"),
    Input("live-messages", "data"),
    Input(ids.FILTER, "data"),
    Input(ids.ASK, "data"),
    State(ids.CURSOR, "data"),
    State(live_store_id(LiveTopic.MUTES), "data"),
    permission=Permission.VIEW_MESSAGES,
)
def fetch(
    newest: int | None,
    wanted: Mapping[str, Any] | None,
    _ask: int,
    cursor: Mapping[str, Any] | None,
    mutes: int | None = None,
) -> Delta | Any:
    """Fetch what the list lacks: its first page for a new filter, else what came after the cursor.

    ``newest`` and ``mutes`` are what the heartbeat has told: what was read since for somebody else is shared.
    """
    if wanted is None:
        return no_update
    return feed_delta(services().messages, wanted, cursor, services().mutes.muted(mutes), newest) or no_update


@callback(
    Output(ids.OLDER, "data"),
    Input(ids.OLDER_ASK, "data"),
    State(ids.FILTER, "data"),
    permission=Permission.VIEW_MESSAGES,
)
def fetch_older(asked: Mapping[str, Any] | None, wanted: Mapping[str, Any] | None) -> Delta | Any:
    """Fetch the page before the oldest row of the list."""
    if not asked or wanted is None:
        return no_update
    return older_delta(services().messages, wanted, int(asked["before"]), services().mutes.muted())
