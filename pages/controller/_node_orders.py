"""What is common to all orders for selected nodes: what is selected, why not, and where the answer goes."""

from collections.abc import Callable, Sequence
from typing import Any

from dash import Output, State, no_update

from components.outlet import CONTENT, drawing
from pages._context import identity, services
from pages.controller import _ids as ids
from pages.controller import _view as view
from pages.controller._selection import selected_nodes, selected_session
from services.errors import ConsoleError, InvalidInputError
from services.run_control.command_types import Action
from services.run_control.node_types import Node, Target
from services.run_control.session_types import SessionSummary

Result = tuple[Any, Any]


def order_for_nodes(paths: Sequence[str] | None, wanted: str, send: Callable[[str, tuple[Target, ...]], int]) -> Result:
    """Order something of the selected nodes; return the command to follow, and a refusal in place.

    Raises:
        InvalidInputError: It belongs at a field, where the caller shows it.
    """
    session = selected_session(wanted)
    nodes = selected_nodes(session, paths)
    if session is None or not nodes:
        return no_update, drawing(view.words_in_place("Select nodes in the tree first. Nothing was sent."))
    try:
        return send(session.name, tuple(Target(node.path) for node in nodes)), drawing(None)
    except InvalidInputError:
        raise
    except ConsoleError as error:
        return no_update, drawing(view.refusal(error))


OUTPUTS = (
    Output(ids.NODE_COMMAND, "data", allow_duplicate=True),
    Output(ids.NODE_RESULT, CONTENT, allow_duplicate=True),
)
STATES = (State(ids.SELECTED, "data"), State(ids.WANTED, "data"))


def why_not(session: SessionSummary | None, nodes: Sequence[Node], action: Action) -> str | None:
    """Return why an action cannot be ordered of these nodes now, None if it can."""
    if session is None:
        return "No session."
    if not nodes:
        return "Select nodes in the tree first."
    return services().node_commands.why_not(identity(), session, action, nodes)
