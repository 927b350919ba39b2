"""The inspector of the messages page: every field of one message, and where to go from it."""

from collections.abc import Mapping
from typing import Any

from dash import ALL, Input, Output, ctx, html, no_update
from dash.development.base_component import Component

from components.buttons import button, icon_button
from components.figures import STACK_ORDER
from components.icons import Icon
from components.message_list import inspector
from components.panel import panel_head
from pages._access import callback
from pages._context import services
from pages.messages import _ids as ids
from pages.messages._controls import EVERYTHING
from services.accounts.types import Permission
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
    return [inspector(message), _next_steps(message)], False


def _next_steps(message: MessageView) -> Component:
    steps = [button("Around this message", ids.around_id(str(message.id)), small=True)]
    if message.application:
        steps.append(button(f"Only {message.application}", ids.only_id(message.application), small=True))
    return html.Div(steps, className="notice-actions")


@callback(
    Output(ids.SEVERITIES, "value", allow_duplicate=True),
    Output(ids.SESSION, "value"),
    Output(ids.APPLICATION, "data", allow_duplicate=True),
    Output(ids.SEARCH, "value"),
    Output(ids.WHERE, "data", allow_duplicate=True),
    Output(ids.EXPRESSION, "value"),
    Output(ids.POSITION, "data"),
    Input(ids.around_id(ALL), "n_clicks"),
    permission=Permission.VIEW_MESSAGES,
    prevent_initial_call=True,
)
def look_around(clicks: list[int | None]) -> tuple[Any, ...]:
    """Show what came before and after one message, whatever it is: no filter stays."""
    if not any(clicks):
        return (no_update,) * 7
    everything = [severity.name for severity in STACK_ORDER]
    return everything, EVERYTHING, None, "", None, "", {"around": ctx.triggered_id["key"]}
