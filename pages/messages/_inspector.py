"""The inspector of the messages page: every field of one message, and where to go from it."""

from collections.abc import Mapping
from typing import Any

from dash import ALL, Input, Output, ctx, html, no_update
from dash.development.base_component import Component

from components.buttons import button, icon_button
from components.figures import STACK_ORDER
from components.icons import Icon
from components.message_list import inspector
from components.mute_parts import mute_obstacle, muted_note
from components.panel import panel_head
from pages._access import callback
from pages._context import identity, services
from pages._feed import SHOW
from pages.messages import _ids as ids
from pages.messages._controls import EVERYTHING
from services.accounts.types import Permission
from services.messages.filters import fits
from services.messages.types import MessageView


def inspector_panel() -> Component:
    """Return the inspector, closed."""
    close = icon_button(Icon.CLOSE, "Close the inspector", "messages-close", small=True)
    return html.Aside(
        [panel_head("Message", actions=close), html.Div(id=ids.INSPECTED, className="panel-body")],
        id=ids.INSPECTOR,
        className="panel feed-inspector",
        hidden=True,
    )


@callback(
    Output(ids.INSPECTED, "children"),
    Output(ids.INSPECTOR, "hidden"),
    Input(ids.GRID, "selectedRows"),
    permission=Permission.VIEW_MESSAGES,
)
def inspect(rows: list[Mapping[str, Any]] | None) -> tuple[Any, bool]:
    """Show every field of the selected message."""
    if not rows:
        return no_update, True
    message = services().messages.message(int(rows[0]["id"]))
    mutes = [mute for mute in services().mutes.active() if fits(mute.fits, message)]
    return [inspector(message), muted_note(mutes), _next_steps(message)], False


def _next_steps(message: MessageView) -> Component:
    steps = [button("Around this message", ids.around_id(str(message.id)), small=True)]
    if message.application:
        steps.append(button(f"Only {message.application}", ids.only_id(message.application), small=True))
    obstacle = mute_obstacle(identity(), message)
    mute = button("Mute messages like this…", ids.mute_id(str(message.id)), sign=Icon.MUTE, small=True, reason=obstacle)
    parts: list[Component] = [html.Div([*steps, mute], className="notice-actions")]
    if obstacle:
        parts.append(html.P(["Muting: ", obstacle], className="reason"))
    return html.Div(parts)


@callback(
    Output(ids.SEVERITIES, "value", allow_duplicate=True),
    Output(ids.SESSION, "value"),
    Output(ids.APPLICATION, "data", allow_duplicate=True),
    Output(ids.SEARCH, "value"),
    Output(ids.WHERE, "data", allow_duplicate=True),
    Output(ids.EXPRESSION, "value"),
    Output(ids.POSITION, "data"),
    Output(ids.SHOW_MUTED, "value"),
    Input(ids.around_id(ALL), "n_clicks"),
    permission=Permission.VIEW_MESSAGES,
    prevent_initial_call=True,
)
def look_around(clicks: list[int | None]) -> tuple[Any, ...]:
    """Show what came before and after one message, whatever it is: no filter stays, and nothing is muted."""
    if not any(clicks):
        return (no_update,) * 8
    everything = [severity.name for severity in STACK_ORDER]
    return everything, EVERYTHING, None, "", None, "", {"around": ctx.triggered_id["key"]}, [SHOW]
