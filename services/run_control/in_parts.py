"""One command for several parts of a tree: sent to one after the other, judged as a whole."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from services.run_control.command_types import CommandResult, CommandState, NodeResult
from services.run_control.execution import Order, Outcome

PARTS = "parts"


def execute_in_parts(order: Order, send: Callable[[Order], Outcome]) -> Outcome:
    """Send the order to each part in turn; one that fails keeps no other from its turn.

    Of a command whose outcome nobody knows for a part the outcome is unknown.
    """
    parts = [_part(order, found) for found in order.payload[PARTS]]
    outcomes = [send(part) for part in parts]
    states = {outcome.state for outcome in outcomes}
    for state in (CommandState.UNKNOWN, CommandState.FAILED, CommandState.SUCCEEDED):
        if state in states:
            break
    nodes = tuple(node for part, outcome in zip(parts, outcomes, strict=True) for node in _nodes(part, outcome))
    text = _told(parts, outcomes)
    # Only the root controller tells of the session.
    after = [outcome.after for part, outcome in zip(parts, outcomes, strict=True) if part.address == order.address]
    result = CommandResult(succeeded=state is CommandState.SUCCEEDED, text=text, nodes=nodes)
    return Outcome(state, text, result, after=after[-1] if after else None)


def _part(order: Order, found: Mapping[str, Any]) -> Order:
    rest = {name: value for name, value in order.payload.items() if name != PARTS}
    return replace(order, address=found["address"] or order.address, payload={**rest, **found})


def _nodes(part: Order, outcome: Outcome) -> tuple[NodeResult, ...]:
    """Return what the nodes of a part answered; where nothing was sent, that stands for the part."""
    if outcome.result is not None and outcome.result.nodes:
        return outcome.result.nodes
    path = part.payload["node"]
    return (
        NodeResult(path, path.rpartition("/")[2], outcome.state is CommandState.SUCCEEDED, flag="", text=outcome.text),
    )


def _told(parts: list[Order], outcomes: list[Outcome]) -> str:
    failed = [outcome.text for outcome in outcomes if outcome.state is not CommandState.SUCCEEDED]
    done = f"{len(parts) - len(failed)} of {len(parts)} parts of the tree done."
    return " ".join([done, *dict.fromkeys(failed)])
